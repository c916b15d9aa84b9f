package emulator

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"regtok/providers"
)

func FuzzAnyRequestIsAnsweredWithJSONOrNothing(f *testing.F) {
	for _, seed := range []struct{ method, path, query, body string }{
		{"GET", "/v2/organizations", "page=2&per_page=1", ""},
		{"GET", images + "/tokens", "page=-1", ""},
		{"POST", acme, "", `{"name":"a b","ecosystem":"ruby","team_ids":["x"],"oidc_policy":[{}]}`},
		{"PUT", images, "", `{"name":"x","description":null,"emoji":1}`},
		{"POST", images + "/tokens", "%zz", `{"description":"é\u0000"}`},
		{"PATCH", images + "/tokens/x", "", `[`},
		{"DELETE", acme + "/a%2f..", "", ""},
	} {
		f.Add(seed.method, seed.path, seed.query, seed.body)
	}
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		e, err := New(providers.EmulatorOptions{Choices: map[string]string{paginateLists: "always"}})
		if err != nil {
			t.Fatal(err)
		}
		request := &http.Request{
			Method: method,
			URL:    &url.URL{Path: path, RawQuery: query},
			Host:   "bk.test",
			Header: http.Header{"Authorization": {"Bearer x"}},
			Body:   http.NoBody,
		}
		if body != "" {
			request.Body = httptest.NewRequest("POST", "/", strings.NewReader(body)).Body
		}
		recorder := httptest.NewRecorder()
		e.Handler.ServeHTTP(recorder, request)
		if recorder.Code >= 500 {
			t.Errorf("%q %q %q: status %d", method, path, body, recorder.Code)
		}
		if got := recorder.Body.Bytes(); len(got) > 0 && !json.Valid(got) {
			t.Errorf("%q %q %q: body %q", method, path, body, got)
		}
	})
}
