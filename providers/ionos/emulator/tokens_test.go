package emulator

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

const chosenID = "8fb592e4-494c-41ed-b878-0242ac120002"

func TestATokensLife(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	expiry := time.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339)
	made := c.post(tokensPath("lab"), `{"properties":{"name":"ci-push","expiryDate":"`+expiry+`","status":"enabled",
		"scopes":[{"type":"repository","name":"team/app","actions":["pull","push"]}]}}`).want(201)
	path := tokensPath("lab") + "/" + made.string("id")
	if got := made.header.Get("Location"); got != path {
		t.Errorf("Location = %q, want %q", got, path)
	}
	if len(made.string("properties.credentials.password")) < 20 {
		t.Errorf("the password of a new token is too short to be one: %s", made.text)
	}
	metadata := map[string]any{
		"createdBy": "ida.brandt@lindenhof.example", "createdByUserId": fixedID("user", "ida.brandt@lindenhof.example"),
		"createdDate": made.string("metadata.createdDate"), "state": "enabled",
	}
	properties := map[string]any{
		"name": "ci-push", "expiryDate": expiry, "status": "enabled",
		"scopes":      []any{map[string]any{"type": "repository", "name": "team/app", "actions": []any{"pull", "push"}}},
		"credentials": map[string]any{"username": "ci-push", "password": ""},
	}
	want := map[string]any{
		"id": made.string("id"), "type": "token", "href": "", "metadata": metadata, "properties": properties,
	}
	if diff := cmp.Diff(any(want), c.get(path).want(200).json); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]any{want}, c.list(tokensPath("lab"))); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}

	c.patch(path, `{"status":"disabled"}`).want(200).holds(fields{
		"properties.status": "disabled", "metadata.state": "disabled", "properties.expiryDate": expiry,
		"metadata.lastModifiedBy": "ida.brandt@lindenhof.example",
	})
	deleted := c.delete(path).want(204)
	if deleted.text != "" {
		t.Errorf("a delete answers %q, want nothing", deleted.text)
	}
	for _, again := range []reply{c.get(path), c.delete(path), c.patch(path, `{}`)} {
		again.refused(404, "paas-resource-1", "does not exist")
	}
	if got := c.tokensOf("lab"); len(got) != 0 {
		t.Errorf("tokens after the delete = %v, want none", got)
	}
}

func TestPutCreatesATokenWithTheIDOfThePath(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	path := tokensPath("lab") + "/" + chosenID
	made := c.put(tokensPath("lab")+"/"+strings.ToUpper(chosenID), `{"properties":{"name":"put-token"}}`).want(201)
	made.holds(fields{"id": chosenID, "properties.status": "enabled",
		"properties.expiryDate": nil, "properties.scopes.0": nil})
	if got := made.header.Get("Location"); got != path {
		t.Errorf("Location = %q, want %q", got, path)
	}
	if made.string("properties.credentials.password") == "" {
		t.Errorf("put = %s, want a password", made.text)
	}
	c.get(path).want(200)
}

func TestPutReplacesTheWholeToken(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	path := tokenPath("images", "old-laptop")
	before := c.get(path)
	after := c.put(path, `{"properties":{"name":"old-laptop"}}`).want(200)
	after.holds(fields{
		"properties.status": "enabled", "properties.scopes.0": nil, "properties.credentials.password": "",
		"metadata.createdDate": before.string("metadata.createdDate"),
	})
	if after.string("metadata.lastModifiedDate") == before.string("metadata.lastModifiedDate") {
		t.Errorf("replaced = %s, want it modified now", after.text)
	}
	if got := after.header.Get("Location"); got != "" {
		t.Errorf("Location = %q, want none", got)
	}
}

func TestPatchTellsAbsentFromNullFromAValue(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	path := tokenPath("images", "k8s-pull-fra")
	expiry, scopes := c.get(path).at("properties.expiryDate"), c.get(path).at("properties.scopes")
	later := time.Now().Add(400 * time.Hour).UTC().Truncate(time.Second)
	laterElsewhere := later.In(time.FixedZone("", 3600)).Format(time.RFC3339Nano)
	newScopes := []any{map[string]any{"type": "registry", "name": "*", "actions": []any{}}}
	for _, step := range []struct {
		body           string
		expiry, scopes any
	}{
		{`{}`, expiry, scopes},
		{`{"expiryDate":null}`, nil, scopes},
		{`{"expiryDate":"` + laterElsewhere + `"}`, later.Format(time.RFC3339), scopes},
		{`{"scopes":[{"type":"registry","name":"*","actions":null}]}`, later.Format(time.RFC3339), newScopes},
		{`{"status":"disabled"}`, later.Format(time.RFC3339), newScopes},
		{`{"scopes":null,"expiryDate":null,"status":"enabled"}`, nil, []any{}},
	} {
		got := c.patch(path, step.body).want(200)
		got.holds(fields{"properties.expiryDate": step.expiry})
		if diff := cmp.Diff(step.scopes, got.at("properties.scopes")); diff != "" {
			t.Errorf("after %s scopes (-want +got):\n%s", step.body, diff)
		}
		if diff := cmp.Diff(got.json, c.get(path).json); diff != "" {
			t.Errorf("after %s the read differs:\n%s", step.body, diff)
		}
	}
	untouched := tokenPath("images", "ci-push")
	c.patch(untouched, `{}`).want(200)
	if c.get(untouched).has("metadata", "lastModifiedDate") {
		t.Error("an empty patch marked the token as modified")
	}
}

func TestBadTokensAreRefused(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	soon := time.Now().Add(30 * time.Minute).UTC().Format(time.RFC3339)
	for _, test := range []struct{ fields, message string }{
		{`"status":"enabled"`, "name is required"},
		{`"name":null`, "name is required"},
		{`"name":7`, "must be a string"},
		{`"Name":"wrong-case"`, "name is required"},
		{`"name":"a"`, "must match"},
		{`"name":"1abc"`, "must match"},
		{`"name":"abc-"`, "must match"},
		{`"name":"a/b"`, "must match"},
		{`"name":"` + strings.Repeat("a", 64) + `"`, "must match"},
		{`"name":"ok","status":"expired"`, "enabled or disabled"},
		{`"name":"ok","status":null`, "status is required"},
		{`"name":"ok","expiryDate":"tomorrow"`, "RFC 3339"},
		{`"name":"ok","expiryDate":"2099-01-31T12:00:00"`, "RFC 3339"},
		{`"name":"ok","expiryDate":4102444800`, "must be a string"},
		{`"name":"ok","expiryDate":"` + soon + `"`, "too early"},
		{`"name":"ok","scopes":{}`, "must be a list"},
		{`"name":"ok","scopes":[null]`, "scope is required"},
		{`"name":"ok","scopes":["pull"]`, "not a JSON object"},
		{`"name":"ok","scopes":[{"name":"*","actions":[]}]`, "type is required"},
		{`"name":"ok","scopes":[{"type":"registry","actions":[]}]`, "name is required"},
		{`"name":"ok","scopes":[{"type":"registry","name":"*"}]`, "actions must be"},
		{`"name":"ok","scopes":[{"type":"registry","name":"*","actions":"pull"}]`, "actions must be"},
		{`"name":"ok","scopes":[{"type":"registry","name":"*","actions":["pull",null]}]`, "actions must be"},
	} {
		for _, r := range []reply{
			c.post(tokensPath("lab"), `{"properties":{`+test.fields+`}}`),
			c.put(tokensPath("lab")+"/"+chosenID, `{"properties":{`+test.fields+`}}`),
		} {
			r.refused(400, "paas-validation-1", test.message)
		}
	}
	path := tokenPath("images", "ci-push")
	before := c.get(path).text
	for _, body := range []string{
		`[]`, `null`, `{"status":"off"}`, `{"expiryDate":"soon"}`, `{"scopes":[1]}`,
		`{"status":"disabled","expiryDate":"` + soon + `"}`,
	} {
		c.patch(path, body).want(400)
	}
	if after := c.get(path).text; after != before {
		t.Errorf("a refused patch changed the token:\n%s\n%s", before, after)
	}
	if got := c.tokensOf("lab"); len(got) != 0 {
		t.Errorf("refused tokens exist: %v", got)
	}
}

func TestTokensOfARegistryThatIsNotThere(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	nowhere := registriesPath + "/" + chosenID + "/tokens"
	const body = `{"properties":{"name":"some-token"}}`
	for _, r := range []reply{
		c.get(nowhere), c.post(nowhere, body), c.get(nowhere + "/" + chosenID), c.put(nowhere+"/"+chosenID, body),
		c.patch(nowhere+"/"+chosenID, `{}`), c.delete(nowhere + "/" + chosenID),
		// A token of one registry is not in another one.
		c.get(tokensPath("edge") + "/" + fixedID("token", "images", "ci-push")),
	} {
		r.refused(404, "paas-resource-1", "does not exist")
	}
}

func TestPagesOfTokensShowEachOnce(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	all := c.tokensOf("images")
	for _, limit := range []int{1, 2, 3, 7, 100} {
		var got []string
		for offset := 0; offset < len(all); offset += limit {
			page := c.get(fmt.Sprintf("%s?offset=%d&limit=%d", tokensPath("images"), offset, limit)).want(200)
			page.holds(fields{"id": "tokens", "type": "collection", "href": "", "limit": limit, "offset": offset,
				"count": len(page.items()), "total": len(all)})
			if more := offset+limit < len(all); more != (page.string("_links.next") != "") {
				t.Errorf("limit %d, offset %d: next = %q, want one: %t", limit, offset, page.string("_links.next"), more)
			}
			if before := offset > 0; before != (page.string("_links.previous") != "") {
				t.Errorf("limit %d, offset %d: previous = %q, want one: %t", limit, offset, page.string("_links.previous"), before)
			}
			got = append(got, page.names()...)
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("limit %d (-whole +pages):\n%s", limit, diff)
		}
	}
	if got := c.names(c.get(tokensPath("images") + "?limit=2").string("_links.next")); len(got) != 2 || got[0] != all[2] {
		t.Errorf("the next link leads to %v, want the third and fourth of %v", got, all)
	}
	second := c.get(tokensPath("images") + "?offset=1&limit=3")
	if got := second.string("_links.previous"); !strings.Contains(got, "offset=0") {
		t.Errorf("before the second token = %q, want the beginning", got)
	}
	const most = "9223372036854775807"
	for _, query := range []string{"?offset=99", "?offset=" + most, "?offset=" + most + "&limit=" + most} {
		c.get(tokensPath("images") + query).want(200).holds(fields{"count": 0, "items.0": nil, "total": len(all)})
	}
	for query, field := range map[string]string{
		"?limit=0": "limit", "?limit=-1": "limit", "?limit=ten": "limit", "?offset=-1": "offset", "?offset=x": "offset",
	} {
		c.get(tokensPath("images")+query).refused(400, "paas-validation-1", field)
	}
}

func TestPasswordsAreRandomAndShownOnce(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	seen := map[string]bool{}
	for i := range 8 {
		made := c.post(tokensPath("lab"), fmt.Sprintf(`{"properties":{"name":"token-%d"}}`, i)).want(201)
		seen[made.string("properties.credentials.password")] = true
	}
	if len(seen) != 8 {
		t.Errorf("%d different passwords, want 8", len(seen))
	}
	for password := range seen {
		if strings.Contains(c.get(tokensPath("lab")).text, password) {
			t.Error("a list shows a password")
		}
	}
}

func TestATokenKeepsItsAuthor(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	jonas := c.as("Bearer " + jwt(`{"identity":{"uuid":"`+userID("jonas.keller")+`"}}`))
	made := jonas.post(tokensPath("lab"), `{"properties":{"name":"by-jonas"}}`).want(201)
	path := tokensPath("lab") + "/" + made.string("id")
	c.patch(path, `{"status":"disabled"}`).want(200).holds(fields{
		"metadata.createdBy":      "jonas.keller@lindenhof.example",
		"metadata.lastModifiedBy": "ida.brandt@lindenhof.example",
	})
	stranger := c.as("Bearer " + jwt(`{"identity":{"uuid":"`+chosenID+`","role":"admin"}}`))
	stranger.post(tokensPath("lab"), `{"properties":{"name":"by-nobody"}}`).want(201).
		holds(fields{"metadata.createdByUserId": chosenID})
}
