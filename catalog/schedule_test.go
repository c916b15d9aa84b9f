package catalog

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regtok/ledger"
	"regtok/providers"
)

// kept is a catalog whose schedule is kept, at a provider without ends. It has to be made inside a bubble.
func kept(t testing.TB, s *source, d *diary, j *journal) *Catalog {
	t.Helper()
	c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: d, Log: j.log(), Report: j.report})
	keeping(t, c)
	return c
}

// keeping keeps a schedule for the length of a test, or until it is stopped.
func keeping(t testing.TB, c *Catalog) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var keeper sync.WaitGroup
	keeper.Go(func() { c.KeepSchedule(ctx) })
	stop = func() {
		cancel()
		keeper.Wait()
	}
	t.Cleanup(stop)
	return stop
}

// there tells whether the provider has a token.
func there(s *source, id providers.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(id) != nil
}

func TestAPromisedDeletionIsDoneWhenItsTimeComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d, j := bare(newWriter(1, 1)), newDiary(), &journal{}
		c := kept(t, s, d, j)
		got := turned(t)(c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: day}))
		c.TokenLists(t.Context(), []providers.ID{oldToken.OfRegistry()})
		time.Sleep(day - soon)
		if !there(s, oldToken) {
			t.Fatal("the old token is gone before its time")
		}
		time.Sleep(2 * soon)
		if there(s, oldToken) || !there(s, got.Token.ID) {
			t.Error("the old token is still there, or the new one is gone")
		}
		list := c.TokenLists(t.Context(), []providers.ID{oldToken.OfRegistry()})[0].Value
		if len(list) != 1 || list[0].ID != got.Token.ID {
			t.Errorf("the registry is read as %v, want the new token alone", list)
		}
		if len(d.deletions()) != 0 || s.requests()["delete"] != 1 || j.lines("a token is deleted, as promised") != 1 {
			t.Errorf("promises: %v, the log says %q; want it done once and told", d.deletions(), j.text.String())
		}
		if err := c.TokensByID(t.Context(), []providers.ID{oldToken})[0].Err; providers.KindOf(err) != providers.NotFound {
			t.Errorf("the old token is read with %v, want NOT_FOUND", err)
		}
	})
}

func TestAPromiseThatAnotherProcessMadeIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := bare(newWriter(1, 1)), newDiary()
		kept(t, s, d, &journal{})
		time.Sleep(time.Minute + time.Second)
		other := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: d})
		turned(t)(other.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: time.Second}))
		time.Sleep(longestPause)
		if there(s, oldToken) {
			t.Error("the old token is still there half a minute later")
		}
	})
}

func TestAPromiseOfThisProcessIsKeptWithoutWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := bare(newWriter(1, 2)), newDiary()
		c := kept(t, s, d, &journal{})
		for _, id := range []providers.ID{oldToken, otherToken} {
			time.Sleep(lookAgain + time.Second)
			turned(t)(c.RotateToken(t.Context(), RotateToken{Token: id, Overlap: time.Second}))
			time.Sleep(time.Second + soon)
			if there(s, id) {
				t.Error("the old token is still there, want it gone with the end of the overlap")
			}
		}
	})
}

func TestADeletionIsDoneOnceByManyProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := bare(newWriter(1, 20)), newDiary()
		s.slow(time.Second)
		for range 3 {
			kept(t, s, d, &journal{})
		}
		for i := range 20 {
			if err := d.Schedule(t.Context(), ledger.Deletion{Token: grid.r0.TokenID(numbered("t", i)), At: time.Now().Add(time.Hour)}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Hour + lookAgain + 10*time.Second)
		if asked := s.requests(); asked["delete"] != 20 || len(d.deletions()) != 0 {
			t.Errorf("requests: %v, promises left: %d; want each done once", asked, len(d.deletions()))
		}
	})
}

func TestADeletionThatFailsIsDoneWhenTheProviderIsBack(t *testing.T) {
	for name, failure := range map[string]error{"down": errDown, "out of its allowance": errLimited, "refusing": errScope, "silent": errLost} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, d, j := bare(newWriter(1, 1)), newDiary(), &journal{}
				c := kept(t, s, d, j)
				turned(t)(c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: time.Hour}))
				s.failing(failure, "delete")
				time.Sleep(10 * time.Hour)
				tries := s.requests()["delete"]
				if !there(s, oldToken) || tries < 60 || tries > 9*60+1 {
					t.Errorf("it was tried %d times in nine hours, want about once a minute", tries)
				}
				if told := j.lines("is not deleted; it is tried again"); told != 1 {
					t.Errorf("the log tells it %d times, want once", told)
				}
				s.behave(nil)
				time.Sleep(2 * time.Minute)
				if there(s, oldToken) || len(d.deletions()) != 0 {
					t.Error("the old token is still there two minutes after the provider was back")
				}
			})
		})
	}
}

func TestAnotherFailureIsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d, j := bare(newWriter(1, 1)), newDiary(), &journal{}
		s.failing(errDown, "delete")
		c := kept(t, s, d, j)
		turned(t)(c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: time.Hour}))
		time.Sleep(2 * time.Hour)
		s.failing(errScope, "delete")
		time.Sleep(2 * time.Hour)
		s.behave(nil)
		time.Sleep(2 * time.Hour)
		s.failing(errScope, "delete")
		if err := d.Schedule(t.Context(), ledger.Deletion{Token: oldToken, At: time.Now()}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if told := j.lines("is not deleted; it is tried again"); told != 3 {
			t.Errorf("the log tells %d failures, want two, and one after the success between", told)
		}
	})
}

func TestATokenThatIsGoneNeedsNoDeletion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := bare(newWriter(1, 1)), newDiary()
		c := kept(t, s, d, &journal{})
		turned(t)(c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: time.Hour}))
		if err := s.DeleteToken(t.Context(), oldToken); err != nil { // past this server
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if asked := s.requests(); asked["delete"] != 2 || len(d.deletions()) != 0 {
			t.Errorf("requests: %v, promises: %v; want one more try and no promise", asked, d.deletions())
		}
	})
}

func TestADeletionTakesBackItsPromise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := bare(newWriter(1, 1)), newDiary()
		c := kept(t, s, d, &journal{})
		turned(t)(c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: time.Hour}))
		done(t)(c.DeleteToken(t.Context(), DeleteToken{Token: oldToken}))
		if promises := d.deletions(); len(promises) != 0 {
			t.Errorf("promises: %v, want none of a token that is gone", promises)
		}
	})
}

func TestATokenOfNoAccountIsNotTakenForGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d, j := bare(newWriter(1, 1)), newDiary(), &journal{}
		turned(t)(newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: d}).
			RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: time.Hour}))
		other := newSource("q")
		stop := keeping(t, newCatalog(t, Options{Accounts: []*Account{other.account("b")}, Ledger: d, Log: j.log(), Report: j.report}))
		time.Sleep(2 * time.Hour)
		if len(d.deletions()) != 1 || j.lines("is not deleted") != 1 {
			t.Errorf("promises: %v, the log says %q; want it kept and told", d.deletions(), j.text.String())
		}
		stop()
		keeping(t, newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: d}))
		time.Sleep(2 * time.Minute)
		if there(s, oldToken) {
			t.Error("the old token is still there when the account is back")
		}
	})
}

func TestAPanicInADeletionEndsNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d, j := bare(newWriter(1, 2)), newDiary(), &journal{}
		c := kept(t, s, d, j)
		for _, id := range []providers.ID{oldToken, otherToken} {
			turned(t)(c.RotateToken(t.Context(), RotateToken{Token: id, Overlap: time.Hour}))
		}
		s.behave(func(op string, id providers.ID) error {
			if op == "delete" && id == oldToken {
				panic("out of paper")
			}
			return nil
		})
		time.Sleep(2 * time.Hour)
		if there(s, otherToken) || !there(s, oldToken) || j.lines("out of paper") != 1 {
			t.Errorf("the log says %q; want one token deleted and the other's panic told once", j.text.String())
		}
	})
}

func TestAScheduleThatCannotBeReadIsToldOnceAndKeptWhenItCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d, j := bare(newWriter(1, 1)), newDiary(), &journal{}
		c := kept(t, s, d, j)
		turned(t)(c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: time.Hour}))
		synctest.Wait()
		d.questions()
		d.failing("take", ledger.ErrUnavailable)
		time.Sleep(2 * time.Hour)
		if asked := d.questions()["take"]; asked > 250 {
			t.Errorf("the ledger was asked %d times in two hours, want it left alone for longer and longer", asked)
		}
		d.failing("take", nil)
		time.Sleep(longestPause)
		if there(s, oldToken) {
			t.Error("the old token is still there half a minute after the ledger was back")
		}
		time.Sleep(time.Hour)
		d.failing("take", ledger.ErrUnavailable)
		time.Sleep(time.Hour)
		if lost, found := j.lines("promised deletions fails"), j.lines("promised deletions works again"); lost != 2 || found != 1 {
			t.Errorf("the log tells two faults %d times and one's end %d times, want each once", lost, found)
		}
	})
}

func TestADeletionThatCouldNotBeCrossedOutIsDoneAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := bare(newWriter(1, 1)), newDiary()
		d.failing("unschedule", ledger.ErrUnavailable)
		c := kept(t, s, d, &journal{})
		turned(t)(c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: time.Hour}))
		time.Sleep(time.Hour + time.Second)
		if there(s, oldToken) || len(d.deletions()) != 1 {
			t.Error("want the token gone and its deletion still entered")
		}
		d.failing("unschedule", nil)
		time.Sleep(2 * time.Minute)
		if len(d.deletions()) != 0 {
			t.Errorf("promises: %v, want none", d.deletions())
		}
	})
}

func TestManyDeletionsAreDoneAFewAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := bare(newWriter(1, 3*mostDeletions)), newDiary()
		s.slow(time.Second)
		var mu sync.Mutex
		now, most := 0, 0
		s.behave(func(op string, _ providers.ID) error {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			return nil
		})
		for i := range 3 * mostDeletions {
			if err := d.Schedule(t.Context(), ledger.Deletion{Token: grid.r0.TokenID(numbered("t", i)), At: time.Now()}); err != nil {
				t.Fatal(err)
			}
		}
		kept(t, s, d, &journal{})
		time.Sleep(7 * time.Second)
		if asked := s.requests()["delete"]; asked != 3*mostDeletions || most != mostDeletions || len(d.deletions()) != 0 {
			t.Errorf("%d deletions, at most %d at a time; want %d by %d", asked, most, 3*mostDeletions, mostDeletions)
		}
	})
}

// hasty is a ledger that has something due any moment, and never has.
type hasty struct{ *diary }

func (l hasty) TakeDue(context.Context, time.Time, int, time.Duration) ([]ledger.Deletion, time.Time, error) {
	return nil, time.Now(), l.ask("take")
}

func TestALedgerWhoseClockIsAheadIsNotAskedWithoutPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary()
		keeping(t, newCatalog(t, Options{Ledger: hasty{d}}))
		time.Sleep(time.Second)
		if asked := d.questions()["take"]; asked > 25 {
			t.Errorf("it was asked %d times in a second, want at most 20 or so", asked)
		}
	})
}

func TestWhoKeepsTheScheduleEndsWithItsContext(t *testing.T) {
	for name, behave := range map[string]func(*source, *diary){
		"while it waits":              func(*source, *diary) {},
		"while a provider is silent":  func(s *source, _ *diary) { s.slow(time.Hour) },
		"while the ledger is down":    func(_ *source, d *diary) { d.failing("take", ledger.ErrUnavailable) },
		"while another has the token": func(_ *source, d *diary) { _, _ = d.Memory.Lock(context.Background(), oldToken) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, d, j := bare(newWriter(1, 1)), newDiary(), &journal{}
				c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: d, Log: j.log(), Report: j.report})
				if err := d.Schedule(t.Context(), ledger.Deletion{Token: oldToken, At: time.Now().Add(time.Second)}); err != nil {
					t.Fatal(err)
				}
				behave(s, d)
				ctx, cancel := contextFor(t, 5*time.Second)
				defer cancel()
				began := time.Now()
				c.KeepSchedule(ctx)
				if took := time.Since(began); took != 5*time.Second {
					t.Errorf("it ended after %s, want with its context", took)
				}
				if j.lines("is not deleted") != 0 {
					t.Errorf("the log says %q, want no failure of what was stopped", j.text.String())
				}
			})
		})
	}
}
