package server_test

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/server"
)

func TestTheLineOfARequestTellsWhoAskedAndFromWhere(t *testing.T) {
	w, _, ci := guarded(t, server.Config{GraphQL: tellsWho, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	w.do(t, http.MethodPost, "/graphql", "", "Authorization", ci, "X-Forwarded-For", "192.0.2.1")
	w.do(t, http.MethodPost, "/graphql", "", "X-Forwarded-For", "192.0.2.2")
	w.do(t, http.MethodPost, "/graphql", "", "Authorization", "Basic "+ci)
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	type told struct{ Path, From, Caller string }
	var got []told
	for line := range strings.Lines(w.log.String()) {
		var l struct {
			Msg string
			told
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if l.Msg == "request" {
			got = append(got, l.told)
		}
	}
	want := []told{{"/graphql", "192.0.2.1", "ci"}, {"/graphql", "192.0.2.2", ""}, {"/graphql", "127.0.0.1", ""}}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("the lines tell (-got +want):\n%s", diff)
	}
}
