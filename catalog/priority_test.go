package catalog

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache"
	"regtok/ledger"
	"regtok/providers"
)

// urgencies are the contexts of all requests that an upstream gets.
type urgencies struct {
	mu   sync.Mutex
	seen []*http.Request
}

func (u *upstream) watch() *urgencies {
	w := &urgencies{}
	u.Spoil(func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.seen = append(w.seen, r)
		return false
	})
	return w
}

// wantAll expects requests since the last call, all of one priority, and covered or not.
func (w *urgencies) wantAll(t *testing.T, what string, priority providers.Priority, covered bool) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.seen) == 0 {
		t.Errorf("%s sent nothing", what)
	}
	for _, r := range w.seen {
		if got, by := providers.PriorityOf(r.Context()), providers.Covered(r.Context()); got != priority || by != covered {
			t.Errorf("%s: %s %s has priority %d, covered %v, want %d, %v", what, r.Method, r.URL.Path, got, by, priority, covered)
		}
	}
	w.seen = nil
}

// TestAllThatAWriteAsksGoesFirst makes each write with a catalog and an adapter that know nothing yet.
func TestAllThatAWriteAsksGoesFirst(t *testing.T) {
	registryOf := func(t *testing.T, c *Catalog) (providers.ID, providers.ID) {
		list := c.Registries(t.Context(), c, RegistryFilter{})
		made := done(t)(c.CreateToken(t.Context(), CreateToken{Registry: list.Items[0].ID, Name: "first"}))
		return list.Items[0].ID, made.Token.ID
	}
	for what, write := range map[string]func(ctx context.Context, c *Catalog, registry, token providers.ID) error{
		"create": func(ctx context.Context, c *Catalog, registry, _ providers.ID) error {
			_, err := c.CreateToken(ctx, CreateToken{Registry: registry, Name: "second"})
			return err
		},
		"patch": func(ctx context.Context, c *Catalog, _, token providers.ID) error {
			_, err := c.PatchToken(ctx, PatchToken{Token: token, Name: new("changed")})
			return err
		},
		"rotate": func(ctx context.Context, c *Catalog, _, token providers.ID) error {
			_, err := c.RotateToken(ctx, RotateToken{Token: token})
			return err
		},
		"delete": func(ctx context.Context, c *Catalog, _, token providers.ID) error {
			_, err := c.DeleteToken(ctx, DeleteToken{Token: token})
			return err
		},
		"a deletion that is due": func(ctx context.Context, c *Catalog, _, token providers.ID) error {
			err := c.schedule(ctx, ledger.Deletion{Token: token, At: time.Now()})
			time.Sleep(time.Minute)
			return err
		},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := emulate(t, driver(t, "buildkite"), providers.EmulatorOptions{Registries: 1})
				registry, token := registryOf(t, newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}}))
				c := newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}, Ledger: newDiary()})
				keeping(t, c)
				w := u.watch()
				if err := write(t.Context(), c, registry, token); err != nil {
					t.Fatal(err)
				}
				w.wantAll(t, what, providers.Writing, false)
				c.TokensByID(cache.NoCache(t.Context()), []providers.ID{token})
				w.wantAll(t, "a read", providers.Reading, false)
			})
		})
	}
}

func TestARenewalThatNobodyWaitsForIsCovered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := emulate(t, driver(t, "ionos"), providers.EmulatorOptions{Registries: 1, Tokens: 1})
		c := newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}})
		w := u.watch()
		read := map[string]func(){
			"tokens":     func() { tokensOf(t, c, TokenFilter{}) },
			"registries": func() { c.Registries(t.Context(), c, RegistryFilter{}) },
		}
		for what, read := range read {
			read()
			w.wantAll(t, what+", cold", providers.Reading, false)
			time.Sleep(2 * registriesFresh)
			read()
			synctest.Wait()
			w.wantAll(t, what+", stale", providers.Reading, true)
			time.Sleep(2 * staleFor)
		}
	})
}

func TestAReplaceGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := emulate(t, driver(t, "ionos"), providers.EmulatorOptions{Registries: 1, Tokens: 1})
		c := newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}})
		token := tokensOf(t, c, TokenFilter{}).Items[0]
		w := u.watch()
		done(t)(c.ReplaceToken(t.Context(), ReplaceToken{Token: token.ID, Name: token.Name, Expiry: *never(), Scopes: []providers.Scope{}, Enabled: true}))
		w.wantAll(t, "replace", providers.Writing, false)
	})
}
