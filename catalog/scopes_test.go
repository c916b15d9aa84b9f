package catalog

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

func TestAChangeTakesScopesAwayAndThenGivesSome(t *testing.T) {
	type scopes = []providers.Scope
	implicit := providers.Scope{Type: "registry", Name: "r", Actions: []string{"read"}, Implicit: true}
	for name, test := range map[string]struct {
		now    scopes
		change ScopesChange
		want   scopes
	}{
		"a new scope, its actions once each": {nil, ScopesChange{Add: scopes{scope("a", "x", "push", "pull", "push")}}, scopes{scope("a", "x", "pull", "push")}},
		"actions of a scope that is there": {
			scopes{scope("a", "x", "pull"), scope("a", "y", "pull")}, ScopesChange{Add: scopes{scope("a", "x", "delete", "pull")}},
			scopes{scope("a", "x", "delete", "pull"), scope("a", "y", "pull")},
		},
		"one scope in two parts": {nil, ScopesChange{Add: scopes{scope("a", "x", "pull"), scope("a", "x", "push")}}, scopes{scope("a", "x", "pull", "push")}},
		"the same name of another type is another": {
			scopes{scope("a", "x", "pull")}, ScopesChange{Add: scopes{scope("b", "x", "pull")}}, scopes{scope("a", "x", "pull"), scope("b", "x", "pull")},
		},
		"some actions away": {scopes{scope("a", "x", "delete", "pull", "push")}, ScopesChange{Remove: scopes{scope("a", "x", "push", "delete")}}, scopes{scope("a", "x", "pull")}},
		"the last actions away take the scope": {
			scopes{scope("a", "x", "pull", "push"), scope("a", "y", "pull")}, ScopesChange{Remove: scopes{scope("a", "x", "pull"), scope("a", "x", "push")}}, scopes{scope("a", "y", "pull")},
		},
		"a whole scope away":                                {scopes{scope("a", "x", "pull", "push")}, ScopesChange{Remove: scopes{scope("a", "x")}}, scopes{}},
		"what is not there cannot be taken":                 {scopes{scope("a", "x", "pull")}, ScopesChange{Remove: scopes{scope("a", "x", "push"), scope("a", "z")}}, scopes{scope("a", "x", "pull")}},
		"a scope that never had actions stays":              {scopes{scope("a", "x")}, ScopesChange{Remove: scopes{scope("a", "x", "push")}}, scopes{scope("a", "x")}},
		"taken first, given then":                           {scopes{scope("a", "x", "pull", "push")}, ScopesChange{Remove: scopes{scope("a", "x")}, Add: scopes{scope("a", "x", "push")}}, scopes{scope("a", "x", "push")}},
		"what is taken and given stays":                     {scopes{scope("a", "x", "pull")}, ScopesChange{Remove: scopes{scope("a", "x", "pull")}, Add: scopes{scope("a", "x", "pull")}}, scopes{scope("a", "x", "pull")}},
		"what is implicit cannot be taken, and is not told": {scopes{implicit}, ScopesChange{Remove: scopes{scope("registry", "r")}, Add: scopes{scope("a", "x", "pull")}}, scopes{scope("a", "x", "pull")}},
		"what is implicit is not made explicit":             {scopes{implicit}, ScopesChange{Add: scopes{scope("registry", "r", "write")}}, scopes{scope("registry", "r", "write")}},
		"a change that changes nothing is no harm":          {scopes{scope("a", "x", "pull")}, ScopesChange{Add: scopes{scope("a", "x", "pull")}}, scopes{scope("a", "x", "pull")}},
	} {
		if diff := cmp.Diff(test.change.of(test.now), test.want); diff != "" {
			t.Errorf("%s: the scopes differ (-got +want):\n%s", name, diff)
		}
	}
}

func TestAChangeOfScopesLeavesTheListsItIsMadeOfAlone(t *testing.T) {
	roomy := func(actions ...string) []string { return slices.Grow(actions, 8) }
	now := []providers.Scope{{Type: "a", Name: "x", Actions: roomy("pull", "push")}, {Type: "a", Name: "y", Actions: roomy("pull")}}
	given := ScopesChange{
		Remove: []providers.Scope{{Type: "a", Name: "x", Actions: roomy("pull")}},
		Add:    []providers.Scope{{Type: "a", Name: "y", Actions: roomy("push", "delete")}, {Type: "a", Name: "z", Actions: roomy("push", "pull")}},
	}
	copied := func(list []providers.Scope) []providers.Scope {
		deep := slices.Clone(list)
		for i := range deep {
			deep[i].Actions = slices.Clone(deep[i].Actions[:cap(deep[i].Actions)])
		}
		return deep
	}
	whole := func() [][]providers.Scope {
		return [][]providers.Scope{copied(now), copied(given.Remove), copied(given.Add)}
	}
	before := whole()
	result := given.of(now)
	for i := range result {
		for j := range result[i].Actions {
			result[i].Actions[j] = "overwritten"
		}
	}
	if diff := cmp.Diff(whole(), before); diff != "" {
		t.Errorf("the lists have changed (-got +want):\n%s", diff)
	}
}

// TestScopesThatManyAddAtOnceAreAllThere: each reads the token, and puts the whole list back a while later.
func TestScopesThatManyAddAtOnceAreAllThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWriter(1, 1)
		s.slow(100 * time.Millisecond)
		c := over(t, s.account("a"))
		token := grid.r0.TokenID("t0")
		var all sync.WaitGroup
		var want []providers.Scope
		for i := range 32 {
			one := scope("repository", fmt.Sprintf("app-%02d", i), "pull")
			want = append(want, one)
			all.Go(func() {
				done(t)(c.PatchToken(t.Context(), PatchToken{Token: token, Scopes: &ScopesPatch{Change: &ScopesChange{Add: []providers.Scope{one}}}}))
			})
		}
		all.Wait()
		if diff := cmp.Diff(s.now(t, token).Scopes, want); diff != "" {
			t.Errorf("the scopes differ (-got +want):\n%s", diff)
		}
		expectRequests(t, s.requests(), map[string]int{"token": 32, "patch": 32})
	})
}

// TestAWholeListIsNotLostToAChangeThatWasUnderWay: the change has read the token when the list is set.
func TestAWholeListIsNotLostToAChangeThatWasUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWriter(1, 1)
		s.slow(time.Second)
		c := over(t, s.account("a"))
		token := grid.r0.TokenID("t0")
		set := []providers.Scope{scope("set", "x", "pull")}
		var all sync.WaitGroup
		all.Go(func() {
			change := &ScopesChange{Add: []providers.Scope{scope("added", "x", "pull")}}
			done(t)(c.PatchToken(t.Context(), PatchToken{Token: token, Scopes: &ScopesPatch{Change: change}}))
		})
		time.Sleep(1500 * time.Millisecond)
		done(t)(c.PatchToken(t.Context(), PatchToken{Token: token, Scopes: &ScopesPatch{Set: set}}))
		all.Wait()
		if diff := cmp.Diff(s.now(t, token).Scopes, set); diff != "" {
			t.Errorf("the scopes differ (-got +want):\n%s", diff)
		}
	})
}
