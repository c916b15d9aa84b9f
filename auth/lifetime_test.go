package auth_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/auth"
	"regtok/providers"
)

// reader is a caller with a key who may read.
func reader(name string, key auth.Key) auth.Caller {
	return auth.Caller{Key: key.Hash(), Viewer: auth.Viewer{Subject: name, Permissions: []auth.Permission{auth.TokensRead, auth.EventsRead}}}
}

// ends notes how often the end of somebody's credential was told.
type ends struct {
	mu   sync.Mutex
	told map[string]int
}

func (e *ends) tell(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.told == nil {
		e.told = map[string]int{}
	}
	e.told[name]++
}

func (e *ends) of(name string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.told[name]
}

func (e *ends) watch(t *testing.T, callers *auth.Callers, name string, key auth.Key) {
	t.Helper()
	viewer, err := callers.Admit(t.Context(), "Bearer "+key.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(viewer.AtEnd(func() { e.tell(name) }))
}

func TestWhatBecomesOfKeysWhenTheyAreRenewed(t *testing.T) {
	key, other := auth.NewKey(), auth.NewKey()
	narrow, err := providers.Reach{}.Narrow(providers.ReachProviders, "ionos")
	if err != nil {
		t.Fatal(err)
	}
	changed := func(change func(*auth.Viewer)) []auth.Caller {
		caller := reader("ci", key)
		change(&caller.Viewer)
		return []auth.Caller{caller}
	}
	tests := []struct {
		name     string
		renewed  []auth.Caller
		want     auth.Renewal
		admitted string // whom the key is of then
		ends     bool
	}{
		{"the same", []auth.Caller{reader("ci", key)}, auth.Renewal{}, "ci", false},
		{"the same rights in another order", changed(func(v *auth.Viewer) { slices.Reverse(v.Permissions) }), auth.Renewal{}, "ci", false},
		{"another caller comes", []auth.Caller{reader("ci", key), reader("ops", other)}, auth.Renewal{Added: []string{"ops"}}, "ci", false},
		{"the key is gone", nil, auth.Renewal{Gone: []string{"ci"}}, "", true},
		{"another key for the same caller", []auth.Caller{reader("ci", other)}, auth.Renewal{Added: []string{"ci"}, Gone: []string{"ci"}}, "", true},
		{"a right less", changed(func(v *auth.Viewer) { v.Permissions = v.Permissions[:1] }), auth.Renewal{Changed: []string{"ci"}}, "ci", true},
		{"another right", changed(func(v *auth.Viewer) { v.Permissions[1] = auth.TokensDelete }), auth.Renewal{Changed: []string{"ci"}}, "ci", true},
		{"a reach", changed(func(v *auth.Viewer) { v.Reach = narrow }), auth.Renewal{Changed: []string{"ci"}}, "ci", true},
		{"an end", changed(func(v *auth.Viewer) { v.Until = time.Now().Add(time.Hour) }), auth.Renewal{Changed: []string{"ci"}}, "ci", true},
		{"an allowance", changed(func(v *auth.Viewer) { v.Allowance = &auth.Allowance{PerMinute: 100, Burst: 100} }), auth.Renewal{Changed: []string{"ci"}}, "ci", true},
		{"another name", []auth.Caller{reader("ops", key)}, auth.Renewal{Changed: []string{"ops"}}, "ops", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				callers := auth.NewCallers(auth.Config{Keys: []auth.Caller{reader("ci", key)}})
				var over ends
				over.watch(t, callers, "ci", key)
				before, _ := callers.Admit(t.Context(), "Bearer "+key.Reveal())
				if diff := cmp.Diff(callers.Renew(test.renewed), test.want); diff != "" {
					t.Errorf("Renew (-got +want):\n%s", diff)
				}
				synctest.Wait()
				if got := over.of("ci") == 1; got != test.ends || before.Ended() != test.ends {
					t.Errorf("ended: %v, and says %v, want %v", got, before.Ended(), test.ends)
				}
				got, err := callers.Admit(t.Context(), "Bearer "+key.Reveal())
				if got.Subject != test.admitted || test.admitted == "" && reasonOf(err) != auth.Unknown {
					t.Errorf("the key is of %q now, %v, want %q", got.Subject, err, test.admitted)
				}
			})
		})
	}
}

func TestWhoIsAdmittedAfterARenewalEndsWithTheNextOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, other := auth.NewKey(), auth.NewKey()
		callers := auth.NewCallers(auth.Config{Keys: []auth.Caller{reader("ci", key)}})
		var over ends
		callers.Renew([]auth.Caller{reader("ci", key), reader("ops", other)})
		over.watch(t, callers, "ci", key)
		over.watch(t, callers, "ops", other)
		callers.Renew([]auth.Caller{reader("ci", key)})
		synctest.Wait()
		if over.of("ops") != 1 || over.of("ci") != 0 {
			t.Errorf("told %v, want once for ops", over.told)
		}
		callers.Renew(nil)
		synctest.Wait()
		if over.of("ops") != 1 || over.of("ci") != 1 {
			t.Errorf("told %v, want once for each", over.told)
		}
	})
}

// TestAnEndIsToldOnce has viewers of every kind. Who has left is not told.
func TestAnEndIsToldOnce(t *testing.T) {
	tests := []struct {
		name  string
		until time.Duration // 0: none
		left  bool
		early int // told a second before the hour is over
		late  int // and after it
	}{
		{"for ever", 0, false, 0, 0},
		{"an hour", time.Hour, false, 0, 1},
		{"an hour, and the caller has left", time.Hour, true, 0, 0},
		{"over before", -time.Hour, false, 1, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				viewer := auth.Viewer{Subject: "oidc:ada"}
				if test.until != 0 {
					viewer.Until = time.Now().Add(test.until)
				}
				var over ends
				stop := viewer.AtEnd(func() { over.tell("ada") })
				defer stop()
				if test.left {
					stop()
				}
				time.Sleep(time.Hour - time.Second)
				synctest.Wait()
				early := over.of("ada")
				if got, want := viewer.Ended(), test.until < 0; got != want {
					t.Errorf("within the hour it says %v, want %v", got, want)
				}
				time.Sleep(48 * time.Hour)
				synctest.Wait()
				if got, want := viewer.Ended(), test.until != 0; got != want {
					t.Errorf("after it it says %v, want %v", got, want)
				}
				if late := over.of("ada"); early != test.early || late != test.late {
					t.Errorf("told %d times within the hour, and then %d times, want %d and %d", early, late, test.early, test.late)
				}
			})
		})
	}
}

func TestAKeyThatIsTakenBackBeforeItsEndEndsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := auth.NewKey()
		caller := reader("ci", key)
		caller.Viewer.Until = time.Now().Add(time.Hour)
		callers := auth.NewCallers(auth.Config{Keys: []auth.Caller{caller}})
		var over ends
		over.watch(t, callers, "ci", key)
		callers.Renew(nil)
		synctest.Wait()
		early := over.of("ci")
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if early != 1 || over.of("ci") != 1 {
			t.Errorf("told %d times at once and %d times in all, want once, at once", early, over.of("ci"))
		}
	})
}

// TestCallersAreAdmittedWhileKeysAreRenewed has many callers at once. Nobody is refused whose key was there all the time.
func TestCallersAreAdmittedWhileKeysAreRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stays, comes := auth.NewKey(), auth.NewKey()
		with, without := []auth.Caller{reader("ci", stays), reader("ops", comes)}, []auth.Caller{reader("ci", stays)}
		callers := auth.NewCallers(auth.Config{Keys: without})
		for range 8 {
			go func() {
				for range 200 {
					if _, err := callers.Admit(t.Context(), "Bearer "+stays.Reveal()); err != nil {
						t.Errorf("refused: %v", err)
					}
					if got, err := callers.Admit(t.Context(), "Bearer "+comes.Reveal()); err == nil && got.Subject != "ops" {
						t.Errorf("admitted as %q", got.Subject)
					}
				}
			}()
		}
		for i := range 200 {
			callers.Renew([][]auth.Caller{with, without}[i%2])
		}
		synctest.Wait()
	})
}
