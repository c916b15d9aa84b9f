package rest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"regtok/providers"
)

// fault is a way for an answer to go wrong on the wire.
type fault struct {
	name   string
	handle http.HandlerFunc
}

func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

// hijacked writes bytes of its own to the connection and resets it.
func hijacked(raw string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(connection, raw)
		// Without lingering, closing sends a reset.
		_ = connection.(*net.TCPConn).SetLinger(0)
		_ = connection.Close()
	}
}

// dripping sends header and body byte by byte, until the client leaves.
func dripping(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "[")
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
			_, _ = io.WriteString(w, " ")
			_ = http.NewResponseController(w).Flush()
		}
	}
}

func silent(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func endless(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `[{"id":"`)
	block := bytes.Repeat([]byte("canary "), 10_000)
	for range 100 << 20 / len(block) {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
	_, _ = io.WriteString(w, `"}]`)
}

func announced(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "104857600")
	_, _ = io.WriteString(w, "[")
}

func small(o *Options) { o.MaxBody = 1 << 20 }

var nonsense = []fault{
	{name: "HTML with 200", handle: text("<html>canary</html>")},
	{name: "an empty body", handle: text("")},
	{name: "white space", handle: text(" \n\t")},
	{name: "204 where a value is expected", handle: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }},
	{name: "null", handle: text(" null")},
	{name: "an object where a list is expected", handle: text(`{"id":"canary"}`)},
	{name: "a number where a text is expected", handle: text(`[{"id":"1","name":12}]`)},
	{name: "a text where an object is expected", handle: text(`["canary"]`)},
	{name: "trailing garbage", handle: text(`[{"id":"1"}] canary`)},
	{name: "a second value", handle: text(`[{"id":"1"}][]`)},
	{name: "half a value", handle: text(`[{"id":"canary","na`)},
	{name: "half a body", handle: hijacked("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{\"id\":\"canary\"}")},
	{name: "half a chunked body", handle: hijacked("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[{\"id\r\n")},
	{name: "100 MiB", handle: endless},
	{name: "100 MiB announced", handle: announced},
	{name: "a redirect to nowhere", handle: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(302) }},
}

func TestAnAnswerThatMakesNoSenseIsUnavailableOrUnknown(t *testing.T) {
	for _, f := range nonsense {
		t.Run(f.name, func(t *testing.T) {
			s := newServer(t, f.handle)
			// The default limit once, a small one for speed: 32 MiB take seconds under the race detector.
			for _, api := range []*API{s.plain(t), s.enduring(t, TransportConfig{}, small)} {
				before := s.requests.Load()
				_, err := api.Do(t.Context(), Get("list things", "things"), &[]thing{})
				e := wantError(t, err, providers.Unavailable, providers.InvalidResponse)
				if strings.Contains(err.Error(), "canary") || e.Message != "" {
					t.Errorf("the error holds the body: %v", err)
				}
				if e.Err == nil || e.Status == 0 {
					t.Errorf("error = %+v, want a cause and a status", e)
				}
				if sent := s.requests.Load() - before; sent != 1 {
					t.Errorf("%d requests, want 1", sent)
				}
			}
		})
	}
}

func TestAWriteWhoseAnswerMakesNoSenseIsUnknown(t *testing.T) {
	for _, f := range nonsense {
		if strings.Contains(f.name, "redirect") {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			s := newServer(t, f.handle)
			_, err := s.enduring(t, TransportConfig{}, small).Do(t.Context(), Post("create thing", 1, "things"), &[]thing{})
			wantError(t, err, providers.OutcomeUnknown, providers.InvalidResponse)
			if got := s.requests.Load(); got != 1 {
				t.Errorf("%d requests, want 1", got)
			}
		})
	}
}

func TestABodyOfExactlyTheLimitIsRead(t *testing.T) {
	s := newServer(t, text(`[{"id":"1"}]`))
	for limit, want := range map[int64]providers.Kind{12: "", 11: providers.Unavailable} {
		var out []thing
		_, err := s.plain(t, func(o *Options) { o.MaxBody = limit }).Do(t.Context(), Get("list things", "things"), &out)
		if got := providers.KindOf(err); got != want {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

func TestTheLimitHoldsAfterDecompression(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("the client does not ask for compression")
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(zipped(t, "["+strings.Repeat(" ", 1<<20)+"]"))
	})
	_, err := s.plain(t, func(o *Options) { o.MaxBody = 64 << 10 }).Do(t.Context(), Get("list things", "things"), &[]thing{})
	wantError(t, err, providers.Unavailable, providers.InvalidResponse)
	if !errors.Is(err, errTooLarge) {
		t.Errorf("error = %v", err)
	}
}

func TestARequestThatCannotBeSentChangesNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + listener.Addr().String()
	_ = listener.Close()
	client := &http.Client{Transport: NewTransport(TransportConfig{Provider: "acme", Account: "main"})}
	for _, c := range []*http.Client{nil, client} {
		api := newAPI(t, nil, func(o *Options) { o.Base, o.Client = nobody, c })
		for _, call := range []Call{Get("get thing", "1"), Post("create thing", 1, "things"), Delete("delete thing", "1")} {
			_, err := api.Do(t.Context(), call, nil)
			e := wantError(t, err, providers.Unavailable, providers.Unreachable)
			if e.Err == nil || e.Err.Error() != "connection refused" {
				t.Errorf("error = %v", err)
			}
		}
	}
}

func TestAHostThatHasNoAddressIsUnreachable(t *testing.T) {
	dialer := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "api.acme.test"}}
	}}
	_, err := newAPI(t, dialer).Do(t.Context(), Post("create thing", 1, "things"), nil)
	e := wantError(t, err, providers.Unavailable, providers.Unreachable)
	if got := e.Error(); got != "acme: create thing: UNAVAILABLE (UNREACHABLE): the host name is not known" {
		t.Errorf("error = %q", got)
	}
}

func TestACertificateThatNobodyTrustsIsUnreachable(t *testing.T) {
	s := newTLSServer(t)
	api := newAPI(t, nil, func(o *Options) { o.Base, o.Client = s.URL, nil })
	_, err := api.Do(t.Context(), Post("create thing", 1, "things"), nil)
	wantError(t, err, providers.Unavailable, providers.Unreachable)
	if !errors.Is(err, errUntrusted) {
		t.Errorf("error = %v", err)
	}
}

func TestAConnectionThatBreaksAfterSendingLeavesAWriteUnknown(t *testing.T) {
	s := newServer(t, hijacked(""))
	for _, test := range []struct {
		call     Call
		kind     providers.Kind
		requests int32
	}{
		{Get("get thing", "1"), providers.Unavailable, 3},
		{Put("replace thing", 1, "1"), providers.OutcomeUnknown, 3},
		{Delete("delete thing", "1"), providers.OutcomeUnknown, 3},
		{Post("create thing", 1, "things"), providers.OutcomeUnknown, 1},
		{Patch("patch thing", 1, "1"), providers.OutcomeUnknown, 1},
	} {
		before := s.requests.Load()
		_, err := s.enduring(t, TransportConfig{}).Do(t.Context(), test.call, &thing{})
		wantError(t, err, test.kind, providers.Unreachable)
		if got := s.requests.Load() - before; got != test.requests {
			t.Errorf("%s: %d requests, want %d", test.call.Method, got, test.requests)
		}
	}
}

func TestSilenceEndsWithTheCallersDeadline(t *testing.T) {
	for name, handle := range map[string]http.HandlerFunc{"silent": silent, "dripping": dripping} {
		for kind, call := range map[providers.Kind]Call{
			providers.Unavailable:    Get("list things", "things"),
			providers.OutcomeUnknown: Post("create thing", 1, "things"),
		} {
			inBubble(t, name+" "+call.Method, handle, func(t *testing.T, s *server) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				begin := time.Now()
				_, err := s.enduring(t, TransportConfig{}).Do(ctx, call, &[]thing{})
				wantError(t, err, kind, providers.Timeout)
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error = %v", err)
				}
				if got := s.requests.Load(); got != 1 {
					t.Errorf("%d requests, want 1", got)
				}
				if took := time.Since(begin); took != time.Second {
					t.Errorf("it took %v, want 1s", took)
				}
			})
		}
	}
}

func TestSilenceEndsWithTheTimeOfOneTry(t *testing.T) {
	for _, test := range []struct {
		name     string
		handle   http.HandlerFunc
		call     Call
		kind     providers.Kind
		requests int32
	}{
		{"a silent read is tried again", silent, Get("list things", "things"), providers.Unavailable, 3},
		{"a silent create is not", silent, Post("create thing", 1, "things"), providers.OutcomeUnknown, 1},
		{"a body that drips is not read again", dripping, Get("list things", "things"), providers.Unavailable, 1},
		{"nor is a create's", dripping, Post("create thing", 1, "things"), providers.OutcomeUnknown, 1},
	} {
		inBubble(t, test.name, test.handle, func(t *testing.T, s *server) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := s.enduring(t, TransportConfig{Timeout: time.Second}).Do(ctx, test.call, &[]thing{})
			wantError(t, err, test.kind, providers.Timeout)
			if got := s.requests.Load(); got != test.requests {
				t.Errorf("%d requests, want %d", got, test.requests)
			}
		})
	}
}

func TestACallerWhoLeavesIsToldSoAtOnce(t *testing.T) {
	for name, handle := range map[string]http.HandlerFunc{"silent": silent, "dripping": dripping} {
		t.Run(name, func(t *testing.T) {
			arrived := make(chan struct{}, 1)
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				arrived <- struct{}{}
				handle(w, r)
			})
			for _, call := range []Call{Get("list things", "things"), Post("create thing", 1, "things")} {
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					<-arrived
					cancel()
				}()
				_, err := s.enduring(t, TransportConfig{}).Do(ctx, call, &[]thing{})
				wantError(t, err, providers.Canceled, "")
				if !errors.Is(err, context.Canceled) {
					t.Errorf("error = %v", err)
				}
			}
		})
	}
}

func TestACallersClientTimeoutIsATimeout(t *testing.T) {
	inBubble(t, "silent", silent, func(t *testing.T, s *server) {
		client := &http.Client{Transport: s.Client().Transport, Timeout: time.Second}
		_, err := s.plain(t, func(o *Options) { o.Client = client }).Do(t.Context(), Get("get thing", "1"), &thing{})
		wantError(t, err, providers.Unavailable, providers.Timeout)
	})
}

func TestConnectionsAreUsedAgainWhateverTheAnswer(t *testing.T) {
	answers := []http.HandlerFunc{
		text(`[]`), text(`{"id":12}`), text(`<html>`),
		func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, strings.Repeat("x", 20_000), http.StatusNotFound)
		},
		func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "x", http.StatusServiceUnavailable) },
		func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "x", http.StatusTooManyRequests) },
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
	}
	nth := 0
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) { answers[nth%len(answers)](w, r) })
	dials := 0
	base := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		dials++
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}
	defer base.CloseIdleConnections()
	for ; nth < 10*len(answers); nth++ {
		for _, call := range []Call{Get("list things", "things"), Delete("delete thing", "1")} {
			transport := NewTransport(TransportConfig{Base: base, Tries: 1}) // a new one, that no refusal has told to pause
			api := s.plain(t, func(o *Options) { o.Client = &http.Client{Transport: transport} })
			_, _ = api.Do(t.Context(), call, &[]thing{})
		}
	}
	// net/http gives a connection up when it did not learn within 50 ms that the request was written, as on a busy
	// machine. An answer after which no connection is used again would cost ten.
	if dials > 5 {
		t.Errorf("%d connections, want 1, or few", dials)
	}
}
