package emulator

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

func keys(object map[string]any) []string { return slices.Sorted(maps.Keys(object)) }

func TestARegistryHasTheDocumentedShape(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	got := c.get(public).is(200).object()
	want := map[string]any{
		"id":          "018f5865-88b4-7bab-b065-7160fdbb7600",
		"graphql_id":  "UmVnaXN0cnktLS0wMThmNTg2NS04OGI0LTdiYWItYjA2NS03MTYwZmRiYjc2MDA=",
		"slug":        "open-source",
		"url":         c.base + public,
		"web_url":     "https://buildkite.com/organizations/acme-inc/packages/registries/open-source",
		"name":        "Open Source",
		"ecosystem":   "npm",
		"description": "JavaScript packages for everybody",
		"emoji":       nil,
		"color":       nil,
		"public":      true,
		"oidc_policy": nil,
		"team_ids":    []any{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("registry (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(got, c.get(acme).is(200).array()[3]); diff != "" {
		t.Errorf("alone and in the list differ (-alone +listed):\n%s", diff)
	}
	c.get(acme+"/nothing").says(404, "No registry found")
	c.get(globex+"/open-source").says(404, "No registry found")
	c.get(acme+"/018f5865-88b4-7bab-b065-7160fdbb7600").says(404, "No registry found")
}

func TestARegistryLivesFromCreateToDelete(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	before := len(c.get(acme).is(200).array())
	const body = `{"name":"My  registry!","ecosystem":"ruby","emoji":":gem:","oidc_policy":"- iss: x\n"}`
	created := c.send("POST", acme, body).is(200).object()
	for name, want := range map[string]any{
		"name": "My  registry!", "slug": "my-registry", "ecosystem": "ruby", "emoji": ":gem:",
		"oidc_policy": "- iss: x\n", "description": nil, "color": nil, "public": false,
	} {
		if created[name] != want {
			t.Errorf("created %s = %v, want %v", name, created[name], want)
		}
	}
	if diff := cmp.Diff(created, c.get(acme+"/my-registry").is(200).object()); diff != "" {
		t.Errorf("read back (-created +got):\n%s", diff)
	}
	if diff := cmp.Diff(created, c.get(acme).is(200).array()[before]); diff != "" {
		t.Errorf("listed (-created +got):\n%s", diff)
	}
	if got := c.get(acme + "/my-registry/tokens").is(200); string(got.body) != "[]" {
		t.Errorf("tokens of a new registry = %s, want []", got.body)
	}
	r := c.send("DELETE", acme+"/my-registry", "").is(200)
	if len(r.body) != 0 {
		t.Errorf("body of a delete = %s, want none", r.body)
	}
	c.send("DELETE", acme+"/my-registry", "").says(404, "No registry found")
	c.get(acme+"/my-registry").says(404, "No registry found")
	if got := len(c.get(acme).is(200).array()); got != before {
		t.Errorf("%d registries after the delete, want %d", got, before)
	}
}

func TestAnUpdateChangesOnlyWhatIsGiven(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	for _, method := range []string{"POST", "PUT"} {
		before := c.get(images).is(200).object()
		want := maps.Clone(before)
		want["description"], want["emoji"], want["oidc_policy"] = "for "+method, nil, `[{"iss":"a b"}]`
		got := c.send(method, images, `{"description":"for `+method+`","emoji":null,"oidc_policy":[ {"iss": "a b"} ],`+
			`"ecosystem":"container","public":true}`).is(200).object()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", method, diff)
		}
		if diff := cmp.Diff(want, c.get(acme).is(200).array()[0]); diff != "" {
			t.Errorf("%s, listed (-want +got):\n%s", method, diff)
		}
	}
	got := c.send("PUT", images, `{"name":"Images","color":null,"oidc_policy":null}`).is(200).object()
	if got["color"] != nil || got["oidc_policy"] != nil || got["slug"] != "images" {
		t.Errorf("cleared = %v", got)
	}
}

func TestARenamedRegistryHasANewSlug(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	renames := map[string]func(name string){
		"by an update": func(name string) { c.send("POST", images, `{"name":"`+name+`"}`).is(200) },
		"by its owner": func(name string) {
			if err := c.emulator.RenameRegistry(c.get(images).is(200).object()["id"].(string), name); err != nil {
				t.Error(err)
			}
		},
	}
	for how, rename := range renames {
		tokens := c.get(images + "/tokens").is(200).array()
		listed := c.get(acme).is(200).array()
		rename("Other Images")
		c.get(images).says(404, "No registry found")
		c.get(images+"/tokens").says(404, "No registry found")
		after := c.get(acme + "/other-images/tokens").is(200).array()
		if diff := cmp.Diff(fields(tokens, "id"), fields(after, "id")); diff != "" {
			t.Errorf("%s: tokens (-before +after):\n%s", how, diff)
		}
		if got := after[0]["registry"].(map[string]any)["slug"]; got != "other-images" {
			t.Errorf("%s: a token's registry is %v, want other-images", how, got)
		}
		relisted := c.get(acme).is(200).array()
		if relisted[0]["id"] != listed[0]["id"] || relisted[0]["slug"] != "other-images" {
			t.Errorf("%s: listed as %v", how, relisted[0])
		}
		c.send("PUT", acme+"/other-images", `{"name":"Images"}`).is(200)
	}
}

func TestRenamingToWhatCannotBeIsRefused(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	id := c.get(images).is(200).object()["id"].(string)
	for _, test := range []struct {
		id, name string
		want     providers.Kind
	}{
		{unknownID, "Other", providers.NotFound},
		{id, "", providers.Invalid},
		{id, "gems", providers.Invalid},
		{id, "images!", ""},
	} {
		if got := providers.KindOf(c.emulator.RenameRegistry(test.id, test.name)); got != test.want {
			t.Errorf("RenameRegistry(%q, %q) is %q, want %q", test.id, test.name, got, test.want)
		}
	}
}

func TestRegistriesAreValidated(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	for _, test := range []struct{ path, body, message string }{
		{acme, `{}`, "Name can't be blank"},
		{acme, ``, "Name can't be blank"},
		{acme, `{"name":null,"ecosystem":"ruby"}`, "Name can't be blank"},
		{acme, `{"name":" ","ecosystem":"ruby"}`, "Name can't be blank"},
		{acme, `{"name":7,"ecosystem":"ruby"}`, "Name must be a string"},
		{acme, `{"name":"!!","ecosystem":"ruby"}`, "Name is invalid"},
		{acme, `{"name":"IMAGES","ecosystem":"ruby"}`, "Name has already been taken"},
		{acme, `{"name":"a"}`, "Ecosystem can't be blank"},
		{acme, `{"name":"a","ecosystem":1}`, "Ecosystem must be a string"},
		{acme, `{"name":"a","ecosystem":"ruby","description":{}}`, "Description must be a string"},
		{acme, `{"name":"a","ecosystem":"ruby","emoji":[]}`, "Emoji must be a string"},
		{acme, `{"name":"a","ecosystem":"ruby","color":7}`, "Color must be a string"},
		{acme, `{"name":"a","ecosystem":"ruby","oidc_policy":7}`, "Oidc policy must be YAML or an array of statements"},
		{acme, `{"name":"a","ecosystem":"ruby","team_ids":"x"}`, "Team ids must be an array of UUIDs"},
		{images, `{"name":null}`, "Name can't be blank"},
		{images, `{"name":"Gems"}`, "Name has already been taken"},
		{images, `{"ecosystem":null}`, "Ecosystem can't be blank"},
		{images, `{"ecosystem":"ruby"}`, "Ecosystem can't be changed"},
	} {
		before := string(c.get(acme).body)
		c.send("POST", test.path, test.body).says(422, "Validation failed: "+test.message)
		if after := string(c.get(acme).body); after != before {
			t.Errorf("%s changed something: %s", test.body, after)
		}
	}
	c.send("POST", globex, `{"name":"Gems","ecosystem":"ruby"}`).is(200)
}
