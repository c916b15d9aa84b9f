package emulator

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"regtok/providers"
)

func BenchmarkNewWithTwentyThousandTokens(b *testing.B) {
	for b.Loop() {
		start(b, providers.EmulatorOptions{Registries: 200, Tokens: 100})
	}
}

// The emulator stands behind the benchmarks of others, so its own share must be small.
func BenchmarkListOneHundredTokens(b *testing.B) {
	c := inside(b, providers.EmulatorOptions{Registries: 200, Tokens: 100})
	request := httptest.NewRequest("GET", registriesPath+"/"+fixedID("registry", "registry-0001")+"/tokens", nil)
	request.Header = c.header
	b.ReportAllocs()
	for b.Loop() {
		w := &blank{header: http.Header{}}
		c.options.Handler.ServeHTTP(w, request)
		if w.status != 200 {
			b.Fatalf("status %d", w.status)
		}
	}
}

// blank is an http.ResponseWriter that keeps only the status.
type blank struct {
	header http.Header
	status int
}

func (b *blank) Header() http.Header         { return b.header }
func (b *blank) WriteHeader(status int)      { b.status = status }
func (b *blank) Write(p []byte) (int, error) { return len(p), nil }
