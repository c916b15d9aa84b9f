package rest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"regtok/providers"
)

var redirects = []int{301, 302, 303, 307, 308}

func TestARedirectToAnotherHostIsRefusedAndTheCredentialStays(t *testing.T) {
	elsewhere := newServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"id":"evil"}`) })
	other := strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)
	for _, status := range redirects {
		for _, target := range []string{
			elsewhere.URL + "/v2/things/1", other + "/v2/things/1", strings.TrimPrefix(elsewhere.URL, "http:") + "/v2/things/1",
			"https://127.0.0.1/", "ftp://127.0.0.1/", "http://user:password@127.0.0.1/",
		} {
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", target)
				w.WriteHeader(status)
			})
			for _, call := range []Call{Get("get thing", "things", "1"), Post("create thing", 1, "things"), Delete("delete thing", "things", "1")} {
				for _, api := range []*API{s.plain(t), s.enduring(t, TransportConfig{})} {
					before := s.requests.Load()
					_, err := api.Do(t.Context(), call, &thing{})
					wantError(t, err, providers.Unavailable, providers.InvalidResponse)
					if got := s.requests.Load() - before; got != 1 {
						t.Errorf("%s, %d to %s: %d requests, want 1", call.Method, status, target, got)
					}
				}
			}
		}
	}
	if got := elsewhere.requests.Load(); got != 0 {
		t.Errorf("%d requests arrived elsewhere", got)
	}
}

func TestARedirectToPlainHTTPIsRefused(t *testing.T) {
	requests := 0
	api := newAPI(t, upstream(func(req *http.Request) (*http.Response, error) {
		requests++
		return respond(301, "", "Location", "http://api.acme.test/v2/things/1"), nil
	}))
	_, err := api.Do(t.Context(), Get("get thing", "things", "1"), &thing{})
	wantError(t, err, providers.Unavailable, providers.InvalidResponse)
	if requests != 1 {
		t.Errorf("%d requests, want 1", requests)
	}
}

func TestARedirectWithinTheHostIsFollowedForReadsOnly(t *testing.T) {
	for _, status := range redirects {
		s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v2/new" {
				if r.Header.Get("Authorization") != testScheme {
					t.Errorf("Authorization = %q", r.Header.Get("Authorization"))
				}
				_, _ = io.WriteString(w, `{"id":"1"}`)
				return
			}
			http.Redirect(w, r, "/v2/new", status)
		})
		var out thing
		if _, err := s.enduring(t, TransportConfig{}).Do(t.Context(), Get("get thing", "old"), &out); err != nil || out.ID != "1" {
			t.Errorf("%d: out = %+v, error %v", status, out, err)
		}
		before := s.requests.Load()
		for _, call := range []Call{Post("create thing", 1, "old"), Put("replace thing", 1, "old"), Delete("delete thing", "old")} {
			_, err := s.enduring(t, TransportConfig{}).Do(t.Context(), call, nil)
			wantError(t, err, providers.Unavailable, providers.InvalidResponse)
		}
		if got := s.requests.Load() - before; got != 3 {
			t.Errorf("%d: %d requests for 3 writes", status, got)
		}
	}
}

func TestRedirectsThatNeverEndAreCut(t *testing.T) {
	nth := 0
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		nth++
		http.Redirect(w, r, fmt.Sprintf("/v2/%d", nth), http.StatusFound)
	})
	_, err := s.plain(t).Do(t.Context(), Get("get thing", "0"), &thing{})
	wantError(t, err, providers.Unavailable, providers.InvalidResponse)
	if got := s.requests.Load(); got != 6 {
		t.Errorf("%d requests, want 6", got)
	}
}
