package catalog

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

// office is a provider's emulator with one registry, and a catalog over it that keeps its promises.
type office struct {
	*Catalog
	upstream *upstream
	diary    *diary
	registry providers.ID
}

// openOffice has to be called inside a bubble. Choices come in pairs of name and value.
func openOffice(t testing.TB, provider string, choices ...string) *office {
	t.Helper()
	chosen := map[string]string{}
	for pair := range slices.Chunk(choices, 2) {
		chosen[pair[0]] = pair[1]
	}
	o := &office{diary: newDiary()}
	o.upstream = emulate(t, driver(t, provider), providers.EmulatorOptions{Registries: 1, Tokens: 2, Choices: chosen})
	o.Catalog = newCatalog(t, Options{Accounts: []*Account{o.upstream.account(t, "main")}, Ledger: o.diary})
	found := o.Registries(t.Context(), o, RegistryFilter{})
	if len(found.Items) != 1 {
		t.Fatalf("there are the registries %v, want one", found)
	}
	o.registry = found.Items[0].ID
	keeping(t, o.Catalog)
	return o
}

// create makes a token as whole as the provider lets it be.
func (o *office) create(t testing.TB, name string) Written {
	t.Helper()
	in := CreateToken{Registry: o.registry, Name: name}
	if slices.Contains(o.upstream.driver.Capabilities.CreateFields, providers.FieldExpiry) {
		life := 30 * day
		in.Expiry = &Expiry{In: &life}
		in.Scopes = []providers.Scope{{Type: "repository", Name: "team/app", Actions: []string{"pull", "push"}}}
	}
	return done(t)(o.CreateToken(t.Context(), in))
}

// has asks the provider itself whether it has a token.
func (o *office) has(t testing.TB, id providers.ID) bool {
	t.Helper()
	_, err := o.Accounts(t.Context())[0].Provider.Token(t.Context(), id)
	if err != nil && providers.KindOf(err) != providers.NotFound {
		t.Fatal(err)
	}
	return err == nil
}

// writes counts what changes something, by method.
func (o *office) writes() map[string]int {
	defer o.upstream.Reset()
	counts := map[string]int{}
	for request, n := range o.upstream.Requests() {
		if method, _, _ := strings.Cut(request, " "); method != http.MethodGet {
			counts[method] += n
		}
	}
	return counts
}

// offices are the providers, with what nobody has settled about them, and how a rotation goes there.
var offices = map[string]struct {
	provider string
	choices  []string
	overlap  time.Duration
	promised bool
	name     string // of the new token after "ci"
	ending   map[string]int
}{
	"ionos":                         {"ionos", nil, 2 * day, false, "ci-2", map[string]int{"POST": 1, "PATCH": 1}},
	"ionos, the shortest end":       {"ionos", nil, time.Hour, false, "ci-2", map[string]int{"POST": 1, "PATCH": 1}},
	"ionos, too short an end":       {"ionos", nil, 20 * time.Minute, true, "ci-2", map[string]int{"POST": 1}},
	"ionos, ends in the past":       {"ionos", []string{"minimum_expiry", "past"}, time.Hour, false, "ci-2", map[string]int{"POST": 1, "PATCH": 1}},
	"ionos, any ends":               {"ionos", []string{"minimum_expiry", "none"}, time.Hour, false, "ci-2", map[string]int{"POST": 1, "PATCH": 1}},
	"ionos, names that are equal":   {"ionos", []string{"duplicate_name", "allowed"}, day, false, "ci-2", map[string]int{"POST": 1, "PATCH": 1}},
	"ionos, lists in another order": {"ionos", []string{"scope_order", "reversed"}, day, false, "ci-2", map[string]int{"POST": 1, "PATCH": 1}},
	"buildkite":                     {"buildkite", nil, 2 * day, true, "ci", map[string]int{"POST": 1}},
	"buildkite, other answers":      {"buildkite", []string{"create_status", "201", "delete_answer", "204"}, time.Minute, true, "ci", map[string]int{"POST": 1}},
}

func TestRotationsAtRealProviders(t *testing.T) {
	for name, test := range offices {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := openOffice(t, test.provider, test.choices...)
				first := o.create(t, "ci")
				old := first.Token
				time.Sleep(10 * day)
				o.writes()

				in := RotateToken{Token: old.ID, Overlap: test.overlap}
				got := turned(t)(o.RotateToken(t.Context(), in))
				if writes := o.writes(); !maps.Equal(writes, test.ending) {
					t.Errorf("writes: %v, want %v", writes, test.ending)
				}
				if got.Token.Name != test.name || got.Secret.Reveal() == first.Secret.Reveal() || got.Token.ID == old.ID {
					t.Errorf("the new token is called %q, want %q; or it is the old one, or has its secret", got.Token.Name, test.name)
				}
				expectAlike(t, got.Token, old)
				late := got.PreviousEnds.Sub(time.Now().Add(test.overlap))
				if late < -time.Second || late > time.Minute || (len(o.diary.deletions()) == 1) != test.promised {
					t.Errorf("the old token ends %s late, with the promises %v; want it by a promise: %v", late, o.diary.deletions(), test.promised)
				}
				if p := stopped(t)(o.RotateToken(t.Context(), in)); p.Kind != providers.Conflict || len(o.writes()) > 0 {
					t.Errorf("a second rotation's problem is %+v, want a CONFLICT and nothing sent", p)
				}
				expectKin(t, o, old.ID, got.Token.ID)

				time.Sleep(test.overlap - time.Second)
				if !o.has(t, old.ID) {
					t.Error("the old token is gone before the overlap is over")
				}
				time.Sleep(time.Minute + 2*time.Second)
				if o.has(t, old.ID) || !o.has(t, got.Token.ID) || len(o.diary.deletions()) > 0 {
					t.Error("the old token is there after the overlap, or the new one is gone, or the promise is still open")
				}
				turned(t)(o.RotateToken(t.Context(), RotateToken{Token: got.Token.ID}))
				if o.has(t, got.Token.ID) {
					t.Error("a token that was rotated without an overlap is still there")
				}
			})
		})
	}
}

// expectAlike compares what a rotation keeps.
func expectAlike(t *testing.T, token, old *Token) {
	t.Helper()
	life := func(t *Token) time.Duration {
		if t.ExpiresAt.IsZero() {
			return 0
		}
		return t.ExpiresAt.Sub(t.CreatedAt).Round(time.Minute)
	}
	alike := slices.EqualFunc(token.Scopes, old.Scopes, func(a, b providers.Scope) bool {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), slices.Compare(a.Actions, b.Actions)) == 0
	})
	if !alike || token.Enabled != old.Enabled || life(token) != life(old) {
		t.Errorf("the new token is %+v, want it like %+v", token.Token, old.Token)
	}
}

// expectKin expects two tokens to know each other.
func expectKin(t *testing.T, o *office, old, token providers.ID) {
	t.Helper()
	after, err := o.Successors(t.Context(), []providers.ID{old})
	if err != nil || !slices.Equal(after, []providers.ID{token}) {
		t.Errorf("the old token's successor is %v, %v, want the new one", after, err)
	}
	before, err := o.Predecessors(t.Context(), []providers.ID{token})
	if err != nil || !slices.Equal(before, []providers.ID{old}) {
		t.Errorf("the new token's predecessor is %v, %v, want the old one", before, err)
	}
}

// spoilt refuses the requests of one method with a status.
func (o *office) spoilt(method string, status int) {
	refusal := refuse(status)
	o.upstream.Spoil(func(w http.ResponseWriter, r *http.Request, nth int) bool {
		return r.Method == method && refusal(w, r, nth)
	})
}

// kinds are the kinds of failure that the statuses of refused writes come to.
var kinds = map[int]providers.Kind{
	400: providers.Invalid, 401: providers.Forbidden, 403: providers.Forbidden, 404: providers.NotFound, 409: providers.Conflict,
	422: providers.Invalid, 429: providers.RateLimited, 500: providers.OutcomeUnknown, 503: providers.OutcomeUnknown,
	200: providers.OutcomeUnknown, // without a body
}

func TestARefusedFirstStepLeavesTheOldTokenAlone(t *testing.T) {
	for _, provider := range []string{"ionos", "buildkite"} {
		for status, want := range kinds {
			t.Run(provider+" "+http.StatusText(status), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					o := openOffice(t, provider)
					old := o.create(t, "ci").Token
					o.writes()
					o.spoilt(http.MethodPost, status)
					in := RotateToken{Token: old.ID, Overlap: day}
					p := stopped(t)(o.RotateToken(t.Context(), in))
					tries := 1
					if provider == "ionos" && status == http.StatusConflict {
						tries = mostNames // under other names: a conflict made nothing
					}
					if writes := o.writes(); p.Kind != want || !maps.Equal(writes, map[string]int{"POST": tries}) {
						t.Errorf("the problem is %+v after %v, want %s after %d", p, writes, want, tries)
					}
					if now := o.TokensByID(t.Context(), []providers.ID{old.ID})[0]; now.Err != nil || now.Value.Version() != old.Version() {
						t.Errorf("the old token is %+v, %v; want it as it was", now.Value, now.Err)
					}
					o.upstream.Spoil(nil)
					turned(t)(o.RotateToken(t.Context(), in))
				})
			})
		}
	}
}

func TestARefusedSecondStepIsToldBesideTheNewToken(t *testing.T) {
	for provider, end := range map[string]struct {
		method  string
		overlap time.Duration
	}{"ionos": {http.MethodPatch, day}, "buildkite": {http.MethodDelete, 0}} {
		for status, want := range kinds {
			t.Run(provider+" "+http.StatusText(status), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					o := openOffice(t, provider)
					old := o.create(t, "ci").Token
					o.writes()
					o.spoilt(end.method, status)
					got, err := o.RotateToken(t.Context(), RotateToken{Token: old.ID, Overlap: end.overlap})
					switch {
					case status == http.StatusNotFound, status == http.StatusOK && end.method == http.MethodDelete:
						if turned(t)(got, err); got.Previous != nil {
							t.Errorf("the old token is told as %+v, want it gone", got.Previous)
						}
					default:
						if _, p := halfway(t)(got, err); p.Kind != want || !slices.Equal(p.Path, []string{"overlap"}) {
							t.Errorf("the problem is %+v, want %s at overlap", p, want)
						}
					}
					if writes := o.writes(); !maps.Equal(writes, map[string]int{"POST": 1, end.method: 1}) {
						t.Errorf("writes: %v, want one of each step", writes)
					}
					if now := o.TokensByID(t.Context(), []providers.ID{got.Token.ID})[0]; now.Err != nil || now.Value.ID != got.Token.ID {
						t.Errorf("the new token is %+v, %v; want it there", now.Value, now.Err)
					}
					expectKin(t, o, old.ID, got.Token.ID)
				})
			})
		}
	}
}
