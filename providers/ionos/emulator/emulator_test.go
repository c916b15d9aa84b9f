package emulator

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

func TestTheStoryHasEveryStateAndEverySpan(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	states := map[string]string{}
	for _, item := range c.list(registriesPath) {
		states[at(item, "properties.name").(string)] = at(item, "metadata.state").(string)
	}
	want := map[string]string{
		"lindenhof-archive": "Suspended", "lindenhof-images": "Running", "lindenhof-edge": "Running",
		"lindenhof-broken": "FAILED", "lindenhof-staging": "WaitingForStorage", "lindenhof-lab": "New",
	}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	got := c.tokensOf("images")
	for _, name := range []string{"ci-push", "smoke-test", "old-laptop"} {
		if !slices.Contains(got, name) {
			t.Errorf("tokens of images = %v, want %s among them", got, name)
		}
	}
	if got := c.tokensOf("lab"); len(got) != 0 {
		t.Errorf("tokens of lab = %v, want none", got)
	}
}

func TestTwoEmulatorsHaveTheSameIDs(t *testing.T) {
	ids := func(c *client) (ids []any) {
		for _, item := range append(c.list(registriesPath), c.list(tokensPath("images"))...) {
			ids = append(ids, at(item, "id"))
		}
		return ids
	}
	a, b := ids(serve(t, providers.EmulatorOptions{})), ids(serve(t, providers.EmulatorOptions{}))
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("ids differ:\n%s", diff)
	}
	for _, id := range a {
		if !uuidPattern.MatchString(id.(string)) || id.(string)[14] != '4' {
			t.Errorf("id %v does not look like a UUID of version 4", id)
		}
	}
}

func TestNumbersReplaceTheStory(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{Registries: 3, Tokens: 7})
	registries := c.list(registriesPath)
	if len(registries) != 3 {
		t.Fatalf("%d registries, want 3", len(registries))
	}
	never := 0
	for _, r := range registries {
		if got := at(r, "metadata.state"); got != "Running" {
			t.Errorf("state = %v, want Running", got)
		}
		tokens := c.list(registriesPath + "/" + at(r, "id").(string) + "/tokens")
		if len(tokens) != 7 {
			t.Errorf("%d tokens, want 7", len(tokens))
		}
		for _, tok := range tokens {
			if at(tok, "properties.expiryDate") == nil {
				never++
			}
		}
	}
	if never != 9 {
		t.Errorf("%d tokens never expire, want 9 of 21", never)
	}
}

func TestSettingsPointAtTheServerWithACredentialThatWorks(t *testing.T) {
	for _, token := range []string{"", "the-only-one"} {
		c := serve(t, providers.EmulatorOptions{Token: token})
		settings := c.options.Settings(c.base)
		if got, want := settings["base_url"].Reveal(), c.base+"/containerregistries"; got != want {
			t.Errorf("base_url = %q, want %q", got, want)
		}
		if got, want := settings["cloud_url"].Reveal(), c.base+"/cloudapi/v6"; got != want {
			t.Errorf("cloud_url = %q, want %q", got, want)
		}
		c.as("Bearer " + settings["token"].Reveal()).registries("").want(200)
		c.as("Bearer " + settings["token"].Reveal()).get("/cloudapi/v6/um/users").want(200)
	}
	if e := start(t, providers.EmulatorOptions{}); e.RenameRegistry != nil {
		t.Error("RenameRegistry is there, but names are fixed at this provider")
	}
}

func TestOptionsThatMakeNoSenseAreRefusedByName(t *testing.T) {
	for _, test := range []struct {
		options providers.EmulatorOptions
		field   string
		says    []string
	}{
		{choosing("replace_staus", "200"), "replace_staus",
			[]string{`"replace_staus"`, "replace_status", "requests_per_minute"}},
		{choosing("replace_status", "202"), "replace_status", []string{`"202"`, "200, 201"}},
		{choosing("last_page", ""), "last_page", []string{`""`, "empty, absent, spare"}},
		{providers.EmulatorOptions{Registries: -1}, "registries", []string{"negative"}},
		{providers.EmulatorOptions{Registries: 1, Tokens: -1}, "registries", []string{"negative"}},
	} {
		_, err := New(test.options)
		refusal, ok := errors.AsType[*providers.Error](err)
		if !ok || refusal.Kind != providers.Invalid || refusal.Field != test.field {
			t.Errorf("New(%+v) = %v, want %q to be Invalid", test.options, err, test.field)
			continue
		}
		for _, word := range test.says {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("New(%+v) = %v, want it to say %s", test.options, err, word)
			}
		}
	}
}

func TestEveryValueOfEveryChoiceIsTakenAndDescribed(t *testing.T) {
	for _, choice := range choices() {
		if choice.Help == "" || len(choice.Values) < 2 {
			t.Errorf("choice %s has no help or nothing to choose", choice.Name)
		}
		for _, value := range choice.Values {
			serve(t, choosing(choice.Name, value)).registries("").want(200)
		}
	}
}

func TestManyClientsAtOnce(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			name := "worker-" + string(rune('a'+i))
			made := c.post(tokensPath("lab"), `{"properties":{"name":"`+name+`"}}`)
			if made.status != 201 {
				t.Errorf("%s: status %d\n%s", name, made.status, made.text)
				return
			}
			path := tokensPath("lab") + "/" + at(made.json, "id").(string)
			for range 5 {
				if got := c.patch(path, `{"status":"disabled"}`).status; got != 200 {
					t.Errorf("patch %s: status %d", name, got)
				}
				c.get(tokensPath("lab"))
				c.get(registriesPath)
			}
			if i%2 == 0 {
				c.delete(path)
			}
		})
	}
	wait.Wait()
	if got := len(c.tokensOf("lab")); got != 8 {
		t.Errorf("%d tokens left, want 8", got)
	}
}
