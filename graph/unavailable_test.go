package graph_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/catalog"
)

const everything = `{
  organizations { nodes { name provider { slug } } unavailable { ...why } }
  registries { nodes { name provider { slug } } unavailable { ...why } }
  tokens(first: 100) { totalCount nodes { name provider { slug } } unavailable { ...why } }
}
fragment why on Unavailable { account { provider { slug } } organizationId reason message retryAfter staleSince }`

// whole is an answer to everything.
type whole struct{ Organizations, Registries, Tokens part }

type part struct {
	Nodes []struct {
		Name     string
		Provider struct{ Slug string }
	}
	Unavailable []struct {
		Account                struct{ Provider struct{ Slug string } }
		OrganizationID         *string
		Reason, Message        string
		RetryAfter, StaleSince *string
	}
}

// of are the names of what is there of one provider.
func (p part) of(provider string) []string {
	names := []string{}
	for _, n := range p.Nodes {
		if n.Provider.Slug == provider {
			names = append(names, n.Name)
		}
	}
	return names
}

func (w *world) everything(t *testing.T) whole {
	t.Helper()
	a := w.ask(t, everything, nil)
	if len(a.Errors) > 0 {
		t.Errorf("a list that lacks a source has errors: %v", a.Errors)
	}
	var all whole
	if err := json.Unmarshal(a.Data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

var otherOf = map[string]string{"buildkite": "ionos", "ionos": "buildkite"}

// TestOneProvidersFaultLeavesTheOthersDataWhole fails one provider in every way.
func TestOneProvidersFaultLeavesTheOthersDataWhole(t *testing.T) {
	for _, f := range faults() {
		for failing, other := range otherOf {
			t.Run(failing+" "+f.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n := newMemory()
					w := newWorld(t, plan{network: n, policy: catalog.Policy{MaxAge: demoPolicy()}})
					healthy := newWorld(t, plan{network: newMemory(), policy: catalog.Policy{MaxAge: demoPolicy()}}).everything(t)
					w.fail(n, failing, f, everywhere)
					began := time.Now()
					got := w.everything(t)
					if took := time.Since(began); took > 20*time.Second {
						t.Errorf("the answer took %v, want it well within an operation's 30 s", took)
					}
					for list, parts := range map[string][2]part{
						"organizations": {got.Organizations, healthy.Organizations},
						"registries":    {got.Registries, healthy.Registries},
						"tokens":        {got.Tokens, healthy.Tokens},
					} {
						if diff := cmp.Diff(parts[0].of(other), parts[1].of(other)); diff != "" {
							t.Errorf("the %s of %s (-got +want):\n%s", list, other, diff)
						}
						if list == "organizations" && failing == "ionos" {
							continue // told by the credential, without a request
						}
						expectWhy(t, list, parts[0], failing, f)
					}
				})
			})
		}
	}
}

// expectWhy expects that all of the provider is missing, and a reason for it.
func expectWhy(t *testing.T, list string, got part, failing string, f fault) {
	t.Helper()
	if names := got.of(failing); len(names) > 0 {
		t.Errorf("%s of the failing provider: %v, want none", list, names)
	}
	if len(got.Unavailable) != 1 {
		t.Fatalf("%s: unavailable is %+v, want one", list, got.Unavailable)
	}
	u := got.Unavailable[0]
	if u.Account.Provider.Slug != failing || u.Reason != f.reason || u.Message == "" || u.StaleSince != nil {
		t.Errorf("%s: unavailable is %+v, want %s, %s, a message and nothing stale", list, u, failing, f.reason)
	}
	if ofOne := u.OrganizationID != nil; ofOne != (failing == "ionos") {
		t.Errorf("%s: organizationId is told: %t", list, ofOne)
	}
	retryAfter := ""
	if u.RetryAfter != nil {
		retryAfter = *u.RetryAfter
	}
	if f.retryAfter != "" && retryAfter != f.retryAfter {
		t.Errorf("%s: retryAfter is %q, want %q", list, retryAfter, f.retryAfter)
	}
}

// nested asks for lists in lists, in edges.
const nestedLists = `{ organizations(first: 5) { edges { node { name provider { slug }
  registries(first: 10) { edges { node { name tokens(first: 20) { totalCount } } } } } } } }`

// TestANestedListThatFailsIsNullBesideItsSiblings fails the lists of registries of one provider.
func TestANestedListThatFailsIsNullBesideItsSiblings(t *testing.T) {
	for _, f := range faults() {
		for failing := range otherOf {
			t.Run(failing+" "+f.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n := newMemory()
					w := newWorld(t, plan{network: n})
					healthy := organizationsOf(t, newWorld(t, plan{network: newMemory()}).ask(t, nestedLists, nil))
					w.ask(t, "{ organizations { totalCount } }", nil)
					w.fail(n, failing, f, lists("registries"))
					a := w.ask(t, nestedLists, nil)
					got := organizationsOf(t, a)
					failed := 0
					for i, o := range got {
						if o.Node.Provider.Slug != failing {
							if diff := cmp.Diff(o, healthy[i]); diff != "" {
								t.Errorf("the registries of %s (-got +want):\n%s", o.Node.Name, diff)
							}
							continue
						}
						failed++
						if o.Node.Name == "" || o.Node.Registries != nil {
							t.Errorf("%s has registries: %+v, want null beside the name", o.Node.Name, o.Node.Registries)
						}
						expectError(t, a, []any{"organizations", "edges", float64(i), "node", "registries"}, failing, f)
					}
					if len(a.Errors) != failed {
						t.Errorf("%d errors, want %d: %v", len(a.Errors), failed, a.Errors)
					}
				})
			})
		}
	}
}

type organizationEdge struct {
	Node struct {
		Name       string
		Provider   struct{ Slug string }
		Registries *struct {
			Edges []struct {
				Node struct {
					Name   string
					Tokens struct{ TotalCount int }
				}
			}
		}
	}
}

func organizationsOf(t *testing.T, a answer) []organizationEdge {
	t.Helper()
	var data struct {
		Organizations struct{ Edges []organizationEdge }
	}
	if err := json.Unmarshal(a.Data, &data); err != nil || len(data.Organizations.Edges) != 3 {
		t.Fatalf("the organizations are %s, %v, want three", a.Data, err)
	}
	return data.Organizations.Edges
}

// expectError expects the fault's error at a path.
func expectError(t *testing.T, a answer, path []any, provider string, f fault) {
	t.Helper()
	for _, e := range a.Errors {
		if !cmp.Equal(e["path"], any(path)) {
			continue
		}
		extensions, _ := e["extensions"].(map[string]any)
		code := extensions["code"]
		if code != f.code || extensions["provider"] != provider || e["message"] == "" {
			t.Errorf("the error at %v is %v, want %s of %s with a message", path, e, f.code, provider)
		}
		if f.retryAfter != "" && extensions["retryAfter"] != f.retryAfter {
			t.Errorf("retryAfter is %v, want %s", extensions["retryAfter"], f.retryAfter)
		}
		if code == "UNAVAILABLE" && extensions["reason"] != f.reason {
			t.Errorf("reason is %v, want %s", extensions["reason"], f.reason)
		}
		return
	}
	t.Errorf("no error at %v in %v", path, a.Errors)
}
