package graph_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"regtok/auth"
	"regtok/cache"
	"regtok/catalog"
	"regtok/graph"
	"regtok/graph/loader"
	"regtok/ledger"
	"regtok/providers"
)

// none is a caller who may do everything with nothing.
func none(t *testing.T) *auth.Viewer {
	t.Helper()
	viewer := auth.Local()
	var err error
	if viewer.Reach, err = viewer.Reach.Narrow(providers.ReachAccounts); err != nil {
		t.Fatal(err)
	}
	return &viewer
}

// TestWhoReachesNothingAsksNobody asks all root fields of the schema for something that is there, so that a new one cannot forget
// whom it answers.
func TestWhoReachesNothingAsksNobody(t *testing.T) {
	s := newStage(t, plan{viewer: none(t)})
	s.tell(t, event(ionosToken, 0))
	token, err := providers.ParseID(ionosToken)
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"name-0", token.Native, token.Registry, "k8s-pull", ionosToken, token.OfRegistry().String()}
	ask := func(t *testing.T, query string) {
		t.Helper()
		a := s.ask(t, query, nil)
		for _, name := range known {
			if strings.Contains(string(a.Data), name) {
				t.Errorf("%s tells of %s: %s", query, name, a.Data)
			}
		}
		expectUnasked(t, s.world, nil)
	}
	for operation, root := range map[string]*ast.Definition{"query": graph.Schema().Query, "mutation": graph.Schema().Mutation} {
		for _, field := range root.Fields {
			if !strings.HasPrefix(field.Name, "__") {
				t.Run(field.Name, func(t *testing.T) { ask(t, operation+" { "+chosen(field)+" }") })
			}
		}
	}
	for _, id := range []providers.ID{token, token.OfRegistry(), token.OfOrganization(), providers.AccountID("ionos", "demo"), providers.UserID("ionos", "u")} {
		t.Run("node of the kind "+string(id.Kind), func(t *testing.T) {
			if a := s.ask(t, fmt.Sprintf(`{ node(id: %q) { id } }`, id), nil); string(a.Data) != `{"node":null}` || len(a.Errors) > 0 {
				t.Errorf("answered %s, %v, want null", a.Data, a.Errors)
			}
			expectUnasked(t, s.world, nil)
		})
	}
	t.Run("lists", func(t *testing.T) {
		ask(t, `{ tokens { totalCount nodes { name } unavailable { reason } } registries { nodes { name } } organizations { nodes { name } } accounts { name } tokenExpiryEvents { nodes { id } } }`)
	})
}

func TestEventsOutOfReachAreNotTold(t *testing.T) {
	for name, said := range map[string]map[providers.ReachPart][]string{
		"of other accounts":   {"accounts": {"q-acct-two"}},
		"of other registries": {"registries": {providers.OrganizationID("q", "q-org01").RegistryID("q-org01-reg00").String()}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCounty(t)
			n := c.caller(t, "listener", said)
			s := c.stage(t, n)
			var names []string
			var in, out providers.ID
			for i, id := range c.ofKind(providers.TokenKind) {
				if !n.sees(id) {
					out = id
					continue
				}
				in, names = id, append(names, fmt.Sprint("name-", i))
			}
			past := s.follow(t, justNames, object{"after": ""}, "")
			present := s.follow(t, justNames, object{"includeCurrent": true}, "")
			past.hears(names...)
			present.hears(names...)
			c.append(t, c.log, expired(out.String(), 100))
			c.append(t, c.log, expired(in.String(), 101))
			past.hears("name-101")
			present.hears("name-101")
			for id, want := range map[string]string{c.eventOf(out).ID: `{"node":null}`, c.eventOf(in).ID: `{"node":{"id":"` + c.eventOf(in).ID + `"}}`} {
				if got := told(t, n.asks(t, c.replicas[0], n.viewer, fmt.Sprintf(`{ node(id: %q) { id } }`, id), nil)); got != want+" []" {
					t.Errorf("node tells %s, want %s", got, want)
				}
			}
			if list, _ := c.strayed(); len(list) > 0 {
				t.Errorf("asked: %v", list)
			}
		})
	}
}

// stage is a replica over HTTP, as one caller meets it.
func (c *county) stage(t *testing.T, n *narrowCaller) *stage {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.replicas[0].ServeHTTP(w, r.WithContext(auth.NewContext(r.Context(), n.viewer)))
	}))
	t.Cleanup(server.Close)
	return &stage{world: &world{url: server.URL, client: server.Client()}}
}

// TestAnIdempotencyKeyOfAnotherReachDoesNotAnswer: of two callers of one name, the second may not know of what the first has made.
func TestAnIdempotencyKeyOfAnotherReachDoesNotAnswer(t *testing.T) {
	registry := providers.OrganizationID("q", "q-org00").RegistryID("q-org00-reg00")
	create := func(key string) string {
		return fmt.Sprintf(`mutation { it: createToken(input: {registryId: %q, name: "made"%s}) { token { id } errors { code message path } } }`, registry, key)
	}
	const key = `, idempotencyKey: "key"`
	for name, said := range map[string]map[providers.ReachPart][]string{
		"another account": {"accounts": {"q-acct-two"}}, "another provider": {"providers": {"p"}}, "nothing": {"registries": {}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCounty(t)
			whole, narrow := c.caller(t, "ci", nil), c.caller(t, "ci", said)
			if made := whole.asks(t, c.replicas[0], whole.viewer, create(key), nil); !strings.Contains(made, `"errors":[]`) {
				t.Fatalf("the first call is answered %s", made)
			}
			got := told(t, narrow.asks(t, c.replicas[0], narrow.viewer, create(key), nil))
			want := told(t, narrow.asks(t, c.replicas[0], narrow.viewer, create(""), nil))
			if got != want || !strings.Contains(got, `"token":null,"errors":[{"code":"NOT_FOUND"`) || !strings.Contains(got, `"path":["registryId"]`) {
				t.Errorf("the second is answered %s, want %s, as without a key", got, want)
			}
		})
	}
}

// TestARotationLeadsNowhereOutOfReach has a ledger that says what no rotation does: that a token's successor lies in another registry.
func TestARotationLeadsNowhereOutOfReach(t *testing.T) {
	c := newCounty(t)
	registry := providers.OrganizationID("q", "q-org00").RegistryID("q-org00-reg00")
	in, out := registry.TokenID("q-org00-reg00-tok00"), registry.OfOrganization().RegistryID("q-org00-reg01").TokenID("q-org00-reg01-tok00")
	rotation := ledger.Rotation{Old: in, Began: time.Now(), New: out}
	if _, mine, err := c.ledger.BeginRotation(t.Context(), rotation); err != nil || !mine {
		t.Fatal(mine, err)
	}
	if err := c.ledger.FinishRotation(t.Context(), rotation); err != nil {
		t.Fatal(err)
	}
	whole, narrow := c.caller(t, "whole", nil), c.caller(t, "narrow", map[providers.ReachPart][]string{"registries": {registry.String()}})
	for n, want := range map[*narrowCaller]string{whole: `{"rotatedTo":{"id":"` + out.String() + `"}}`, narrow: `{"rotatedTo":null}`} {
		got := told(t, n.asks(t, c.replicas[0], n.viewer, fmt.Sprintf(`{ token(address: {id: %q}) { rotatedTo { id } } }`, in), nil))
		if got != `{"token":`+want+"} []" {
			t.Errorf("%s is told %s, want %s", n.viewer.Subject, got, want)
		}
	}
}

func TestAResponseForNobodyKnowsWhomIsRefused(t *testing.T) {
	store := cache.New(cache.Options{})
	defer store.Close()
	c := catalog.New(catalog.Options{Cache: store})
	defer func() {
		if recover() == nil {
			t.Error("a response was made without a reach")
		}
	}()
	loader.Attach(t.Context(), c)
}
