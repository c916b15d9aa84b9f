package rest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"regtok/providers"
)

const (
	testCredential = "canary-credential-7f3a"
	testScheme     = "Bearer " + testCredential
)

// upstream is a provider inside the process: no sockets, so that it can live in a synctest bubble.
type upstream func(req *http.Request) (*http.Response, error)

func (u upstream) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	return u(req)
}

func respond(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	return &http.Response{
		StatusCode: status, Header: h, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
	}
}

// newAPI is an API over an upstream inside the process.
func newAPI(t testing.TB, transport http.RoundTripper, change ...func(*Options)) *API {
	t.Helper()
	options := Options{
		Provider: "acme", Setting: "base_url", Base: "https://api.acme.test/v2",
		Authorization: providers.NewSecret(testScheme),
		Client:        &http.Client{Transport: transport},
	}
	for _, c := range change {
		c(&options)
	}
	api, err := New(options)
	if err != nil {
		t.Fatalf("New(%q) = %v", options.Base, err)
	}
	return api
}

// server is a provider on a loopback socket that counts its requests.
type server struct {
	*httptest.Server
	requests atomic.Int32
}

func newServer(t testing.TB, handle http.HandlerFunc) *server {
	t.Helper()
	s := unstarted(handle)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func unstarted(handle http.HandlerFunc) *server {
	s := &server{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		handle(w, r)
	}))
	return s
}

// plain is an API without a Transport; enduring is one with it.
func (s *server) plain(t testing.TB, change ...func(*Options)) *API {
	t.Helper()
	at := func(o *Options) { o.Base = s.URL + "/v2" }
	return newAPI(t, s.Client().Transport, append([]func(*Options){at}, change...)...)
}

func (s *server) enduring(t testing.TB, config TransportConfig, change ...func(*Options)) *API {
	t.Helper()
	config.Base = s.Client().Transport
	with := func(o *Options) { o.Client = &http.Client{Transport: NewTransport(config)} }
	return s.plain(t, append([]func(*Options){with}, change...)...)
}

type thing struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// wantError checks kind and reason, and that the error names provider and operation. It returns a copy to look at.
func wantError(t *testing.T, err error, kind providers.Kind, reason providers.Reason) providers.Error {
	t.Helper()
	e, ok := errors.AsType[*providers.Error](err)
	if !ok {
		t.Fatalf("error = %v, want a *providers.Error of kind %s", err, kind)
	}
	if e.Kind != kind || e.Reason != reason {
		t.Errorf("error = %v, want %s (%s)", e, kind, reason)
	}
	if e.Provider != "acme" || e.Op == "" {
		t.Errorf("error names provider %q and operation %q", e.Provider, e.Op)
	}
	return *e
}

func newTLSServer(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = io.WriteString(w, text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
