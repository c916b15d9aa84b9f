package server_test

import (
	"net/http"
	"testing"

	"regtok/server"
)

func TestForeignNamesAreRefused(t *testing.T) {
	w := start(t, server.Config{GraphQL: says("an answer"), Hosts: []string{"regtok.example"}})
	tests := []struct {
		host    string
		allowed bool
	}{
		{"localhost", true},
		{"LOCALHOST:8080", true},
		{"localhost.", true},
		{"regtok.localhost:8080", true},
		{"127.0.0.1", true},
		{"127.0.0.1:1", true},
		{"[::1]:8080", true},
		{"[::1]", true},
		{"regtok.example", true},
		{"Regtok.Example:443", true},
		{"evil.example", false},
		{"evil.example:8080", false},
		{"localhost.evil.example", false},
		{"127.0.0.1.evil.example", false},
		{"evillocalhost", false},
		{"192.168.0.10:8080", false},
		{"0.0.0.0:8080", false},
	}
	for _, test := range tests {
		got := w.do(t, http.MethodPost, "/graphql", "{}", "Host", test.host)
		if allowed := got.StatusCode == http.StatusOK; allowed != test.allowed {
			t.Errorf("Host %s: answered %d %s, want allowed: %t", test.host, got.StatusCode, got.text, test.allowed)
		}
		if !test.allowed && got.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("Host %s: answered %d, want 421", test.host, got.StatusCode)
		}
	}
}

func TestBrowsersAreToldToBeCareful(t *testing.T) {
	w := start(t, server.Config{GraphQL: says("an answer"), SDL: "type Query"})
	for _, path := range []string{"/graphql", "/schema.graphqls", "/", "/nowhere"} {
		got := w.do(t, http.MethodGet, path, "")
		want := map[string]string{
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Strict-Transport-Security":    "", // it came without TLS
			"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'",
			"Cache-Control":                "no-store",
		}
		if path == "/schema.graphqls" {
			want["Cache-Control"] = "no-cache"
		}
		for name, value := range want {
			if got := got.Header.Get(name); got != value {
				t.Errorf("%s: %s = %q, want %q", path, name, got, value)
			}
		}
	}
}
