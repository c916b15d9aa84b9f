package emulator

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

// shape replaces every leaf of a JSON value, so that only its keys and their nesting are left.
func shape(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, value := range v {
			out[key] = shape(value)
		}
		return out
	case []any:
		return []any{shape(v[0])}
	}
	return "leaf"
}

func TestTokensHaveTheKeysOfTheDocuments(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	for file, path := range map[string]string{
		"list_registry_tokens.json": images + "/tokens",
		"get_registry_token.json":   c.firstToken(images),
	} {
		raw, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var sample any
		if err := json.Unmarshal(raw, &sample); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(shape(sample), shape(decode[any](c.get(path).is(200)))); diff != "" {
			t.Errorf("%s (-documented +answered):\n%s", file, diff)
		}
	}
}

func TestATokenHasTheOdditiesOfTheDocuments(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	host := strings.TrimPrefix(c.base, "http://")
	got := c.get(images + "/tokens").is(200).array()[1]
	created, err := time.Parse("2006-01-02T15:04:05.000Z", got["created_at"].(string))
	if age := time.Since(created); err != nil || age < 130*day || age > 131*day {
		t.Errorf("created_at = %v (%v), want 131 days ago", got["created_at"], err)
	}
	delete(got, "created_at")
	want := map[string]any{
		"id":          "0191b6a2-ae39-7bf9-8987-4ce4dd67e7ba",
		"graphql_id":  "UmVnaXN0cnlUb2tlbi0tLTAxOTFiNmEyLWFlMzktN2JmOS04OTg3LTRjZTRkZDY3ZTdiYQ==",
		"description": "staging cluster",
		"url":         "http://" + host + images + "/tokens/0191b6a2-ae39-7bf9-8987-4ce4dd67e7ba",
		"created_by": map[string]any{
			"id":         "0186c5a6-fa90-7c0d-8daa-17af22a1fb17",
			"graphql_id": "VXNlci0tLTAxODZjNWE2LWZhOTAtN2MwZC04ZGFhLTE3YWYyMmExZmIxNw==",
			"name":       "Grace Hopper",
			"email":      "grace@acme.test",
			"avatar_url": nil,
			"created_at": "2023-03-09T09:15:00.112Z",
		},
		"organization": map[string]any{
			"id":      "01869c2f-736a-7eaf-ad16-74ff1a9a937f",
			"slug":    "acme-inc",
			"url":     c.base + "/v2/analytics/organizations/acme-inc",
			"web_url": "https://buildkite.com/organizations/acme-inc",
		},
		"registry": map[string]any{
			"id":         "018f57c0-bd34-7d01-abdb-29ac57ab95dc",
			"graphql_id": "UmVnaXN0cnktLS0wMThmNTdjMC1iZDM0LTdkMDEtYWJkYi0yOWFjNTdhYjk1ZGM=",
			"slug":       "images",
			"url":        "http://" + host + images,
			"web_url":    "http://buildkite.com/organizations/acme-inc/registries/images",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("token (-want +got):\n%s", diff)
	}
}

func TestATokenLivesFromCreateToDelete(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	tokens := empty + "/tokens"
	created := c.as("bkua_alan").send("POST", tokens, `{"description":"Alan's <tool> & ünïcode / %2f"}`).is(200).object()
	secret, _ := created["token"].(string)
	if !regexp.MustCompile(`^bkpt_[A-Z2-7]{199}$`).MatchString(secret) {
		t.Errorf("secret = %q, want bkpt_ and 199 characters", secret)
	}
	if author := created["created_by"].(map[string]any)["name"]; author != "Alan Turing" {
		t.Errorf("created by %v, want the credential's owner", author)
	}
	delete(created, "token")
	item := tokens + "/" + created["id"].(string)
	if diff := cmp.Diff(created, c.get(item).is(200).object()); diff != "" {
		t.Errorf("read back (-created +got):\n%s", diff)
	}
	if diff := cmp.Diff([]map[string]any{created}, c.get(tokens).is(200).array()); diff != "" {
		t.Errorf("listed (-created +got):\n%s", diff)
	}
	created["description"] = "tool"
	if diff := cmp.Diff(created, c.send("POST", item, `{"description":"tool"}`).is(200).object()); diff != "" {
		t.Errorf("updated (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]map[string]any{created}, c.get(tokens).is(200).array()); diff != "" {
		t.Errorf("listed after the update (-want +got):\n%s", diff)
	}
	if r := c.send("DELETE", item, "").is(200); len(r.body) != 0 {
		t.Errorf("body of a delete = %s, want none", r.body)
	}
	c.send("DELETE", item, "").says(404, "No registry token found")
	c.get(item).says(404, "No registry token found")
	if got := c.get(tokens).is(200); string(got.body) != "[]" {
		t.Errorf("list after the delete = %s, want []", got.body)
	}
}

func TestTwoCreatesAreTwoTokensWithTwoSecrets(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	first := c.send("POST", empty+"/tokens", `{"description":"a"}`).is(200).object()
	second := c.send("POST", empty+"/tokens", `{"description":"a"}`).is(200).object()
	if first["id"] == second["id"] || first["token"] == second["token"] {
		t.Errorf("ids %v and %v, or the secrets, are equal", first["id"], second["id"])
	}
	for _, path := range []string{empty + "/tokens", empty + "/tokens/" + first["id"].(string)} {
		if body := string(c.get(path).is(200).body); strings.Contains(body, "bkpt_") {
			t.Errorf("GET %s tells a secret", path)
		}
	}
	if got := len(c.get(empty + "/tokens").is(200).array()); got != 2 {
		t.Errorf("%d tokens, want 2", got)
	}
}

func TestATokenNeedsADescription(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	item := c.firstToken(images)
	for body, message := range map[string]string{
		``:                      "can't be blank",
		`{}`:                    "can't be blank",
		`{"description":null}`:  "can't be blank",
		`{"description":" \t"}`: "can't be blank",
		`{"description":["a"]}`: "must be a string",
	} {
		for _, path := range []string{images + "/tokens", item} {
			c.send("POST", path, body).says(422, "Validation failed: Description "+message)
		}
	}
	if got := len(c.get(images + "/tokens").is(200).array()); got != 6 {
		t.Errorf("%d tokens after refused creates, want 6", got)
	}
}

func TestATokenIsFoundOnlyInItsRegistry(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	id := fields(c.get(images+"/tokens").is(200).array(), "id")[0]
	for path, message := range map[string]string{
		images + "/tokens/" + unknownID:           "No registry token found",
		acme + "/gems/tokens/" + id:               "No registry token found",
		globex + "/images/tokens/" + id:           "No registry token found",
		acme + "/nothing/tokens/" + id:            "No registry found",
		acme + "/nothing/tokens":                  "No registry found",
		strings.ToUpper(acme) + "/images/tokens":  "Not Found",
		images + "/tokens/" + strings.ToUpper(id): "No registry token found",
	} {
		c.get(path).says(404, message)
		c.send("POST", path, `{"description":"a"}`).is(404)
		c.send("DELETE", images+"/tokens/"+unknownID, "").is(404)
	}
}

func TestManyCallersAtOnce(t *testing.T) {
	e, err := New(providers.EmulatorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// try answers nil where a goroutine may not end the test.
	try := func(method, path, body string) []byte {
		r := recorded(t, e, "bkua_ada", method, path, body)
		if r.status != 200 {
			t.Errorf("%s %s: status = %d, want 200", method, path, r.status)
		}
		return r.body
	}
	imagesID := reply{t: t, body: try("GET", images, "")}.object()["id"].(string)
	var callers sync.WaitGroup
	for i := range 16 {
		callers.Go(func() {
			var created struct{ ID string }
			body := try("POST", empty+"/tokens", fmt.Sprintf(`{"description":"%d"}`, i))
			if err := json.Unmarshal(body, &created); err != nil {
				t.Error(err)
			}
			try("GET", acme, "")
			try("GET", empty+"/tokens", "")
			try("POST", empty+"/tokens/"+created.ID, `{"description":"again"}`)
			if err := e.RenameRegistry(imagesID, fmt.Sprintf("images %d", i)); err != nil {
				t.Error(err)
			}
			if i%2 == 0 {
				try("DELETE", empty+"/tokens/"+created.ID, "")
			}
		})
	}
	callers.Wait()
	left := reply{t: t, body: try("GET", empty+"/tokens", "")}.array()
	if len(left) != 8 || left[0]["description"] != "again" {
		t.Errorf("%d tokens are left, want 8 with their last description", len(left))
	}
}

func TestAddressesAreThoseOfTheHostAskedFor(t *testing.T) {
	e, err := New(providers.EmulatorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"one.test", "two.test:8080", "one.test"} {
		tokens := recorded(t, e, "bkua_ada", "GET", "http://"+host+images+"/tokens", "").is(200).array()
		registries := recorded(t, e, "bkua_ada", "GET", "http://"+host+acme, "").is(200).array()
		for _, url := range []any{tokens[0]["url"], registries[0]["url"]} {
			if want := "http://" + host + images; !strings.HasPrefix(url.(string), want) {
				t.Errorf("url = %v, want it to begin with %s", url, want)
			}
		}
	}
}
