package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

// files stand for what npm builds.
var files = fstest.MapFS{
	".keep":                 {},
	"index.html":            {Data: []byte("<!doctype html>")},
	"index.html.gz":         {Data: []byte("zipped page")},
	"assets/main-Ab3d.js":   {Data: []byte("let it = 1")},
	"assets/font-Xy12.ttf":  {Data: []byte("glyphs")},
	"assets/icon-Cd34.svg":  {Data: []byte("<svg/>")},
	"assets/main-Ef56.css":  {Data: []byte("a{}")},
	"assets/other-Gh7.wasm": {Data: []byte("wasm")},
}

func TestEachFileIsTypedAndCachedForWhatItIs(t *testing.T) {
	const (
		askAgain = "no-cache"
		forever  = "public, max-age=31536000, immutable"
	)
	tests := []struct{ path, contentType, cacheControl, body string }{
		{"/playground", "text/html; charset=utf-8", askAgain, "<!doctype html>"},
		{"/playground/", "text/html; charset=utf-8", askAgain, "<!doctype html>"},
		{"/playground/assets/main-Ab3d.js", "text/javascript; charset=utf-8", forever, "let it = 1"},
		{"/playground/assets/main-Ef56.css", "text/css; charset=utf-8", forever, "a{}"},
		{"/playground/assets/font-Xy12.ttf", "font/ttf", forever, "glyphs"},
		{"/playground/assets/icon-Cd34.svg", "image/svg+xml", forever, "<svg/>"},
		{"/playground/assets/other-Gh7.wasm", "application/octet-stream", forever, "wasm"},
	}
	for _, test := range tests {
		t.Run(test.path, func(t *testing.T) {
			got := get(t, test.path, nil)
			check(t, got, http.StatusOK, map[string]string{
				"Content-Type": test.contentType, "Cache-Control": test.cacheControl,
			})
			if got.Body.String() != test.body {
				t.Errorf("body = %q, want %q", got.Body, test.body)
			}
		})
	}
}

func TestEveryAnswerForbidsWhatComesFromElsewhere(t *testing.T) {
	for _, path := range []string{"/playground", "/playground/assets/main-Ab3d.js", "/playground/nowhere"} {
		header := get(t, path, nil).Header()
		policy := header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: policy %q lacks %s", path, policy, want)
			}
		}
		for _, loose := range []string{"script-src", "unsafe-eval", "http", "*"} {
			if strings.Contains(policy, loose) {
				t.Errorf("%s: policy %q holds %s", path, policy, loose)
			}
		}
		if got := header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%s: X-Content-Type-Options = %q, want nosniff", path, got)
		}
	}
}

func TestAFileThatTheBrowserHasIsNotSentAgain(t *testing.T) {
	etag := get(t, "/playground", nil).Header().Get("ETag")
	if etag == "" {
		t.Fatal("the page has no ETag")
	}
	again := get(t, "/playground", http.Header{"If-None-Match": {etag}})
	check(t, again, http.StatusNotModified, nil)
	changed := fstest.MapFS{"index.html": {Data: []byte("<!doctype html>new")}}
	request := httptest.NewRequest(http.MethodGet, "/playground", nil)
	request.Header.Set("If-None-Match", etag)
	check(t, serve(changed, request), http.StatusOK, nil)
}

func TestTheCompressedFileGoesToWhoeverTakesIt(t *testing.T) {
	const plain, zipped = "<!doctype html>", "zipped page"
	tests := []struct{ accept, body, encoding string }{
		{"", plain, ""},
		{"br", plain, ""},
		{"gzip;q=0", plain, ""},
		{"gzip", zipped, "gzip"},
		{"deflate, gzip;q=0.5, br", zipped, "gzip"},
	}
	etags := map[string]string{}
	for _, test := range tests {
		got := get(t, "/playground", http.Header{"Accept-Encoding": {test.accept}})
		check(t, got, http.StatusOK, map[string]string{
			"Content-Encoding": test.encoding, "Vary": "Accept-Encoding", "Content-Type": "text/html; charset=utf-8",
		})
		if got.Body.String() != test.body {
			t.Errorf("Accept-Encoding %q: body = %q, want %q", test.accept, got.Body, test.body)
		}
		etags[test.body] = got.Header().Get("ETag")
	}
	if etags[plain] == etags[zipped] {
		t.Errorf("the plain and the compressed page share the ETag %s", etags[plain])
	}
}

func TestOnlyWhatTheBuildMadeIsServed(t *testing.T) {
	for _, path := range []string{
		"/playground/nowhere", "/playground/.keep", "/playground/index.html.gz", "/playground/assets", "/playground/assets/",
		"/playground//index.html", "/playground/../web.go", "/playground/assets/../../web.go", "/playground/..%2fweb.go",
		"/playground/assets/..%5c..%5cweb.go", "/playground/%00", "/playground//etc/passwd", "/playgrounds",
	} {
		check(t, get(t, path, nil), http.StatusNotFound, nil)
	}
}

func TestThePlaygroundIsOnlyRead(t *testing.T) {
	head := serve(files, httptest.NewRequest(http.MethodHead, "/playground", nil))
	check(t, head, http.StatusOK, map[string]string{"Content-Type": "text/html; charset=utf-8"})
	if head.Body.Len() > 0 {
		t.Errorf("HEAD answered with a body: %q", head.Body)
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		got := serve(files, httptest.NewRequest(method, "/playground", nil))
		check(t, got, http.StatusMethodNotAllowed, map[string]string{"Allow": "GET, HEAD"})
	}
}

func TestWithoutABuiltPageTheAnswerSaysHowToBuildIt(t *testing.T) {
	unbuilt := fstest.MapFS{".keep": {}}
	for _, path := range []string{"/playground", "/playground/", "/playground/assets/main-Ab3d.js"} {
		got := serve(unbuilt, httptest.NewRequest(http.MethodGet, path, nil))
		check(t, got, http.StatusServiceUnavailable, map[string]string{
			"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store",
		})
		for _, want := range []string{"make build", "npm ci && npm run build"} {
			if !strings.Contains(got.Body.String(), want) {
				t.Errorf("%s: body %q lacks %q", path, got.Body, want)
			}
		}
	}
}

func get(t *testing.T, path string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, path, nil)
	for name, values := range header {
		request.Header[name] = values
	}
	return serve(files, request)
}

func serve(files fstest.MapFS, request *http.Request) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	newPlayground(files).ServeHTTP(recorder, request)
	return recorder
}

func check(t *testing.T, got *httptest.ResponseRecorder, status int, header map[string]string) {
	t.Helper()
	if got.Code != status {
		t.Errorf("status = %d, want %d", got.Code, status)
	}
	for name, want := range header {
		if got := got.Header().Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}
