package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

const few = 3

func aToken(n int) providers.ID {
	return providers.OrganizationID("p", "o").RegistryID("r").TokenID(fmt.Sprint(n))
}

func fullMemory() *Memory {
	m := NewMemory()
	m.most = few
	return m
}

func TestAFullMemoryRefusesCallsAndForgetsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const step = sweepEvery / 4
		m, ctx := fullMemory(), t.Context()
		key := func(n int) Key { return Key{Caller: "a", Key: fmt.Sprint(n)} }
		claim := func(n int) (bool, error) {
			_, mine, err := m.Claim(ctx, key(n), Call{State: Running, Began: time.Now()})
			return mine, err
		}
		for n := range few {
			if mine, err := claim(n); !mine || err != nil {
				t.Fatalf("claim %d: %v, %v", n, mine, err)
			}
			time.Sleep(step)
		}
		if _, err := claim(few); !errors.Is(err, ErrUnavailable) {
			t.Errorf("one more: %v, want %v", err, ErrUnavailable)
		}
		for n := range few {
			if mine, err := claim(n); mine || err != nil {
				t.Errorf("claim %d is forgotten: %v, %v", n, mine, err)
			}
			if err := m.Settle(ctx, key(n), Call{State: Done, Began: time.Now()}); err != nil {
				t.Errorf("settle %d: %v", n, err)
			}
		}
		time.Sleep(CallsKept - few*step) // the first one's end
		if mine, err := claim(few); !mine || err != nil {
			t.Errorf("once a place is free: %v, %v", mine, err)
		}
		if _, err := claim(few + 1); !errors.Is(err, ErrUnavailable) {
			t.Errorf("when it is taken: %v, want %v", err, ErrUnavailable)
		}
		if err := m.Release(ctx, key(few)); err != nil {
			t.Error(err)
		}
		if mine, err := claim(few + 1); !mine || err != nil {
			t.Errorf("once one is released: %v, %v", mine, err)
		}
		time.Sleep(step) // the second one's end
		if mine, err := claim(few + 2); !mine || err != nil {
			t.Errorf("once another place is free: %v, %v", mine, err)
		}
	})
}

func TestAFullMemoryRefusesRotationsAndFinishesThoseThatBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, ctx := fullMemory(), t.Context()
		begin := func(n int) error {
			_, _, err := m.BeginRotation(ctx, Rotation{Old: aToken(n), Began: time.Now()})
			return err
		}
		for n := range few {
			if err := begin(n); err != nil {
				t.Fatal(err)
			}
		}
		if err := begin(few); !errors.Is(err, ErrUnavailable) {
			t.Errorf("one more: %v, want %v", err, ErrUnavailable)
		}
		for n := range few {
			if err := m.FinishRotation(ctx, Rotation{Old: aToken(n), New: aToken(10 + n), Began: time.Now(), Ends: time.Now().Add(time.Hour)}); err != nil {
				t.Errorf("finish %d: %v", n, err)
			}
		}
		time.Sleep(2 * time.Hour) // nothing is in the way of another any more, and all is known still
		if err := begin(few); !errors.Is(err, ErrUnavailable) {
			t.Errorf("beside what is done: %v, want %v", err, ErrUnavailable)
		}
		got, err := m.Successors(ctx, []providers.ID{aToken(0), aToken(1), aToken(2)})
		if want := []providers.ID{aToken(10), aToken(11), aToken(12)}; err != nil || !slices.Equal(got, want) {
			t.Errorf("successors: got %v, %v, want %v", got, err, want)
		}
		time.Sleep(RotationsKept)
		if err := begin(few); err != nil {
			t.Errorf("once places are free: %v", err)
		}
		for name, size := range map[string]int{"begun": len(m.begun.entries), "next": len(m.next.entries), "previous": len(m.previous.entries)} {
			if size > 1 {
				t.Errorf("%d are in %s, want what has ended to be gone", size, name)
			}
		}
	})
}

func TestAPlaceIsFreeAsSoonAsAnyRotationIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, ctx := fullMemory(), t.Context()
		begin := func(n int) error {
			_, _, err := m.BeginRotation(ctx, Rotation{Old: aToken(n), Began: time.Now()})
			return err
		}
		if err := begin(0); err != nil {
			t.Fatal(err)
		}
		if err := m.FinishRotation(ctx, Rotation{Old: aToken(0), New: aToken(10), Began: time.Now(), Ends: time.Now().Add(100 * time.Hour)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(sweepEvery)
		if err := begin(1); err != nil {
			t.Fatal(err)
		}
		if err := begin(2); !errors.Is(err, ErrUnavailable) {
			t.Errorf("one more: %v, want %v", err, ErrUnavailable)
		}
		time.Sleep(RotationLease)
		if err := begin(2); err != nil {
			t.Errorf("once the second is forgotten: %v", err)
		}
	})
}

func TestAFullMemoryRefusesDeletionsAndPutsOffThoseThatThereAre(t *testing.T) {
	m, ctx, now := fullMemory(), t.Context(), time.Now()
	for n := range few {
		if err := m.Schedule(ctx, Deletion{Token: aToken(n), At: now}); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Schedule(ctx, Deletion{Token: aToken(few), At: now}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("one more: %v, want %v", err, ErrUnavailable)
	}
	if err := m.Schedule(ctx, Deletion{Token: aToken(0), At: now.Add(time.Hour)}); err != nil {
		t.Errorf("put off: %v", err)
	}
	if due, _, _ := m.TakeDue(ctx, now, 10, time.Minute); len(due) != few-1 {
		t.Errorf("%d are due, want %d", len(due), few-1)
	}
}

func TestWhatHasEndedIsForgottenWithoutBeingAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory()
		for n := range 100 {
			if _, _, err := m.Claim(t.Context(), Key{Key: fmt.Sprint(n)}, Call{}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(CallsKept)
		if _, _, err := m.Claim(t.Context(), Key{Key: "another"}, Call{}); err != nil {
			t.Fatal(err)
		}
		if got := len(m.calls.entries); got != 1 {
			t.Errorf("%d calls are in memory, want 1", got)
		}
	})
}

func TestWhoeverWaitsLongestIsNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory()
		unlock, err := m.Lock(t.Context(), aToken(1))
		if err != nil {
			t.Fatal(err)
		}
		var order []int
		for n := range 10 {
			go func() {
				unlock, err := m.Lock(t.Context(), aToken(1))
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, n)
				unlock()
			}()
			synctest.Wait()
		}
		unlock()
		synctest.Wait()
		if want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}; !slices.Equal(order, want) {
			t.Errorf("got %v, want %v", order, want)
		}
	})
}

func TestLocksThatNobodyUsesTakeNoMemory(t *testing.T) {
	m := NewMemory()
	for n := range 100 {
		unlock, err := m.Lock(t.Context(), aToken(n))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Microsecond)
		if _, err := m.Lock(ctx, aToken(n)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the lock is to be had twice: %v", err)
		}
		cancel()
		unlock()
		unlock()
	}
	if len(m.locks.held) != 0 {
		t.Errorf("%d locks are in memory, want none", len(m.locks.held))
	}
}
