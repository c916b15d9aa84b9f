package emulator

import (
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
)

// refusals tries every operation and compares the scopes that were missing.
func (c *client) refusals(want []string) {
	c.t.Helper()
	const prefix, suffix = "Your access token doesn't have the ", " scope"
	var missing []string
	for _, try := range []struct{ method, path string }{
		{"GET", "/v2/user"},
		{"GET", "/v2/access-token"},
		{"GET", "/v2/organizations"},
		{"GET", "/v2/organizations/acme-inc"},
		{"GET", "/v2/organizations/acme-inc/members"},
		{"GET", "/v2/organizations/acme-inc/members/" + unknownID},
		{"GET", acme},
		{"GET", images},
		{"GET", images + "/tokens"},
		{"GET", images + "/tokens/" + unknownID},
		{"POST", acme},
		{"POST", images},
		{"POST", images + "/tokens"},
		{"POST", images + "/tokens/" + unknownID},
		{"DELETE", images + "/tokens/" + unknownID},
		{"DELETE", images},
		{"GET", "/v2/organizations/acme-inc/rate_limit"},
	} {
		if r := c.send(try.method, try.path, "{}"); r.status == 403 {
			message := r.object()["message"].(string)
			missing = append(missing, strings.TrimSuffix(strings.TrimPrefix(message, prefix), suffix))
		}
	}
	if diff := cmp.Diff(want, missing); diff != "" {
		c.t.Errorf("missing scopes (-want +got):\n%s", diff)
	}
	c.get("/v2/organizations/initech").says(404, "No organization found")
}

func (c *client) hasKey(path, key string, want bool) {
	c.t.Helper()
	for _, element := range c.get(path).is(200).array() {
		if _, has := element[key]; has != want {
			c.t.Errorf("%v has %s: %v, want %v", element, key, has, want)
		}
	}
}

// walk follows a list's next links and returns the ids of pages that are no longer than size.
func (c *client) walk(path string, size int) []string {
	c.t.Helper()
	var ids []string
	for path != "" {
		r := c.get(path).is(200)
		page := fields(r.array(), "id")
		if len(page) > size {
			c.t.Errorf("%s has %d items, want at most %d", path, len(page), size)
		}
		ids = append(ids, page...)
		path = ""
		for link := range strings.SplitSeq(r.header.Get("Link"), ", ") {
			if target, ok := strings.CutSuffix(link, `>; rel="next"`); ok {
				path = strings.TrimPrefix(target, "<"+c.base)
			}
		}
	}
	return ids
}

func (c *client) ascending(want bool) {
	c.t.Helper()
	for _, path := range []string{acme, images + "/tokens"} {
		ids := fields(c.get(path).is(200).array(), "id")
		if got := slices.IsSorted(ids); got != want || ids[0] == ids[1] {
			c.t.Errorf("%s is sorted by age: %v, want %v", path, got, want)
		}
	}
}

func (c *client) imagesByUUID() string {
	c.t.Helper()
	return acme + "/" + c.get(images).is(200).object()["id"].(string)
}

func (c *client) webURLs(listed, alone string) {
	c.t.Helper()
	const site = "https://buildkite.com/organizations/acme-inc"
	if got := c.get(acme).is(200).array()[0]["web_url"]; got != site+listed {
		c.t.Errorf("listed web_url = %v, want %s", got, site+listed)
	}
	if got := c.get(images).is(200).object()["web_url"]; got != site+alone {
		c.t.Errorf("web_url alone = %v, want %s", got, site+alone)
	}
}

func (c *client) nulls(descriptions, authors int) {
	c.t.Helper()
	for _, token := range c.get(images + "/tokens").is(200).array() {
		if token["description"] == nil {
			descriptions--
		}
		if token["created_by"] == nil {
			authors--
		}
	}
	if descriptions != 0 || authors != 0 {
		c.t.Errorf("%d null descriptions and %d null authors too few", descriptions, authors)
	}
	c.get(empty + "/tokens").is(200)
}

func (c *client) creates(status int) {
	c.t.Helper()
	c.send("POST", acme, `{"name":"created","ecosystem":"ruby"}`).is(status)
	const tokens = acme + "/created/tokens"
	token := c.send("POST", tokens, `{"description":"a"}`).is(status).object()
	c.send("POST", tokens+"/"+token["id"].(string), `{"description":"b"}`).is(200)
}

func (c *client) deletes(status int, told bool) {
	c.t.Helper()
	for _, path := range []string{c.firstToken(images), images} {
		before := c.get(path).is(200).object()
		r := c.send("DELETE", path, "").is(status)
		if !told && len(r.body) > 0 {
			c.t.Errorf("body = %s, want none", r.body)
		}
		if told {
			if diff := cmp.Diff(before, r.object()); diff != "" {
				c.t.Errorf("deleted (-before +told):\n%s", diff)
			}
		}
		c.get(path).is(404)
	}
}

func (c *client) refusedWith(body string) {
	c.t.Helper()
	if got := string(c.send("POST", images+"/tokens", `{}`).is(422).body); got != body {
		c.t.Errorf("body = %s, want %s", got, body)
	}
}

func (c *client) credentialMade(layout string) {
	c.t.Helper()
	got, err := time.Parse(layout, c.get("/v2/access-token").is(200).object()["created_at"].(string))
	if age := time.Since(got); err != nil || age < 29*day || age > 31*day {
		c.t.Errorf("the credential is %v old (%v), want thirty days", age, err)
	}
}
