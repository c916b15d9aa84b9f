package emulator

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

func TestAReplacementAnswersAsChosen(t *testing.T) {
	path := tokenPath("images", "old-laptop")
	for status, location := range map[string]string{"200": "", "201": path} {
		c := serve(t, choosing("replace_status", status))
		got := c.put(path, `{"properties":{"name":"old-laptop"}}`)
		if fmt.Sprint(got.status) != status || got.header.Get("Location") != location {
			t.Errorf("replaced = %d at %q, want %s at %q", got.status, got.header.Get("Location"), status, location)
		}
		registry := c.put(registryPath("lab"), `{"properties":{"name":"lindenhof-lab","location":"us/ewr"}}`)
		if fmt.Sprint(registry.status) != status {
			t.Errorf("a registry replaced = %d, want %s", registry.status, status)
		}
	}
	for choice, wantNew := range map[string]bool{"empty": false, "new": true} {
		c := serve(t, choosing("replace_password", choice))
		got := c.put(path, `{"properties":{"name":"old-laptop"}}`).string("properties.credentials.password")
		if (got != "") != wantNew {
			t.Errorf("%s: password %q, want one: %t", choice, got, wantNew)
		}
		if got := c.get(path).string("properties.credentials.password"); got != "" {
			t.Errorf("%s: read back, the password is %q", choice, got)
		}
	}
	for choice, code := range map[string]string{"409": "paas-resource-2", "400": "paas-validation-1"} {
		got := serve(t, choosing("replace_name_change", choice)).put(path, `{"properties":{"name":"new-laptop"}}`)
		if fmt.Sprint(got.status) != choice {
			t.Errorf("a changed name = %d, want %s", got.status, choice)
		}
		got.refused(got.status, code, "cannot be changed")
	}
}

func TestDuplicateNamesAreTakenAsChosen(t *testing.T) {
	const body = `{"properties":{"name":"ci-push"}}`
	c := serve(t, providers.EmulatorOptions{})
	c.post(tokensPath("images"), body).refused(409, "paas-resource-2", "exists already")
	c.put(tokensPath("images")+"/"+chosenID, body).refused(409, "paas-resource-2", "exists already")
	c.post(tokensPath("edge"), body).want(201)
	c = serve(t, choosing("duplicate_name", "allowed"))
	c.post(tokensPath("images"), body).want(201)
	c.put(tokensPath("images")+"/"+chosenID, body).want(201)
}

func TestTheEarliestExpiryIsAsChosen(t *testing.T) {
	for choice, want := range map[string][]int{
		"1h": {400, 400, 400, 201}, "past": {400, 201, 201, 201}, "none": {201, 201, 201, 201},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := inside(t, choosing("minimum_expiry", choice))
			time.Sleep(500 * time.Millisecond) // dates have whole seconds, the clock does not
			var got []int
			for i, ahead := range []time.Duration{-time.Second, 0, time.Hour - time.Second, time.Hour} {
				at := time.Now().Add(ahead).Format(time.RFC3339)
				body := fmt.Sprintf(`{"properties":{"name":"token-%d","expiryDate":"%s"}}`, i, at)
				got = append(got, c.post(tokensPath("lab"), body).status)
				patched := c.patch(tokenPath("images", "ci-push"), `{"expiryDate":"`+at+`"}`).status
				// Patched with a date that is over, the token is gone.
				if (patched == 400) != (got[i] == 400) {
					t.Errorf("%s: patch with %s ahead = %d, create = %d", choice, ahead, patched, got[i])
				}
				if ahead <= 0 && patched == 200 {
					c.put(tokenPath("images", "ci-push"), `{"properties":{"name":"ci-push"}}`).want(201)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: a second ago, now, nearly an hour, an hour = %v, want %v", choice, got, want)
			}
		})
	}
}

func TestTheLastPageOfRegistriesEndsAsChosen(t *testing.T) {
	c := serve(t, choosing("last_page", "absent"))
	last := c.registries("?limit=6").want(200)
	if last.has("pagination", "token") || last.string("_links.next") != "" || len(last.items()) != 6 {
		t.Errorf("absent: the last page is %s", last.text)
	}
	if c.registries("?limit=5").string("pagination.token") == "" {
		t.Error("absent: a page in the middle has no token either")
	}
	c = serve(t, choosing("last_page", "spare"))
	last = c.registries("?limit=6").want(200)
	if len(last.items()) != 6 || last.string("pagination.token") == "" || last.string("_links.next") == "" {
		t.Errorf("spare: the last page is %s", last.text)
	}
	spare := c.get(last.string("_links.next")).want(200)
	if len(spare.items()) != 0 || spare.string("pagination.token") != "" || spare.string("_links.next") != "" {
		t.Errorf("spare: the page behind the last is %s", spare.text)
	}
}

func TestTheLargestPageIsAsChosen(t *testing.T) {
	for _, test := range []struct {
		choice        string
		limit         string
		status, taken int
	}{
		{"none", "100000", 200, 100000}, {"100", "101", 200, 100}, {"100", "99", 200, 99},
		{"2", "100", 200, 2}, {"2", "", 200, 2}, {"1000_or_400", "1000", 200, 1000}, {"1000_or_400", "1001", 400, 0},
	} {
		c := serve(t, choosing("max_page_size", test.choice))
		tokens := c.get(tokensPath("images") + "?limit=" + test.limit).want(test.status)
		registries := c.registries("?limit=" + test.limit).want(test.status)
		if test.status == 200 {
			tokens.holds(fields{"limit": test.taken})
			registries.holds(fields{"pagination.limit": test.taken})
		}
		if test.choice == "2" && (len(tokens.items()) != 2 || len(registries.items()) != 2) {
			t.Errorf("2: pages of %d and %d", len(tokens.items()), len(registries.items()))
		}
	}
}

func TestTimestampsHaveAZoneAsChosen(t *testing.T) {
	for choice, layouts := range map[string][2]string{
		"no":  {"2006-01-02T15:04:05Z", "2006-01-02T15:04:05.000Z"},
		"yes": {"2006-01-02T15:04:05", "2006-01-02T15:04:05.000"},
	} {
		c := serve(t, choosing("zoneless_timestamps", choice))
		tok, user := c.get(tokenPath("images", "k8s-pull-fra")), c.get(userPath("mei.tanaka"))
		for _, test := range []struct{ layout, text string }{
			{layouts[0], tok.string("metadata.createdDate")},
			{layouts[0], tok.string("metadata.lastModifiedDate")},
			{layouts[0], tok.string("properties.expiryDate")},
			{layouts[0], c.get(registryPath("images")).string("properties.storageUsage.updatedAt")},
			{layouts[0], c.get("/auth/v1/tokens").string("tokens.0.createdDate")},
			{layouts[1], user.string("metadata.createdDate")},
		} {
			if _, err := time.Parse(test.layout, test.text); err != nil {
				t.Errorf("zoneless %s: %v", choice, err)
			}
		}
	}
}

func TestScopesComeInTheOrderChosen(t *testing.T) {
	const body = `{"properties":{"name":"ordered","scopes":[
		{"type":"repository","name":"a","actions":["pull","push"]},{"type":"registry","name":"b","actions":["x"]}]}}`
	for choice, want := range map[string]string{"kept": "a", "reversed": "b"} {
		c := serve(t, choosing("scope_order", choice))
		c.post(tokensPath("lab"), body).want(201).holds(fields{"properties.scopes.0.name": want})
	}
	c := serve(t, choosing("scope_order", "reversed"))
	c.post(tokensPath("lab"), body).want(201)
	for range 2 {
		c.get(tokensPath("lab")).holds(fields{"items.0.properties.scopes.1.actions.0": "push"})
	}
	c.get(registryPath("images")).holds(fields{"properties.garbageCollectionSchedule.days.0": "Saturday"})
}

func TestEmptyListsAreWrittenAsChosen(t *testing.T) {
	for choice, want := range map[string]string{"array": "[]", "null": "null"} {
		c := serve(t, choosing("empty_lists", choice))
		const body = `{"properties":{"name":"empty-one","scopes":[{"type":"t","name":"n","actions":[]}]}}`
		made := c.post(tokensPath("lab"), body).want(201)
		texts := []struct{ what, text, field string }{
			{"tokens", c.get(tokensPath("broken")).want(200).text, "items"},
			{"registries", c.registries("?filter.name=zebra").want(200).text, "items"},
			{"scopes", c.get(tokenPath("edge", "no-rights-yet")).want(200).text, "scopes"},
			{"actions", made.text, "actions"},
		}
		for _, test := range texts {
			if !strings.Contains(test.text, `"`+test.field+`":`+want) {
				t.Errorf("%s: %s = %s, want %s in it", choice, test.what, test.text, want)
			}
		}
	}
}

func TestLinksAreFilledAsChosen(t *testing.T) {
	filled := serve(t, providers.EmulatorOptions{}).get(tokensPath("images") + "?limit=2&offset=2").at("_links")
	want := map[string]any{
		"self":     tokensPath("images") + "?limit=2&offset=2",
		"next":     tokensPath("images") + "?limit=2&offset=4",
		"previous": tokensPath("images") + "?limit=2&offset=0",
	}
	if diff := cmp.Diff(any(want), filled); diff != "" {
		t.Errorf("filled (-want +got):\n%s", diff)
	}
	empty := serve(t, choosing("token_links", "empty")).get(tokensPath("images") + "?limit=2&offset=2").at("_links")
	if diff := cmp.Diff(any(map[string]any{"self": "", "next": "", "previous": ""}), empty); diff != "" {
		t.Errorf("empty (-want +got):\n%s", diff)
	}
	c := serve(t, choosing("url_form", "absolute"))
	made := c.post(tokensPath("lab"), `{"properties":{"name":"some-token"}}`).want(201)
	for _, got := range []string{
		made.header.Get("Location"),
		c.registries("?limit=1").string("_links.next"),
		c.get(tokensPath("images")).string("_links.self"),
	} {
		if !strings.HasPrefix(got, c.base+"/containerregistries/registries") {
			t.Errorf("absolute: %q, want it to begin with %s", got, c.base)
		}
	}
}

func TestUnknownFieldsAreTakenAsChosen(t *testing.T) {
	bodies := []struct{ method, path, body string }{
		{"POST", tokensPath("lab"), `{"properties":{"name":"strange","colour":"red"}}`},
		{"POST", tokensPath("lab"), `{"properties":{"name":"stranger"},"colour":"red"}`},
		{"POST", tokensPath("lab"),
			`{"properties":{"name":"odd","scopes":[{"type":"t","name":"n","actions":[],"colour":1}]}}`},
		{"PATCH", tokenPath("images", "ci-push"), `{"properties":{"status":"disabled"}}`},
		{"POST", registriesPath, `{"properties":{"name":"acme-images","location":"de/fra","maintenanceWindow":{}}}`},
		{"PATCH", registryPath("lab"), `{"name":"renamed"}`},
		{"PATCH", registryPath("lab"), `{"features":{"other":true}}`},
	}
	ignoring, strict := serve(t, providers.EmulatorOptions{}), serve(t, choosing("unknown_fields", "400"))
	for _, test := range bodies {
		if got := ignoring.do(test.method, test.path, test.body); got.status >= 300 {
			t.Errorf("ignored: %s %s with %s = %d", test.method, test.path, test.body, got.status)
		}
		strict.do(test.method, test.path, test.body).refused(400, "paas-validation-1", "has no field")
	}
	if got := ignoring.get(tokenPath("images", "ci-push")).at("properties.status"); got != "enabled" {
		t.Errorf("a patch in a wrapper changed the status to %v", got)
	}
}

func TestTheDefaultScheduleIsAsChosen(t *testing.T) {
	for choice, want := range map[string]bool{"weekly": true, "absent": false} {
		got := serve(t, choosing("default_schedule", choice)).get(registryPath("lab"))
		if got.has("properties", "garbageCollectionSchedule") != want {
			t.Errorf("%s: registry = %s, want a schedule: %t", choice, got.text, want)
		}
	}
}

func TestARegistryTakesAsLongAsChosen(t *testing.T) {
	for choice, wait := range map[string]time.Duration{"10s": 10 * time.Second, "0s": 0, "10m": 10 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			c := inside(t, choosing("registry_delay", choice))
			path := registriesPath + "/" + c.post(registriesPath, newRegistry).want(201).string("id")
			time.Sleep(wait)
			if got := c.get(path).at("metadata.state"); got != "Running" {
				t.Errorf("%s: state = %v, want Running", choice, got)
			}
			c.delete(path).want(204)
			time.Sleep(wait)
			c.get(path).want(404)
		})
	}
}
