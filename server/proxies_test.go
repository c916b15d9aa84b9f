package server_test

import (
	"io"
	"net/http"
	"net/netip"
	"testing"

	"regtok/server"
)

// tellsFrom answers with the address that a request is taken to come from.
var tellsFrom = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) })

func TestWhereARequestComesFrom(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	trusting := start(t, server.Config{GraphQL: tellsFrom, Proxies: proxies})
	tests := []struct {
		name      string
		forwarded []string
		want      string // "": the connection's own
	}{
		{"nothing is said", nil, ""},
		{"of one caller", []string{"192.0.2.1"}, "192.0.2.1"},
		{"with a port", []string{"192.0.2.1:4711"}, "192.0.2.1"},
		{"with IPv6", []string{"[2001:0dc8::1]:80"}, "2001:dc8::1"},
		{"IPv4 within IPv6", []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		{"through two proxies", []string{"192.0.2.1, 10.1.2.3"}, "192.0.2.1"},
		{"through two proxies, in two lines", []string{"192.0.2.1", "10.1.2.3"}, "192.0.2.1"},
		{"what the caller made up", []string{"198.51.100.7, 192.0.2.1, 10.1.2.3"}, "192.0.2.1"},
		{"what the caller made up of a proxy", []string{"198.51.100.7, 10.9.9.9, 192.0.2.1"}, "192.0.2.1"},
		{"proxies alone", []string{"10.1.2.3, 2001:db8::5"}, "10.1.2.3"},
		{"no address", []string{"unknown"}, ""},
		{"no address behind a proxy", []string{"192.0.2.1, <script>, 10.1.2.3"}, "10.1.2.3"},
		{"empty", []string{""}, ""},
		{"an empty place", []string{"192.0.2.1,, 10.1.2.3"}, "10.1.2.3"},
	}
	for _, test := range tests {
		var headers []string
		for _, line := range test.forwarded {
			headers = append(headers, "X-Forwarded-For", line)
		}
		got := trusting.do(t, http.MethodPost, "/graphql", "", headers...).text
		if own, err := netip.ParseAddrPort(got); test.want == "" && (err != nil || !own.Addr().IsLoopback()) || test.want != "" && got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	for name, w := range map[string]*world{
		"nobody is trusted":        start(t, server.Config{GraphQL: tellsFrom}),
		"another proxy is trusted": start(t, server.Config{GraphQL: tellsFrom, Proxies: proxies[1:]}),
	} {
		got := w.do(t, http.MethodPost, "/graphql", "", "X-Forwarded-For", "192.0.2.1").text
		if own, err := netip.ParseAddrPort(got); err != nil || !own.Addr().IsLoopback() {
			t.Errorf("where %s: %s, want the connection's own", name, got)
		}
	}
}
