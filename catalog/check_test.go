package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
	"regtok/providers/all"
)

// told is what a problem is about, in short: "INVALID scopes.0.type".
func told(problems []Problem) []string {
	var list []string
	for _, p := range problems {
		list = append(list, strings.TrimSpace(string(p.Kind)+" "+strings.Join(p.Path, ".")))
	}
	return list
}

func expectTold(t *testing.T, what string, got []Problem, want ...string) {
	t.Helper()
	if diff := cmp.Diff(told(got), want); diff != "" {
		t.Errorf("%s: the problems differ (-got +want):\n%s%+v", what, diff, got)
	}
	for _, p := range got {
		if p.Message == "" || p.Kind == providers.Unsupported && p.Provider == "" {
			t.Errorf("%s: a problem without a message, or without its provider: %+v", what, p)
		}
	}
}

// writeAll is each write with the same id and the same wishes, by name.
func writeAll(ctx context.Context, c *Catalog, id providers.ID, name string, expiry *Expiry, scopes []providers.Scope, enabled *bool) map[string]func() (Written, error) {
	registry := id
	if id.Kind == providers.TokenKind {
		registry = id.OfRegistry()
	}
	return map[string]func() (Written, error){
		"create": func() (Written, error) {
			return c.CreateToken(ctx, CreateToken{Registry: registry, Name: name, Expiry: expiry, Scopes: scopes, Enabled: enabled})
		},
		"replace": func() (Written, error) {
			in := ReplaceToken{Token: id, Name: name, Scopes: scopes, Enabled: enabled == nil || *enabled}
			if expiry != nil {
				in.Expiry = *expiry
			}
			return c.ReplaceToken(ctx, in)
		},
		"patch": func() (Written, error) {
			in := PatchToken{Token: id, Name: &name, Expiry: expiry, Enabled: enabled}
			if scopes != nil {
				in.Scopes = &ScopesPatch{Set: scopes}
			}
			return c.PatchToken(ctx, in)
		},
	}
}

func lasting(d time.Duration) *Expiry { return &Expiry{In: &d} }

func until(moment time.Time) *Expiry { return &Expiry{At: &moment} }

func never() *Expiry { return &Expiry{Never: new(true)} }

func scope(kind, name string, actions ...string) providers.Scope {
	return providers.Scope{Type: kind, Name: name, Actions: actions}
}

func TestAllThatIsWrongIsToldAtOnceWithItsPathAndNothingIsSent(t *testing.T) {
	s := newWriter(1, 1)
	s.driver.Capabilities.Names = providers.NameRule{Pattern: "^[a-z]+$", Help: "a name has small letters"}
	c := over(t, s.account("a"))
	odd := []providers.Scope{scope("", "", "pull"), scope("repository", "app"), scope("repository", "app", "pull", "", "")}
	wrong := []string{"INVALID name", "INVALID expiry.at"}
	at := func(prefix string) []string {
		var list []string
		for _, path := range []string{"0.type", "0.name", "1.actions", "2.actions.1", "2.actions.2"} {
			list = append(list, "INVALID "+prefix+path)
		}
		return list
	}
	for op, write := range writeAll(t.Context(), c, grid.r0.TokenID("t0"), "No!", until(time.Now().Add(-time.Second)), odd, nil) {
		prefix := "scopes."
		if op == "patch" {
			prefix = "scopes.set."
		}
		expectTold(t, op, written(t)(write()).Problems, append(wrong, at(prefix)...)...)
	}
	change := &ScopesPatch{Change: &ScopesChange{Remove: []providers.Scope{scope("", "")}, Add: []providers.Scope{scope("a", "b"), scope("", "", "")}}}
	expectTold(t, "change", written(t)(c.PatchToken(t.Context(), PatchToken{Token: grid.r0.TokenID("t0"), Scopes: change})).Problems,
		"INVALID scopes.change.remove.0.type", "INVALID scopes.change.remove.0.name", "INVALID scopes.change.add.0.actions",
		"INVALID scopes.change.add.1.type", "INVALID scopes.change.add.1.name", "INVALID scopes.change.add.1.actions.0")
	expectRequests(t, s.requests(), map[string]int{})
}

func TestAnExpirySaysExactlyOneThing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		for name, test := range map[string]struct {
			expiry Expiry
			want   []string
		}{
			"a date to come":               {Expiry{At: new(now.Add(time.Second))}, nil},
			"the last date there is":       {Expiry{At: new(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))}, nil},
			"a while":                      {Expiry{In: new(time.Second)}, nil},
			"never":                        {Expiry{Never: new(true)}, nil},
			"nothing":                      {Expiry{}, []string{"INVALID expiry"}},
			"two things":                   {Expiry{At: new(now.Add(time.Hour)), In: new(time.Hour)}, []string{"INVALID expiry"}},
			"a while, and never":           {Expiry{In: new(time.Hour), Never: new(true)}, []string{"INVALID expiry"}},
			"a while, and not never":       {Expiry{In: new(time.Hour), Never: new(false)}, []string{"INVALID expiry"}},
			"all three":                    {Expiry{At: &now, In: new(time.Hour), Never: new(true)}, []string{"INVALID expiry"}},
			"not never":                    {Expiry{Never: new(false)}, []string{"INVALID expiry.never"}},
			"now":                          {Expiry{At: &now}, []string{"INVALID expiry.at"}},
			"a date long past":             {Expiry{At: new(time.Time)}, []string{"INVALID expiry.at"}},
			"the year 10000":               {Expiry{At: new(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))}, []string{"INVALID expiry.at"}},
			"the year 10000, seen in 9999": {Expiry{At: new(time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("west", -3600)))}, []string{"INVALID expiry.at"}},
			"no while":                     {Expiry{In: new(time.Duration)}, []string{"INVALID expiry.in"}},
			"a while back":                 {Expiry{In: new(-time.Hour)}, []string{"INVALID expiry.in"}},
		} {
			s := newWriter(1, 1)
			c := over(t, s.account("a"))
			for op, write := range writeAll(t.Context(), c, grid.r0.TokenID("t0"), "n", &test.expiry, nil, nil) {
				expectTold(t, name+": "+op, written(t)(write()).Problems, test.want...)
			}
			if sent := len(s.requests()) > 0; sent != (test.want == nil) {
				t.Errorf("%s: something was sent: %v", name, sent)
			}
		}
	})
}

func TestScopesAreSetOrChangedAndNotForgotten(t *testing.T) {
	for name, test := range map[string]struct {
		scopes ScopesPatch
		want   []string
	}{
		"all away":           {ScopesPatch{Set: []providers.Scope{}}, nil},
		"nothing is said":    {ScopesPatch{}, []string{"INVALID scopes"}},
		"both":               {ScopesPatch{Set: []providers.Scope{}, Change: &ScopesChange{}}, []string{"INVALID scopes"}},
		"an empty change":    {ScopesPatch{Change: &ScopesChange{}}, []string{"INVALID scopes.change"}},
		"a whole scope away": {ScopesPatch{Change: &ScopesChange{Remove: []providers.Scope{scope("a", "b")}}}, nil},
	} {
		s := newWriter(1, 1)
		token := grid.r0.TokenID("t0")
		s.set(token, func(t *providers.Token) { t.Scopes = []providers.Scope{scope("kept", "scope", "pull")} })
		c := over(t, s.account("a"))
		expectTold(t, name, written(t)(c.PatchToken(t.Context(), PatchToken{Token: token, Scopes: &test.scopes})).Problems, test.want...)
		if got := len(s.now(t, token).Scopes); test.want != nil && got != 1 {
			t.Errorf("%s: the token has %d scopes, want 1", name, got)
		}
	}
}

func TestAPatchOfNothingIsInvalidAndSaysWhatCanBeChanged(t *testing.T) {
	c, upstreams := both(t, Options{})
	for name, want := range map[string]string{"buildkite": "name", "ionos": "expiry, scopes, enabled"} {
		id := providers.OrganizationID(name, "o").RegistryID("r").TokenID("t")
		p := refused(t)(c.PatchToken(t.Context(), PatchToken{Token: id}))
		if p.Kind != providers.Invalid || p.Path != nil || !strings.HasSuffix(p.Message, ": "+want) {
			t.Errorf("%s: %+v, want INVALID without a path, and %q", name, p, want)
		}
		if got := upstreams[name].requests(); got != 0 {
			t.Errorf("%s: %d requests were sent", name, got)
		}
	}
}

func TestIDsOfNobodyAreNotFound(t *testing.T) {
	s := newWriter(1, 1)
	idle := newWriter(1, 1)
	idle.driver.Name = "idle" // known, and without an account
	c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Drivers: []providers.Driver{s.driver, idle.driver}})
	nobody := providers.OrganizationID("nobody", "o").RegistryID("r")
	for name, test := range map[string]struct{ registry, token providers.ID }{
		"zero":                       {},
		"of another kind":            {grid.r0.TokenID("t0"), grid.r0},
		"of an organization":         {grid.o, grid.o},
		"of an unknown provider":     {nobody, nobody.TokenID("t")},
		"of a provider unaccounted":  {tokenAt("idle", "o").OfRegistry(), tokenAt("idle", "o")},
		"without a native part":      {grid.o.RegistryID(""), grid.r0.TokenID("")},
		"with a control character":   {grid.o.RegistryID("a\x00"), grid.r0.TokenID("a\nb")},
		"longer than an id can hold": {grid.o.RegistryID(strings.Repeat("a", 256)), grid.r0.TokenID(strings.Repeat("a", 256))},
	} {
		p := refused(t)(c.CreateToken(t.Context(), CreateToken{Registry: test.registry, Name: "n"}))
		expectTold(t, name+": create", []Problem{p}, "NOT_FOUND registryId")
		p = refused(t)(c.ReplaceToken(t.Context(), ReplaceToken{Token: test.token, Name: "n", Expiry: *never()}))
		expectTold(t, name+": replace", []Problem{p}, "NOT_FOUND token")
		p = refused(t)(c.PatchToken(t.Context(), PatchToken{Token: test.token, Name: new("n")}))
		expectTold(t, name+": patch", []Problem{p}, "NOT_FOUND token")
		p = refused(t)(c.DeleteToken(t.Context(), DeleteToken{Token: test.token, AllowMissing: true}))
		expectTold(t, name+": delete", []Problem{p}, "NOT_FOUND token")
	}
	expectRequests(t, s.requests(), map[string]int{})
	expectTold(t, "with more that is wrong", written(t)(c.CreateToken(t.Context(), CreateToken{Registry: grid.r0.TokenID("t"), Expiry: &Expiry{}})).Problems,
		"NOT_FOUND registryId", "INVALID name", "INVALID expiry")
}

// TestWhatIsRefusedAgreesWithTheCapabilities tries every combination of fields at every provider: what is refused is what
// the provider's capabilities do not have, and only what is not refused reaches the provider.
func TestWhatIsRefusedAgreesWithTheCapabilities(t *testing.T) {
	for _, d := range all.Drivers() {
		for mask := range 1 << len(allFields) {
			u := emulate(t, d, providers.EmulatorOptions{Registries: 1, Tokens: 1})
			c := newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}})
			token := tokensOf(t, c, TokenFilter{}).Items[0]
			u.Reset()
			given := slices.DeleteFunc(slices.Clone(allFields), func(f providers.TokenField) bool {
				return mask&(1<<slices.Index(allFields, f)) == 0
			})
			for op, test := range combined(t.Context(), c, token, given) {
				what := fmt.Sprintf("%s: %s with %v", d.Name, op, given)
				expectTold(t, what, written(t)(test.write()).Problems, test.want...)
				if sent := u.requests() > 0; sent != (test.want == nil) {
					t.Errorf("%s: something was sent: %v", what, sent)
				}
			}
		}
	}
}

type combination struct {
	write func() (Written, error)
	want  []string
}

// combined are the writes to a token with the given fields, and what the capabilities say of them.
func combined(ctx context.Context, c *Catalog, token *Token, given []providers.TokenField) map[string]combination {
	can := token.Account.Driver.Capabilities
	has := func(f providers.TokenField) bool { return slices.Contains(given, f) }
	create := CreateToken{Registry: token.ID.OfRegistry()}
	replace := ReplaceToken{Token: token.ID, Expiry: *never(), Enabled: true}
	patch := PatchToken{Token: token.ID}
	if has(providers.FieldName) {
		create.Name, replace.Name, patch.Name = "another", token.Name, new("another")
	}
	if has(providers.FieldExpiry) {
		create.Expiry, replace.Expiry, patch.Expiry = lasting(48*time.Hour), *lasting(48 * time.Hour), lasting(48*time.Hour)
	}
	if has(providers.FieldScopes) {
		list := []providers.Scope{scope("repository", "app", "pull")}
		create.Scopes, replace.Scopes, patch.Scopes = list, list, &ScopesPatch{Set: list}
	}
	if has(providers.FieldEnabled) {
		create.Enabled, replace.Enabled, patch.Enabled = new(false), false, new(false)
	}
	whole := declared(can.ReplaceFields, can.RequiredCreateFields, given)
	if len(can.ReplaceFields) == 0 {
		whole = []string{"UNSUPPORTED"}
	}
	changed := declared(can.PatchFields, nil, given)
	if len(given) == 0 {
		changed = []string{"INVALID"}
	}
	return map[string]combination{
		"create":  {func() (Written, error) { return c.CreateToken(ctx, create) }, declared(can.CreateFields, can.RequiredCreateFields, given)},
		"replace": {func() (Written, error) { return c.ReplaceToken(ctx, replace) }, whole},
		"patch":   {func() (Written, error) { return c.PatchToken(ctx, patch) }, changed},
	}
}

// declared is what has to be told of the given fields: first those that are missing, then those that are not there.
func declared(allowed, required, given []providers.TokenField) []string {
	paths := map[providers.TokenField]string{
		providers.FieldName: "name", providers.FieldExpiry: "expiry", providers.FieldScopes: "scopes", providers.FieldEnabled: "enabled",
	}
	var list []string
	for _, f := range required {
		if !slices.Contains(given, f) {
			list = append(list, "INVALID "+paths[f])
		}
	}
	for _, f := range given {
		if !slices.Contains(allowed, f) {
			list = append(list, "UNSUPPORTED "+paths[f])
		}
	}
	return list
}

func TestAProviderWithFewFieldsTakesTheInputsDefaultsForNoChoice(t *testing.T) {
	s := newWriter(1, 1)
	s.driver.Capabilities = providers.Capabilities{ReplaceFields: []providers.TokenField{providers.FieldName}}
	c := over(t, s.account("a"))
	token := grid.r0.TokenID("t0")
	done(t)(c.ReplaceToken(t.Context(), ReplaceToken{Token: token, Name: "n", Expiry: *never(), Scopes: []providers.Scope{}, Enabled: true}))
	s.requests()
	expectTold(t, "what was chosen", written(t)(c.ReplaceToken(t.Context(), ReplaceToken{
		Token: token, Name: "n", Expiry: *lasting(time.Hour), Scopes: []providers.Scope{scope("a", "b", "c")},
	})).Problems, "UNSUPPORTED expiry", "UNSUPPORTED scopes", "UNSUPPORTED enabled")
	expectTold(t, "create", written(t)(c.CreateToken(t.Context(), CreateToken{Registry: grid.r0, Name: "n"})).Problems, "UNSUPPORTED")
	expectTold(t, "patch", written(t)(c.PatchToken(t.Context(), PatchToken{Token: token, Name: new("n")})).Problems, "UNSUPPORTED")
	expectRequests(t, s.requests(), map[string]int{})
}

func TestAFieldThatIsFixedAtCreationIsSaidToBe(t *testing.T) {
	c, _ := both(t, Options{})
	id := func(provider string) providers.ID { return tokenAt(provider, "o") }
	for _, test := range []struct {
		in   PatchToken
		want Problem
	}{
		{PatchToken{Token: id("ionos"), Name: new("n")}, Problem{Kind: providers.Unsupported, Provider: "ionos", Field: providers.FieldName, Path: []string{"name"},
			Message: "IONOS Cloud Container Registry fixes the name of a token when it is created; leave name out"}},
		{PatchToken{Token: id("buildkite"), Expiry: never()}, Problem{Kind: providers.Unsupported, Provider: "buildkite", Field: providers.FieldExpiry, Path: []string{"expiry"},
			Message: "Buildkite Package Registries does not end tokens at a date; leave expiry out"}},
		{PatchToken{Token: id("buildkite"), Enabled: new(true)}, Problem{Kind: providers.Unsupported, Provider: "buildkite", Field: providers.FieldEnabled, Path: []string{"enabled"},
			Message: "Buildkite Package Registries cannot switch tokens on or off; leave enabled out"}},
		{PatchToken{Token: id("buildkite"), Scopes: &ScopesPatch{}}, Problem{Kind: providers.Unsupported, Provider: "buildkite", Field: providers.FieldScopes, Path: []string{"scopes"},
			Message: "Buildkite Package Registries does not let the scopes of a token be chosen; leave scopes out"}},
	} {
		if diff := cmp.Diff(refused(t)(c.PatchToken(t.Context(), test.in)), test.want); diff != "" {
			t.Errorf("the problem differs (-got +want):\n%s", diff)
		}
	}
}

func TestAProviderThatPutsNoWholeStateSaysWhatToUseInstead(t *testing.T) {
	c, upstreams := both(t, Options{})
	p := refused(t)(c.ReplaceToken(t.Context(), ReplaceToken{Token: tokenAt("buildkite", "o"), Expiry: Expiry{}}))
	if p.Kind != providers.Unsupported || p.Field != "" || p.Path != nil || p.Provider != "buildkite" || !strings.Contains(p.Message, "patchToken") {
		t.Errorf("%+v, want UNSUPPORTED without a field and a path, and patchToken", p)
	}
	if got := upstreams["buildkite"].requests(); got != 0 {
		t.Errorf("%d requests were sent, want none", got)
	}
}

func TestTheFormOfANameIsTheProviders(t *testing.T) {
	c, upstreams := both(t, Options{})
	for _, name := range []string{"a", "-a", "a-", "1a", "a b", "a_b", "größe", "a\n", strings.Repeat("a", 64)} {
		p := refused(t)(c.CreateToken(t.Context(), CreateToken{Registry: tokenAt("ionos", "o").OfRegistry(), Name: name}))
		if diff := cmp.Diff(p, Problem{Kind: providers.Invalid, Path: []string{"name"}, Message: driver(t, "ionos").Capabilities.Names.Help}); diff != "" {
			t.Errorf("a token called %q (-got +want):\n%s", name, diff)
		}
	}
	for name, u := range upstreams {
		expectTold(t, name, []Problem{refused(t)(c.CreateToken(t.Context(), CreateToken{Registry: tokenAt(name, "o").OfRegistry()}))}, "INVALID name")
		if got := u.requests(); got != 0 {
			t.Errorf("%s: %d requests were sent, want none", name, got)
		}
	}
}
