package rest

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"regtok/providers"
)

// benchToken has the shape of a vendor's token, with what adapters leave out in the JSON around it.
type benchToken struct {
	ID          string    `json:"id"`
	Description string    `json:"description"`
	CreatedAt   time.Time `json:"created_at"`
	CreatedBy   *struct {
		ID    string `json:"id"`
		Name  string `json:"name"`
		Email string `json:"email"`
	} `json:"created_by"`
}

func benchTokens(n int) []byte {
	var out bytes.Buffer
	for i := range n {
		fmt.Fprintf(&out, `,{"id":"0199c0de-aa51-70d0-8a5f-%012d","graphql_id":"UmVnaXN0cnlUb2tlbi0tLTAxOTljMGRlLWFhNTEtNzBkMC04YTVm%08d",
"description":"token %d","url":"https://api.acme.test/v2/packages/organizations/acme-inc/registries/images/tokens/%d","created_at":"2026-09-03T06:46:39.441Z",
"created_by":{"id":"0191b13b-0eb6-470d-a4c0-2085974f3580","graphql_id":"VXNlci0tLTAxOTFiMTNi","name":"Ada","email":"ada@acme.test","avatar_url":null,"created_at":"2024-09-02T05:35:23.318Z"},
"organization":{"id":"0190aaaa-1111-7222-8333-444455556666","slug":"acme-inc","url":"https://api.acme.test/v2/organizations/acme-inc","web_url":"https://acme.test/acme-inc"},
"registry":{"id":"018f56ef-9ef4-70f0-aba2-0f4578e3d69d","slug":"images","url":"https://api.acme.test/v2/packages/organizations/acme-inc/registries/images"}}`, i, i, i, i)
	}
	if n > 0 {
		out.Bytes()[0] = '['
	}
	out.WriteByte(']')
	return out.Bytes()
}

// BenchmarkDo is a whole call without a socket: what this package adds to a round trip.
func BenchmarkDo(b *testing.B) {
	for _, n := range []int{1, 100} {
		body := benchTokens(n)
		source := upstream(func(*http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: 200, Header: http.Header{}, ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
			}, nil
		})
		for _, over := range []struct {
			name      string
			transport http.RoundTripper
		}{{"plain", source}, {"enduring", NewTransport(TransportConfig{Base: source, Limits: meter})}} {
			b.Run(fmt.Sprintf("tokens=%d/%s", n, over.name), func(b *testing.B) {
				api, err := New(Options{
					Provider: "acme", Base: "https://api.acme.test", Client: &http.Client{Transport: over.transport},
					Authorization: providers.NewSecret(testScheme),
				})
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					var out []benchToken
					if _, err := api.Do(b.Context(), Get("list tokens", "tokens"), &out); err != nil || len(out) != n {
						b.Fatal(len(out), err)
					}
				}
			})
		}
	}
}

// BenchmarkDecode measures the decoder against encoding/json on the same stream.
func BenchmarkDecode(b *testing.B) {
	body := benchTokens(100)
	for name, decode := range map[string]func(io.Reader, any) error{
		"ours":          func(r io.Reader, out any) error { return decodeJSON(r, defaultMaxBody, out) },
		"encoding-json": func(r io.Reader, out any) error { return stdjson.NewDecoder(r).Decode(out) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				var out []benchToken
				if err := decode(bytes.NewReader(body), &out); err != nil || len(out) != 100 {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRoundTrip is a call over a loopback socket, bare and with everything.
func BenchmarkRoundTrip(b *testing.B) {
	body := benchTokens(1)
	s := newServer(b, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			resp, err := s.Client().Get(s.URL + "/v2/tokens")
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	})
	b.Run("enduring", func(b *testing.B) {
		api := s.enduring(b, TransportConfig{Limits: meter})
		b.ReportAllocs()
		for b.Loop() {
			var out []benchToken
			if _, err := api.Do(b.Context(), Get("list tokens", "tokens"), &out); err != nil {
				b.Fatal(err)
			}
		}
	})
}
