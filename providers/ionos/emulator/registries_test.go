package emulator

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

const newRegistry = `{"properties":{"name":"acme-images","location":"de/fra"}}`

func TestARegistryBecomesReadyAndGoesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inside(t, providers.EmulatorOptions{})
		made := c.post(registriesPath, newRegistry).want(201)
		path := registriesPath + "/" + made.string("id")
		if got := made.header.Get("Location"); got != path {
			t.Errorf("Location = %q, want %q", got, path)
		}
		look := func(wait time.Duration, state, host string) {
			t.Helper()
			time.Sleep(wait)
			c.get(path).want(200).holds(fields{"metadata.state": state, "properties.hostname": host})
		}
		const host = "acme-images.cr.de-fra.ionos.com"
		look(0, "New", "")
		// Tokens need not wait for the registry.
		c.post(path+"/tokens", `{"properties":{"name":"early"}}`).want(201)
		look(4999*time.Millisecond, "New", "")
		look(time.Millisecond, "WaitingForStorage", "")
		look(5*time.Second, "Running", host)
		c.delete(path).want(204)
		look(9*time.Second, "Deleting", host)
		c.delete(path).want(204)
		c.do("HEAD", "/containerregistries/names/acme-images", "").want(200)
		time.Sleep(time.Second)
		c.get(path).refused(404, "paas-resource-1", "does not exist")
		c.delete(path).want(404)
		c.do("HEAD", "/containerregistries/names/acme-images", "").want(404)
	})
}

func TestRegistriesGoOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inside(t, providers.EmulatorOptions{})
		for _, name := range []string{"lab", "broken", "edge"} {
			c.delete(registryPath(name)).want(204)
			time.Sleep(4 * time.Second)
		}
		for _, left := range []int{5, 4, 4, 3, 3} {
			if got := c.registries("").names(); len(got) != left {
				t.Errorf("registries = %v, want %d", got, left)
			}
			time.Sleep(2 * time.Second)
		}
	})
}

func TestARegistryHasDefaultsAndItsOwnValues(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	made := c.post(registriesPath, newRegistry).want(201)
	want := map[string]any{
		"name": "acme-images", "location": "de/fra", "hostname": "",
		"garbageCollectionSchedule": map[string]any{"days": []any{"Sunday"}, "time": "01:23:00+00:00"},
		"storageUsage":              map[string]any{"bytes": 0.0},
		"features":                  map[string]any{"vulnerabilityScanning": map[string]any{"enabled": true}},
	}
	if diff := cmp.Diff(any(want), made.at("properties")); diff != "" {
		t.Errorf("properties (-want +got):\n%s", diff)
	}
	if made.at("type") != "registry" || made.at("href") != "" || made.has("metadata", "lastModifiedDate") {
		t.Errorf("created = %s, want type registry, an empty href, and no modification", made.text)
	}
	own := c.post(registriesPath, `{"properties":{"name":"own-values","location":"gb/lhr",
		"apiSubnetAllowList":["10.0.0.0/8","::1"],
		"garbageCollectionSchedule":{"days":["Monday","Friday"],"time":"19:30:00+00:00"},
		"features":{"vulnerabilityScanning":{"enabled":false}}}}`).want(201)
	own.holds(fields{
		"properties.garbageCollectionSchedule.days.1":       "Friday",
		"properties.features.vulnerabilityScanning.enabled": false,
		"properties.apiSubnetAllowList.1":                   "::1",
	})
	path, scanning := registriesPath+"/"+own.string("id"), `{"features":{"vulnerabilityScanning":{"enabled":%t}}}`
	for _, step := range []struct {
		enabled bool
		status  int
	}{{false, 200}, {true, 200}, {false, 400}} {
		c.patch(path, fmt.Sprintf(scanning, step.enabled)).want(step.status)
	}
}

func TestARegistryIsPatchedAndReplaced(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	path := registryPath("lab")
	const when, day = "properties.garbageCollectionSchedule.time", "properties.garbageCollectionSchedule.days.0"
	c.patch(path, `{"garbageCollectionSchedule":{"days":["Tuesday"],"time":"05:00:00"}}`).want(200).
		holds(fields{when: "05:00:00", day: "Tuesday", "metadata.lastModifiedBy": "ida.brandt@lindenhof.example"})
	c.patch(path, `{"apiSubnetAllowList":["192.0.2.1"],"features":{}}`).want(200).
		holds(fields{when: "05:00:00", "properties.apiSubnetAllowList.0": "192.0.2.1"})
	c.patch(path, `{"garbageCollectionSchedule":null,"apiSubnetAllowList":null,"features":null}`).want(200).
		holds(fields{day: "Sunday", "properties.apiSubnetAllowList": nil})
	const off = `"features":{"vulnerabilityScanning":{"enabled":false}}`
	c.patch(path, `{`+off+`}`).refused(400, "paas-validation-1", "cannot be switched off")

	c.patch(path, `{"garbageCollectionSchedule":{"days":["Tuesday"],"time":"05:00:00"}}`).want(200)
	c.put(path, `{"properties":{"name":"lindenhof-lab","location":"us/ewr"}}`).want(200).
		holds(fields{day: "Sunday", "id": fixedID("registry", "lindenhof-lab")})
	for _, body := range []string{
		`{"properties":{"name":"another-lab","location":"us/ewr"}}`,
		`{"properties":{"name":"lindenhof-lab","location":"de/fra"}}`,
	} {
		c.put(path, body).refused(400, "paas-validation-1", "cannot be changed")
	}
	c.put(path, `{"properties":{"name":"lindenhof-lab","location":"us/ewr",`+off+`}}`).
		refused(400, "paas-validation-1", "cannot be switched off")

	made := c.put(registriesPath+"/"+chosenID, newRegistry).want(201)
	if made.string("id") != chosenID || made.header.Get("Location") != registriesPath+"/"+chosenID {
		t.Errorf("put = %s, want it created with id %s", made.text, chosenID)
	}
	c.patch(registriesPath+"/5a4b39f8-0a24-4ad1-9d0c-7b0c5a4b39f8", `{}`).want(404)
}

func TestBadRegistriesAreRefused(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	many := strings.TrimSuffix(strings.Repeat(`"10.0.0.1",`, 26), ",")
	const good = `"name":"good-name","location":"de/fra"`
	for _, test := range []struct{ fields, message string }{
		{`"location":"de/fra"`, "name is required"},
		{`"name":"good-name"`, "location is required"},
		{`"name":"good-name","location":"mars/one"`, "available locations"},
		{`"name":"ab","location":"de/fra"`, "must match"},
		{`"name":"Upper","location":"de/fra"`, "must match"},
		{`"name":"ends-","location":"de/fra"`, "must match"},
		{`"name":"lindenhof-images","location":"de/fra"`, "not available"},
		{good + `,"apiSubnetAllowList":["everywhere"]`, "addresses and subnets"},
		{good + `,"apiSubnetAllowList":[` + many + `]`, "at most 25"},
		{good + `,"apiSubnetAllowList":"10.0.0.1"`, "list of strings"},
		{good + `,"garbageCollectionSchedule":[]`, "not a JSON object"},
		{good + `,"garbageCollectionSchedule":{"time":"01:00:00"}`, "days must be"},
		{good + `,"garbageCollectionSchedule":{"days":["Caturday"],"time":"01:00:00"}`, "Monday to Sunday"},
		{good + `,"garbageCollectionSchedule":{"days":["Monday"]}`, "time is required"},
		{good + `,"garbageCollectionSchedule":{"days":["Monday"],"time":"25:00:00"}`, "time of day"},
		{good + `,"features":7`, "not a JSON object"},
		{good + `,"features":{"vulnerabilityScanning":null}`, "required"},
		{good + `,"features":{"vulnerabilityScanning":{}}`, "enabled is required"},
	} {
		body := `{"properties":{` + test.fields + `}}`
		c.post(registriesPath, body).refused(400, "paas-validation-1", test.message)
		c.put(registriesPath+"/"+chosenID, body).refused(400, "paas-validation-1", test.message)
	}
	c.patch(registryPath("lab"), `{"garbageCollectionSchedule":{}}`).want(400)
}

func TestNamesTellWhetherTheyAreFree(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	for name, status := range map[string]int{
		"lindenhof-images": 200, "nobody-has-this": 404, "Upper": 400, "ab": 400, "": 400, "a%2Fb": 400,
	} {
		got := c.do("HEAD", "/containerregistries/names/"+name, "")
		if got.status != status || got.text != "" {
			t.Errorf("name %q = %d with body %q, want %d without", name, got.status, got.text, status)
		}
	}
	c.get("/containerregistries/names/lindenhof-images").refused(400, "paas-validation-1", "no matching operation")
}

func TestLocationsAreListed(t *testing.T) {
	serve(t, providers.EmulatorOptions{}).get("/containerregistries/locations").want(200).
		holds(fields{"id": "locations", "type": "collection", "href": "", "items.0.id": "de/fra"})
}

func TestPagesOfRegistriesShowEachOnce(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	all := c.registries("").names()
	for _, limit := range []int{1, 2, 5, 6, 100} {
		var got []string
		token := ""
		for {
			page := c.registries(fmt.Sprintf("?limit=%d&pagination.token=%s", limit, token)).want(200)
			if page.at("pagination.limit") != float64(limit) || page.at("id") != "registries" || page.has("", "total") {
				t.Errorf("limit %d: page = %s", limit, page.text)
			}
			got = append(got, page.names()...)
			token = page.string("pagination.token")
			if raw, err := base64.RawURLEncoding.DecodeString(token); err != nil {
				t.Errorf("token %q (%s) is not base64url: %v", token, raw, err)
			}
			next := page.string("_links.next")
			if (next == "") != (token == "") {
				t.Errorf("limit %d: next %q and token %q, want both or none", limit, next, token)
			}
			if token == "" {
				break
			}
			same := c.registries(fmt.Sprintf("?limit=%d&pagination.token=%s", limit, token))
			if diff := cmp.Diff(c.names(next), same.names()); diff != "" {
				t.Errorf("the next link and the token lead to different pages:\n%s", diff)
			}
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("limit %d (-whole +pages):\n%s", limit, diff)
		}
	}
}

func TestAPageTokenOutlivesADeletedRegistry(t *testing.T) {
	c := serve(t, choosing("registry_delay", "0s"))
	all := c.registries("").names()
	token := c.registries("?limit=2").string("pagination.token")
	c.delete(registryPath(strings.TrimPrefix(all[1], "lindenhof-"))).want(204)
	if diff := cmp.Diff(all[2:], c.registries("?pagination.token="+token).names()); diff != "" {
		t.Errorf("the rest (-want +got):\n%s", diff)
	}
}

func TestRegistriesAreFoundByAPartOfTheirName(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	for filter, want := range map[string]int{
		"images": 1, "IMAGES": 1, "lindenhof": 6, "LindenHof-": 6, "zebra": 0, "": 6,
	} {
		if got := c.registries("?filter.name=" + filter).names(); len(got) != want {
			t.Errorf("filter %q finds %v, want %d", filter, got, want)
		}
	}
	first := c.registries("?filter.name=a&limit=1")
	var got []string
	for next := first.string("_links.next"); next != ""; {
		page := c.get(next)
		got = append(got, page.names()...)
		next = page.string("_links.next")
	}
	if diff := cmp.Diff(c.registries("?filter.name=a").names(), append(first.names(), got...)); diff != "" {
		t.Errorf("pages of a filtered list (-whole +pages):\n%s", diff)
	}
}

func TestBadPagesOfRegistriesAreRefused(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	for _, query := range []string{"?limit=0", "?limit=-2", "?limit=many", "?pagination.token=!", "?pagination.token=e30",
		"?pagination.token=" + pageToken(0), "?pagination.token=" + pageToken(1) + "A"} {
		c.registries(query).want(400)
	}
}

func FuzzReadPageToken(f *testing.F) {
	f.Add(pageToken(7))
	f.Add("e30")
	f.Fuzz(func(t *testing.T, token string) {
		start, err := readPageToken(token)
		if err == nil && token != "" && start < 1 {
			t.Errorf("readPageToken(%q) = %d, want a place in the list", token, start)
		}
	})
}

func FuzzReadClaims(f *testing.F) {
	f.Add(jwt(`{"identity":{"uuid":"x","contractNumber":"1"},"exp":1}`))
	f.Add("a.b.c")
	c := start(f, providers.EmulatorOptions{})
	f.Fuzz(func(t *testing.T, token string) {
		claims, ok := readClaims(token)
		if !ok {
			return
		}
		s := c.Handler.(*server)
		if who, err := s.claimed(claims.Identity); err == nil && who.id == "" {
			t.Errorf("claimed(%+v) is nobody", claims.Identity)
		}
	})
}
