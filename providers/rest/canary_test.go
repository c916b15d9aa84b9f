package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"regtok/providers"
)

// leaks matches what must be nowhere: of the credential, of the answer, of the address, of the request. A port is a whole
// number: a log's durations may begin with the same digits.
func leaks(s *server) *regexp.Regexp {
	at, _ := url.Parse(s.URL)
	return regexp.MustCompile(testCredential + `|canary-(body|header|query|input|path)|127\.0\.0\.1|:` + at.Port() + `\b`)
}

func TestNothingOfARequestOrAnAnswerIsInErrorsLogsAndObservations(t *testing.T) {
	const body = `{"message":"canary-body","token":"canary-body"}`
	header := func(w http.ResponseWriter) {
		w.Header().Set("X-Request", "canary-header")
		w.Header().Set("Link", `<https://canary-header.test/?x=canary-query>; rel="next"`)
	}
	answers := map[string]http.HandlerFunc{
		"silent": silent, "dripping": dripping, "endless": endless,
		"reset": hijacked(""), "no HTTP": hijacked("canary-body\r\n\r\n"), "a wrong header": hijacked("HTTP/1.1 200 OK\r\ncanary-header\r\n\r\n"),
		"half a body": hijacked("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + body),
		"a wrong zip": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, body)
		},
		"other shapes": text(`{"id":{"canary-body":["canary-body"]}}`),
		"other values": text(`{"id":"canary-body\u0000","name":1}`),
		"other names":  text(`{"id":"1","canary-body`),
		"no JSON":      text("canary-body"),
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://canary-header.test/canary-path?canary-query", http.StatusTemporaryRedirect)
		},
		"a redirect that is no URL": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://canary-header:port/")
			w.WriteHeader(http.StatusFound)
		},
	}
	for _, status := range []int{200, 302, 400, 401, 403, 404, 409, 415, 422, 429, 500, 503} {
		answers[http.StatusText(status)] = func(w http.ResponseWriter, _ *http.Request) {
			header(w)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, handle := range answers {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, handle)
			var logged, observed bytes.Buffer
			transport := NewTransport(TransportConfig{
				Provider: "acme", Account: "main", Base: s.Client().Transport,
				Timeout: 50 * time.Millisecond, BreakerFailures: 2,
				Log:     slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
				Observe: func(o Observation) { fmt.Fprintf(&observed, "%+v\n", o) },
			})
			enduring := s.plain(t, small, canary(&http.Client{Transport: transport}))
			plain := s.plain(t, canary(&http.Client{Transport: s.Client().Transport, Timeout: 200 * time.Millisecond}))
			said := errorTexts(t, plain) + errorTexts(t, enduring)
			said += fmt.Sprintf("%+v", transport.Health()) + logged.String() + observed.String()
			if at := leaks(s).FindStringIndex(said); at != nil {
				t.Errorf("%q is in %q", said[at[0]:at[1]], said[max(0, at[0]-200):min(len(said), at[0]+100)])
			}
			if observed.Len() == 0 {
				t.Error("nothing was observed")
			}
		})
	}
}

func TestNothingOfAnAddressThatNobodyAnswersIsInErrorsAndLogs(t *testing.T) {
	s := newServer(t, func(http.ResponseWriter, *http.Request) {})
	s.Close()
	var logged bytes.Buffer
	transport := NewTransport(TransportConfig{
		Base: &http.Transport{}, BreakerFailures: 4, Log: slog.New(slog.NewTextHandler(&logged, nil)),
	})
	said := errorTexts(t, s.plain(t, canary(&http.Client{Transport: transport}))) + logged.String()
	if leak := leaks(s).FindString(said); leak != "" {
		t.Errorf("%q is in %q", leak, said)
	}
	if !strings.Contains(logged.String(), "provider asked again") || !strings.Contains(logged.String(), "circuit opened") {
		t.Errorf("the log says %q", logged.String())
	}
}

// canary makes an API whose adapter passes everything on that it may.
func canary(client *http.Client) func(*Options) {
	return func(o *Options) {
		o.Client = client
		o.Header = http.Header{"X-Key": {"canary-header"}}
		o.Explain = func(_ int, _ http.Header, body []byte) Explanation {
			text := string(body)
			return Explanation{Message: text, Field: text, RequiredScope: text}
		}
	}
}

// errorTexts are all ways to print the errors of a read, a write and a link.
func errorTexts(t *testing.T, api *API) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var said strings.Builder
	for _, call := range []Call{
		Get("get thing", "canary-path"),
		Put("replace thing", map[string]string{"secret": "canary-input"}, "canary-path"),
		Post("create thing", map[string]string{"secret": "canary-input"}, "canary-path"),
	} {
		call.Query = url.Values{"key": {"canary-query"}}
		answer, err := api.Do(ctx, call, &thing{})
		_, _, linkErr := api.NextLink(answer, call)
		for _, err := range []error{err, linkErr} {
			if e, ok := errors.AsType[*providers.Error](err); ok {
				e.Message = "" // the one place for the vendor's words
				text, _ := json.Marshal(*e)
				fmt.Fprintf(&said, "%+v %#v %s\n", *e, *e, text)
			}
			for ; err != nil; err = errors.Unwrap(err) {
				fmt.Fprintf(&said, "%v %+v %s %q\n", err, err, err, err)
			}
		}
	}
	return said.String()
}

func TestConcurrentCallersDoNotDisturbEachOther(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/slow"):
			<-r.Context().Done()
		case strings.HasSuffix(r.URL.Path, "/missing"):
			w.WriteHeader(http.StatusNotFound)
		default:
			w.Header().Set("Limit", "100000")
			w.Header().Set("Remaining", "99999")
			w.Header().Set("Reset", "60")
			fmt.Fprintf(w, `{"id":%q}`, r.URL.Path)
		}
	})
	transport := NewTransport(TransportConfig{Limits: meter})
	api := s.plain(t, func(o *Options) { o.Client = &http.Client{Transport: transport} })
	done := make(chan struct{})
	for i := range 32 {
		go func() {
			defer func() { done <- struct{}{} }()
			for j := range 20 {
				id := fmt.Sprint(i*100 + j)
				var out thing
				if _, err := api.Do(t.Context(), Get("get thing", id), &out); err != nil || out.ID != "/v2/"+id {
					t.Errorf("%s: %+v, %v", id, out, err)
				}
				_, err := api.Do(t.Context(), Get("get thing", "missing"), &out)
				wantKind(t, err, providers.NotFound)
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Millisecond, cancel)
				_, err = api.Do(ctx, Get("get thing", "slow"), &out)
				wantKind(t, err, providers.Canceled)
				if h := transport.Health(); !h.Healthy {
					t.Errorf("health = %+v", h)
				}
			}
		}()
	}
	for range 32 {
		<-done
	}
}

func wantKind(t *testing.T, err error, want providers.Kind) {
	t.Helper()
	if got := providers.KindOf(err); got != want {
		t.Errorf("error = %v, want %s", err, want)
	}
}
