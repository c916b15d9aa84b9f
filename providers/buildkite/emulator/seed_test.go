package emulator

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

// everything reads all lists of the caller through the handler.
func everything(t *testing.T, e *providers.Emulator) []string {
	var bodies []string
	read := func(path string) []map[string]any {
		r := recorded(t, e, "bkua_ada", "GET", path, "").is(200)
		bodies = append(bodies, string(r.body))
		return r.array()
	}
	for _, organization := range fields(read("/v2/organizations"), "slug") {
		read("/v2/organizations/" + organization + "/members")
		registries := "/v2/packages/organizations/" + organization + "/registries"
		for _, registry := range fields(read(registries), "slug") {
			read(registries + "/" + registry + "/tokens")
		}
	}
	return bodies
}

func TestSeededDataIsTheSameAtEveryStart(t *testing.T) {
	for _, options := range []providers.EmulatorOptions{{}, {Registries: 5, Tokens: 3}} {
		var starts [][]string
		for range 2 {
			synctest.Test(t, func(t *testing.T) {
				e, err := New(options)
				if err != nil {
					t.Fatal(err)
				}
				starts = append(starts, everything(t, e))
			})
		}
		if diff := cmp.Diff(starts[0], starts[1]); diff != "" {
			t.Errorf("%+v (-first +second):\n%s", options, diff)
		}
	}
}

func TestIdsDoNotDependOnTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var starts [2][]string
		for i := range starts {
			e, err := New(providers.EmulatorOptions{})
			if err != nil {
				t.Fatal(err)
			}
			starts[i] = fields(recorded(t, e, "bkua_ada", "GET", images+"/tokens", "").array(), "id")
			time.Sleep(1000 * time.Hour)
		}
		if diff := cmp.Diff(starts[0], starts[1]); diff != "" {
			t.Errorf("ids (-first +second):\n%s", diff)
		}
	})
}

func TestIdsAreUUIDsThatSortByAge(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	c.send("POST", images+"/tokens", `{"description":"new"}`).is(200)
	tokens := c.get(images + "/tokens").is(200).array()
	ids := fields(tokens, "id")
	if !slices.IsSorted(ids) || !slices.IsSorted(fields(tokens, "created_at")) {
		t.Errorf("ids or dates are not sorted: %v", tokens)
	}
	v7 := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for i, id := range ids {
		if !v7.MatchString(id) || seen[id] {
			t.Errorf("%q is no UUID v7, or is there twice", id)
		}
		seen[id] = true
		global, err := base64.StdEncoding.DecodeString(tokens[i]["graphql_id"].(string))
		if want := "RegistryToken---" + id; string(global) != want || err != nil {
			t.Errorf("graphql_id means %q (%v), want %q", global, err, want)
		}
	}
}

func TestTheStoryHasSomethingOfEverything(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	const policy = 90 * day
	var overdue, soon, now, fresh, public, private, described, policies, plain int
	ecosystems, authors := map[string]bool{}, map[string]bool{}
	for _, path := range []string{acme, globex} {
		for _, registry := range c.get(path).is(200).array() {
			ecosystems[registry["ecosystem"].(string)] = true
			count(&public, registry["public"] == true)
			count(&private, registry["public"] == false)
			count(&described, registry["description"] != nil && registry["emoji"] != nil && registry["color"] != nil)
			count(&policies, registry["oidc_policy"] != nil)
			count(&plain, registry["description"] == nil)
			for _, token := range c.get(path + "/" + registry["slug"].(string) + "/tokens").is(200).array() {
				created, err := time.Parse(time.RFC3339, token["created_at"].(string))
				if err != nil {
					t.Error(err)
				}
				left := policy - time.Since(created)
				count(&overdue, left < 0)
				count(&now, left > 0 && left <= 2*time.Minute)
				count(&soon, left > 2*time.Minute && left < 14*day)
				count(&fresh, left > 60*day)
				authors[token["created_by"].(map[string]any)["name"].(string)] = true
			}
		}
	}
	for name, n := range map[string]int{
		"overdue tokens": overdue, "tokens due at once": now, "tokens due soon": soon, "fresh tokens": fresh,
		"public registries": public, "private registries": private, "described registries": described,
		"registries with a policy": policies, "plain registries": plain,
	} {
		if n == 0 {
			t.Errorf("no %s", name)
		}
	}
	if len(ecosystems) < 5 || len(authors) < 5 {
		t.Errorf("ecosystems %v and authors %v, want at least five of each", ecosystems, authors)
	}
}

func count(n *int, yes bool) {
	if yes {
		*n++
	}
}

func TestTheGridHasAsManyAsAskedFor(t *testing.T) {
	for _, test := range []struct{ registries, tokens, acme, globex int }{
		{1, 0, 1, 0}, {2, 1, 1, 1}, {7, 100, 4, 3}, {200, 3, 100, 100},
	} {
		c := serve(t, providers.EmulatorOptions{Registries: test.registries, Tokens: test.tokens})
		for path, want := range map[string]int{acme: test.acme, globex: test.globex} {
			registries := c.get(path).is(200).array()
			if len(registries) != want {
				t.Errorf("%+v: %d registries, want %d", test, len(registries), want)
			}
			for _, slug := range fields(registries, "slug") {
				tokens := c.get(path + "/" + slug + "/tokens").is(200).array()
				if len(tokens) != test.tokens || !slices.IsSorted(fields(tokens, "created_at")) {
					t.Errorf("%+v: %s has %d tokens, or not the oldest first", test, slug, len(tokens))
				}
			}
		}
	}
}

// twentyThousand shows what the emulator itself costs a benchmark of its clients.
var twentyThousand = providers.EmulatorOptions{Registries: 200, Tokens: 100}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		if _, err := New(twentyThousand); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkListTokens(b *testing.B) {
	e, err := New(twentyThousand)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		recorded(b, e, "bkua_ada", "GET", acme+"/registry-001/tokens", "").is(200)
	}
}

func TestSlugsAreMadeOfNames(t *testing.T) {
	for name, want := range map[string]string{
		"images": "images", "My  Registry!": "my-registry", "-a-": "a", "Größe 2": "gr-e-2", "日本": "", "": "", "../x": "x",
	} {
		if got := slugOf(name); got != want {
			t.Errorf("slugOf(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestSecretsAreOfTheDocumentedLength(t *testing.T) {
	secret := newSecret().Reveal()
	if len(secret) != 204 || !strings.HasPrefix(secret, "bkpt_") || secret == newSecret().Reveal() {
		t.Errorf("secret of %d characters, %.5s…, or the same twice", len(secret), secret)
	}
}
