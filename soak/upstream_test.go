package soak

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"regtok/providers/all"
)

func TestARefusalIsSeenWithWhatCameBefore(t *testing.T) {
	for _, driver := range all.Drivers() {
		t.Run(driver.Name, func(t *testing.T) {
			start := time.Now()
			u := emulate(t, driver, 2, 2, start, io.Discard)
			defer http.DefaultClient.CloseIdleConnections()
			// The paths of both are tried at both, for this knows none: a path that there is not counts as well.
			get := func() int {
				request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u.settings["base_url"].Reveal()+"/v2/organizations", nil)
				if err != nil {
					t.Fatal(err)
				}
				token := u.settings["token"]
				request.Header.Set("Authorization", "Bearer "+token.Reveal())
				response, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				return response.StatusCode
			}
			sent := 1
			for get() != http.StatusTooManyRequests {
				if sent++; sent > 1000 {
					t.Fatal("it refuses nothing")
				}
			}
			requests, refused := u.total()
			if requests != sent || refused != 1 || len(u.refused) != 1 || strings.Count(u.refused[0], "GET") != sent {
				t.Errorf("of %d requests %d were counted and %d refused, and the evidence is%s", sent, requests, refused, u.refused)
			}
			if u.minutes[0]["GET organizations"] != sent {
				t.Errorf("by minute and kind there are %v, want %d", u.minutes, sent)
			}
		})
	}
}

func TestAKindOfRequestIsTheShapeOfItsPath(t *testing.T) {
	for path, want := range map[string]string{
		"/v2/organizations":                                       "GET organizations",
		"/v2/packages/organizations/acme/registries":              "GET registries",
		"/v2/packages/organizations/acme/registries/r/tokens":     "GET tokens",
		"/v2/packages/organizations/acme/registries/r/tokens/1-2": "GET one of tokens",
		"/containerregistries/registries/1-2/tokens":              "GET tokens",
		"/containerregistries/registries/1-2":                     "GET one of registries",
		"/cloudapi/v6/contracts":                                  "GET contracts",
		"/containerregistries/registries":                         "GET registries",
	} {
		if got := (asked{method: "GET", path: path}).kind(); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}
