package providertest

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"regtok/providers"
)

// wireCases need real connections.
func wireCases() []testCase {
	return []testCase{
		{"an answer that is nonsense is UNAVAILABLE, and is not repeated to anyone", nonsense, false},
		{"an answer of another shape is never taken for an empty one", wrongShape, false},
		{"half an answer is UNAVAILABLE", halfAnswer, false},
		{"100 MiB are not read", hugeAnswer, false},
		{"a redirect to another host is refused, and nothing is sent there", redirected, false},
		{"a broken connection is UNAVAILABLE", reset, false},
	}
}

// bounded is long enough for everything on loopback, and ends what hangs.
const bounded = 20 * time.Second

// tryBroken calls each method while all answers are broken: reads are Unavailable, writes OutcomeUnknown, or what
// else they may be.
func (r *rig) tryBroken(t *testing.T, what string, answer http.HandlerFunc, methods []method, writesToo ...providers.Kind) {
	t.Helper()
	r.provider = r.warm(t)
	r.spoilAll(answer)
	defer r.tap.Spoil(nil)
	for _, m := range methods {
		ctx, cancel := context.WithTimeout(t.Context(), bounded)
		value, err := m.call(ctx, r.provider, r.world)
		cancel()
		if r.managesWithout(t, m.name+": "+what, m, value, err) {
			continue
		}
		want := []providers.Kind{providers.Unavailable}
		if m.writes {
			want = append(writesToo, providers.OutcomeUnknown)
		}
		e := r.wantKind(t, m.name+": "+what, err, want...)
		if strings.Contains(e.Error()+e.Message, canary) {
			t.Errorf("%s: %s: the body is in the error: %v", m.name, what, e)
		}
	}
}

// reading are the methods that need the answer's body. A delete does not.
func (r *rig) reading() []method {
	all := r.methods()
	return all[:len(all)-1]
}

func nonsense(t *testing.T, s subject) {
	r := s.newRig(t, options{tries: 1})
	for _, text := range []string{
		"", " ", canary, "<!doctype html><title>" + canary + "</title>", `{"` + canary, `[{"` + canary + `":`, `"` + canary, "\x00\xff" + canary,
		`{"id":"` + canary + `"} trailing`, `[] []`, strings.Repeat("{\"a\":", 100_000), strings.Repeat("[", 1_000_000),
	} {
		r.tryBroken(t, fmt.Sprintf("answered %.40q", text), func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, text)
		}, r.reading())
	}
}

// wrongShape answers with JSON that is not what was asked for. An empty array can be an answer to a list.
func wrongShape(t *testing.T, s subject) {
	r := s.newRig(t, options{tries: 1})
	answer := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
	}
	for _, text := range []string{
		`null`, `true`, `7`, `"text"`, `{}`, `[{}]`, `[null]`, `[[]]`, `[7]`, `{"id":7}`, `{"id":null}`, `{"items":7}`, `{"items":{}}`,
		`{"items":[{}]}`, `{"items":[null]}`, `[{"id":{}}]`, `[{"id":""}]`, `{"id":"","items":[{"id":""}]}`, `{"error":"` + canary + `"}`,
		`{"data":[]}`, `{"message":"` + canary + `"}`,
	} {
		r.tryBroken(t, "answered "+text, answer(text), r.reading())
	}
	var items []method
	for _, m := range r.reading() {
		if m.name == "Token" || m.name == "User" || m.name == "CredentialExpiry" || m.writes {
			items = append(items, m)
		}
	}
	r.tryBroken(t, "answered []", answer(`[]`), items)
	r.tryBroken(t, `answered {"items":[]}`, answer(`{"items":[]}`), items)
}

// genuine is the emulator's own answer.
func (r *rig) genuine(req *http.Request) (int, []byte) {
	w := httptest.NewRecorder()
	r.emulator.Handler.ServeHTTP(w, req)
	return w.Code, w.Body.Bytes()
}

func halfAnswer(t *testing.T, s subject) {
	for what, cut := range map[string]func(http.ResponseWriter, []byte){
		"its length announced": func(w http.ResponseWriter, body []byte) {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			_, _ = w.Write(body[:len(body)/2])
		},
		"in chunks": func(w http.ResponseWriter, body []byte) {
			_, _ = w.Write(body[:len(body)/2])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		},
		"but for a byte": func(w http.ResponseWriter, body []byte) {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			_, _ = w.Write(body[:len(body)-1])
		},
		"as if it were whole": func(w http.ResponseWriter, body []byte) { _, _ = w.Write(body[:len(body)/2]) },
	} {
		r := s.newRig(t, options{tries: 1})
		r.tryBroken(t, "half an answer, "+what, func(w http.ResponseWriter, req *http.Request) {
			_, body := r.genuine(req)
			cut(w, body)
		}, r.reading())
	}
}

// hugeAnswer offers 100 MiB to an account that takes little. White space keeps any decoder reading.
func hugeAnswer(t *testing.T, s subject) {
	const offered, accepted = 100 << 20, 64 << 10
	blank := bytes.Repeat([]byte(" "), 1<<20)
	var member bytes.Buffer
	zip := gzip.NewWriter(&member)
	if _, err := zip.Write(blank); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	packed := bytes.Repeat(member.Bytes(), offered/len(blank)) // members in a row are one stream
	r := s.newRig(t, options{tries: 1, maxBody: accepted})
	var most atomic.Int64
	r.tryBroken(t, "100 MiB", func(w http.ResponseWriter, _ *http.Request) {
		var sent int64
		for sent < offered {
			n, err := w.Write(blank)
			if sent += int64(n); err != nil {
				break
			}
		}
		for old := most.Load(); old < sent && !most.CompareAndSwap(old, sent); old = most.Load() {
		}
	}, r.reading())
	// Buffers on the way hold a few MiB more than was read.
	if got := most.Load(); got > offered/4 {
		t.Errorf("%d MiB were taken off the wire, and %d KiB are accepted", got>>20, accepted>>10)
	}
	r.tryBroken(t, "100 MiB in a small parcel", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed)
	}, r.reading())
	r.tryBroken(t, "a refusal of 100 MiB", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		for sent := 0; sent < offered; sent += len(blank) {
			if _, err := w.Write(blank); err != nil {
				return
			}
		}
	}, r.methods())
}

func redirected(t *testing.T, s subject) {
	var strangers atomic.Int64
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		strangers.Add(1)
		_, _ = io.WriteString(w, "{}")
	}))
	defer stranger.Close()
	_, port, err := net.SplitHostPort(stranger.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	r := s.newRig(t, options{tries: 1})
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, host := range []string{"127.0.0.1:" + port, "localhost:" + port, "user:password@127.0.0.1:" + port} {
			what := fmt.Sprintf("redirected with %d to %s", status, host)
			r.tryBroken(t, what, func(w http.ResponseWriter, req *http.Request) {
				w.Header().Set("Location", "http://"+host+req.URL.RequestURI())
				w.WriteHeader(status)
			}, r.methods(), providers.Unavailable)
		}
	}
	if n := strangers.Load(); n != 0 {
		t.Errorf("%d requests went to another host", n)
	}
}

func reset(t *testing.T, s subject) {
	r := s.newRig(t, options{tries: 1})
	r.tryBroken(t, "a reset connection", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}, r.methods())
}
