package graph_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
)

// faultNamed finds a fault.
func faultNamed(t *testing.T, name string) fault {
	t.Helper()
	for _, f := range faults() {
		if f.name == name {
			return f
		}
	}
	t.Fatalf("no fault %q", name)
	return fault{}
}

const creators = `{ tokens(first: 5, filter: { providers: ["ionos"], registryIds: ["AXIFaW9ub3MIMzI3NDAxNTgkMTM2MjFiZjYtODY4OS00YzljLWJlMTktNjU3OWI2NDQzZTkx"] }) { edges { node { name
  createdBy { name email complete } registry { name } } } } }`

type creator struct {
	Name, Email string
	Complete    bool
}

// createdBy asks for who made IONOS's tokens, while its users cannot be read as the fault has it.
func createdBy(t *testing.T, f fault) (map[string]*creator, answer) {
	t.Helper()
	n := newMemory()
	w := newWorld(t, plan{network: n})
	w.ask(t, "{ registries { nodes { tokens(first: 1) { totalCount } } } }", nil) // all but people
	w.fail(n, "ionos", f, func(path string) bool { return strings.Contains(path, "/um/users") })
	a := w.ask(t, creators, nil)
	var data struct {
		Tokens struct {
			Edges []struct {
				Node struct {
					Name      string
					CreatedBy *creator
					Registry  *struct{ Name string }
				}
			}
		}
	}
	if err := json.Unmarshal(a.Data, &data); err != nil || len(data.Tokens.Edges) != 5 {
		t.Fatalf("the tokens are %s, %v, want five", a.Data, err)
	}
	made := map[string]*creator{}
	for _, e := range data.Tokens.Edges {
		made[e.Node.Name] = e.Node.CreatedBy
		if e.Node.Registry == nil {
			t.Errorf("the registry of %s is null, want it beside its creator", e.Node.Name)
		}
	}
	return made, a
}

// TestPeopleWhoAreHiddenAreShownAsFarAsTheirTokensTell: many credentials may not read people.
func TestPeopleWhoAreHiddenAreShownAsFarAsTheirTokensTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made, a := createdBy(t, faultNamed(t, "forbids"))
		if len(a.Errors) > 0 {
			t.Errorf("errors: %v", a.Errors)
		}
		for token, c := range made {
			if c == nil || c.Name == "" || c.Email != "" || c.Complete {
				t.Errorf("who made %s is %+v, want a label and no more", token, c)
			}
		}
		if c := made["release-job"]; c != nil && c.Name != "pipeline@lindenhof.example" {
			t.Errorf("who made release-job is %q, want the label that the token has", c.Name)
		}
	})
}

// TestPeopleWhoCannotBeReadNowAreNullWithAReason: the next answer may have them.
func TestPeopleWhoCannotBeReadNowAreNullWithAReason(t *testing.T) {
	for _, name := range []string{"has a fault", "is silent", "answers with a page", "limits requests for an hour"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := faultNamed(t, name)
				made, a := createdBy(t, f)
				for token, c := range made {
					if c != nil {
						t.Errorf("who made %s is %+v, want null", token, c)
					}
				}
				expectError(t, a, []any{"tokens", "edges", 0., "node", "createdBy"}, "ionos", f)
			})
		})
	}
}
