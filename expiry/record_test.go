package expiry_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"regtok/expiry"
	"regtok/expiry/expirytest"
	"regtok/providers"
)

var errCrash = errors.New("it died")

// frail is an index and a log whose calls fail as they are told: before they do anything, or after it.
type frail struct {
	expiry.Index
	expiry.Log
	fails func() (before, after bool)
	// promised are the events of the states that were saved, by token, in order.
	promised map[providers.ID][]string
}

func (f *frail) Put(ctx context.Context, states []expiry.State) ([]bool, error) {
	before, after := f.fails()
	if before {
		return nil, errCrash
	}
	saved, err := f.Index.Put(ctx, states)
	for i, s := range states {
		for _, e := range s.Untold {
			if known := f.promised[s.Subject.Token]; saved[i] && !slices.Contains(known, e.ID) {
				f.promised[s.Subject.Token] = append(known, e.ID)
			}
		}
	}
	if after {
		return nil, errCrash
	}
	return saved, err
}

func (f *frail) Append(ctx context.Context, events []expiry.Event) ([]bool, error) {
	before, after := f.fails()
	if before {
		return nil, errCrash
	}
	fresh, err := f.Log.Append(ctx, events)
	if after {
		return nil, errCrash
	}
	return fresh, err
}

func TestWhereverAProcessDiesWhatWasSavedIsToldOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var failed string
		synctest.Test(t, func(t *testing.T) { failed = liveAndDie(t.Context(), rt) })
		if failed != "" {
			rt.Fatal(failed)
		}
	})
}

// liveAndDie lets processes watch a few tokens, die and go on; it returns what is wrong in the end.
func liveAndDie(ctx context.Context, t *rapid.T) string {
	const tokens = 3
	rule := expiry.NewRule(expiry.Settings{Thresholds: []time.Duration{8 * time.Hour, 2 * time.Hour}})
	calm := false
	f := &frail{Index: expiry.NewMemoryIndex(), Log: expiry.NewMemory(0, 0), promised: map[providers.ID][]string{}}
	f.fails = func() (before, after bool) {
		if calm {
			return false, false
		}
		fate := rapid.IntRange(0, 5).Draw(t, "fate")
		return fate == 0, fate == 1
	}
	truth := make([]expiry.Reading, tokens)
	for n := range truth {
		truth[n] = expiry.Reading{Subject: expirytest.Subject(n), Source: expiry.ByPolicy}
	}
	// look looks at tokens, from states that may be old by now, and records what comes of it.
	look := func(states []expiry.State) {
		var next []expiry.State
		for _, s := range states {
			n := slices.IndexFunc(truth, func(r expiry.Reading) bool { return r.Subject.Token == s.Subject.Token })
			reading := truth[n]
			reading.At = time.Now()
			if got := rule.Read(s, reading, time.Now()); got.Save {
				next = append(next, got.State)
			}
		}
		_, _ = expiry.Record(ctx, f, f, next)
	}
	get := func() []expiry.State {
		var ids []providers.ID
		for _, r := range truth {
			ids = append(ids, r.Subject.Token)
		}
		states, _ := f.Get(ctx, ids)
		return states
	}
	old := get()
	for range rapid.IntRange(1, 30).Draw(t, "turns") {
		n := rapid.IntRange(0, tokens-1).Draw(t, "token")
		switch rapid.IntRange(0, 6).Draw(t, "what happens") {
		case 0:
			truth[n].Due = time.Now().Add(time.Duration(rapid.IntRange(-1, 12).Draw(t, "due")) * time.Hour)
		case 1:
			truth[n].Disabled = !truth[n].Disabled
		case 2:
			truth[n].Gone = !truth[n].Gone
		case 3:
			time.Sleep(time.Duration(rapid.IntRange(1, 300).Draw(t, "minutes")) * time.Minute)
		case 4:
			look(old) // of a process that was slow
		case 5:
			old = get()
			look(old)
		default:
			states, _, _ := f.Take(ctx, time.Now(), 10, time.Second)
			look(states)
		}
	}
	calm = true
	time.Sleep(time.Minute) // leases are over
	for range 2 {
		states, _, err := f.Take(ctx, time.Now(), 100, 0)
		if err == nil {
			_, err = expiry.Record(ctx, f, f, states)
		}
		if err != nil {
			return err.Error()
		}
	}
	return f.unkept(ctx)
}

// unkept is how what is in the log differs from what was promised.
func (f *frail) unkept(ctx context.Context) string {
	page, err := f.Read(ctx, "", 10_000)
	if err != nil {
		return err.Error()
	}
	told := map[providers.ID][]string{}
	for _, entry := range page.Entries {
		told[entry.Event.Subject.Token] = append(told[entry.Event.Subject.Token], entry.Event.ID)
	}
	if len(told) != len(f.promised) {
		return "of some token nothing was told, or nothing promised"
	}
	for token, ids := range f.promised {
		if !slices.Equal(told[token], ids) {
			return "what was told is not what was promised, or in another order"
		}
	}
	return ""
}

func TestWhatIsUntoldIsHandedOutSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		index, log := expiry.NewMemoryIndex(), expiry.NewMemory(0, 0)
		dead := &frail{Index: index, Log: log, fails: func() (bool, bool) { return false, false }, promised: map[providers.ID][]string{}}
		state := expiry.State{Subject: expirytest.Subject(1), Due: time.Now().Add(time.Hour), Source: expiry.ByPolicy, Untold: expirytest.Events(1, 2)}
		calls := 0
		dead.fails = func() (bool, bool) { calls++; return calls > 1, false }
		if _, err := expiry.Record(t.Context(), dead, dead, []expiry.State{state}); !errors.Is(err, errCrash) {
			t.Fatalf("got %v, want %v", err, errCrash)
		}
		_, next, err := index.Take(t.Context(), time.Now(), 1, time.Minute)
		if err != nil || next.After(time.Now().Add(2*time.Second)) {
			t.Errorf("the next is to be looked at %v, %v", next, err)
		}
		time.Sleep(2 * time.Second)
		states, _, err := index.Take(t.Context(), time.Now(), 1, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if lost, err := expiry.Record(t.Context(), index, log, states); err != nil || len(lost) > 0 {
			t.Errorf("got %v, %v", lost, err)
		}
		if _, ok, err := log.Find(t.Context(), state.Untold[0].ID); !ok || err != nil {
			t.Errorf("it was not told: %v", err)
		}
	})
}

func TestWhoIsTooLateTellsNothing(t *testing.T) {
	index, log := expiry.NewMemoryIndex(), expiry.NewMemory(0, 0)
	states := []expiry.State{expirytest.State(1, time.Now()), expirytest.State(2, time.Now())}
	if _, err := expiry.Record(t.Context(), index, log, states); err != nil {
		t.Fatal(err)
	}
	states[0].Untold, states[0].Subject = expirytest.Events(1, 2), expirytest.Event(1).Subject // of version 0 still
	lost, err := expiry.Record(t.Context(), index, log, states[:1])
	if err != nil || !slices.Equal(lost, []providers.ID{states[0].Subject.Token}) {
		t.Errorf("lost are %v, %v", lost, err)
	}
	if _, ok, err := log.Find(t.Context(), states[0].Untold[0].ID); ok || err != nil {
		t.Errorf("it was told: %v", err)
	}
}

func TestManyStatesAreRecordedInParts(t *testing.T) {
	index, log := expiry.NewMemoryIndex(), expiry.NewMemory(0, 0)
	var states []expiry.State
	for n := range 1000 {
		state := expirytest.State(n, time.Now().Add(time.Hour))
		state.Untold = expirytest.Events(n, n+1)
		states = append(states, state)
	}
	if lost, err := expiry.Record(t.Context(), index, log, states); err != nil || len(lost) > 0 {
		t.Fatalf("got %v, %v", lost, err)
	}
	page, err := log.Read(t.Context(), "", 2000)
	if err != nil || len(page.Entries) != 1000 {
		t.Errorf("%d events were told, %v", len(page.Entries), err)
	}
	if taken, _, err := index.Take(t.Context(), time.Now().Add(30*time.Minute), 2000, 0); err != nil || len(taken) > 0 {
		t.Errorf("%d states are to be looked at, %v: want none", len(taken), err)
	}
}
