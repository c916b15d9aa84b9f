package activity

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

func TestTheFirstListTellsNothing(t *testing.T) {
	play(t, 1, func(s *scene) {
		s.token("old")
		s.sees(0)
		s.told()
	})
}

func TestWhatIsFoundOtherwiseIsToldOnceWithNobody(t *testing.T) {
	play(t, 3, func(s *scene) {
		s.token("a")
		s.token("b")
		s.sees(0)
		s.token("c")
		s.changes("a", func(t *providers.Token) {
			t.Enabled, t.Scopes = false, []providers.Scope{{Type: "repository", Name: "x", Actions: []string{"push"}}}
		})
		delete(s.tokens, "b")
		for process := range s.trails { // at the same time
			s.trails[process].See(s.list())
		}
		time.Sleep(time.Minute)
		for process := range s.trails { // and again
			s.sees(process)
		}
		s.told("CHANGED a SCOPES ENABLED", "CREATED c", "DELETED b")
		s.changes("a", func(t *providers.Token) { t.Enabled = true })
		s.sees(1)
		s.changes("a", func(t *providers.Token) { t.Enabled = false })
		s.sees(2)
		s.told("CHANGED a SCOPES ENABLED", "CREATED c", "DELETED b", "CHANGED a ENABLED", "CHANGED a ENABLED")
	})
}

func TestWhatWasDoneHereIsNotFoundAgain(t *testing.T) {
	play(t, 2, func(s *scene) {
		s.token("a")
		s.token("b")
		s.sees(1)
		s.token("c")
		s.trails[1].See(s.list()) // by the other process, before this one has entered it
		time.Sleep(5 * time.Second)
		s.does(0, Created, "c")
		s.changes("a", func(t *providers.Token) { t.Name = "renamed" })
		s.does(0, Changed, "a", providers.FieldName)
		delete(s.tokens, "b")
		s.does(0, Deleted, "b")
		for range 3 {
			s.sees(1)
			s.sees(0)
		}
		s.told("CREATED c by ada", "CHANGED renamed NAME by ada", "DELETED b by ada")
	})
}

func TestWhatSomebodyElseChangedIsToldBesideWhatWasDoneHere(t *testing.T) {
	play(t, 1, func(s *scene) {
		s.token("a")
		s.sees(0)
		s.changes("a", func(t *providers.Token) { t.Name = "renamed" })
		s.changes("a", func(t *providers.Token) { t.Enabled = false })
		s.does(0, Changed, "a", providers.FieldEnabled)
		s.sees(0)
		s.sees(0)
		s.told("CHANGED renamed ENABLED by ada", "CHANGED renamed NAME")
	})
}

func TestATokenWhoseDateComesIsGoneWithoutAWord(t *testing.T) {
	play(t, 1, func(s *scene) {
		s.token("a").ExpiresAt = time.Now().Add(90 * time.Second)
		s.token("b").ExpiresAt = time.Now().Add(time.Hour)
		s.sees(0)
		s.sees(0)
		s.tokens = map[string]*providers.Token{}
		s.sees(0)
		s.told("DELETED b")
	})
}

func TestAListOfThePastSaysNothing(t *testing.T) {
	play(t, 1, func(s *scene) {
		s.token("a")
		s.sees(0)
		past := s.list()
		time.Sleep(time.Minute)
		delete(s.tokens, "a")
		s.token("b")
		s.sees(0)
		s.trails[0].See(past)
		time.Sleep(time.Minute)
		synctest.Wait()
		s.told("CREATED b", "DELETED a")
	})
}

func TestAListOfBeforeADeedSaysNothingAgainstIt(t *testing.T) {
	play(t, 1, func(s *scene) {
		s.token("a")
		s.sees(0)
		before := s.list()
		time.Sleep(time.Second)
		delete(s.tokens, "a")
		s.does(0, Deleted, "a")
		s.token("b")
		s.does(0, Created, "b")
		s.trails[0].See(before)
		time.Sleep(time.Minute)
		s.sees(0)
		s.told("DELETED a by ada", "CREATED b by ada")
	})
}

func TestListsThatShowNothingNewWriteNothing(t *testing.T) {
	play(t, 2, func(s *scene) {
		s.token("a")
		s.sees(0)
		s.does(0, Changed, "a", providers.FieldName)
		s.sees(0)
		s.sees(0) // that it was seen since is noted once
		before := s.index.writes
		for range 10 {
			s.sees(0)
			s.sees(1)
		}
		if after := s.index.writes; after != before {
			t.Errorf("%d writes, want none", after-before)
		}
	})
}

func TestWhatCannotBeEnteredIsEnteredLater(t *testing.T) {
	play(t, 2, func(s *scene) {
		s.token("a")
		s.sees(0)
		s.log.setDown(true)
		s.token("b")
		ctx, cancel := context.WithCancel(s.Context())
		cancel() // its caller has left
		s.trails[0].Tell(ctx, Deed{Kind: Created, Actor: "ada", Token: theRegistry.TokenID("b"), State: s.tokens["b"]})
		s.does(0, Changed, "b", providers.FieldName)
		s.token("c") // elsewhere
		s.sees(1)
		s.told()
		if f := s.trails[0].Figures(); f.Unsaid != 2 || !f.Fails {
			t.Errorf("got %+v, want two that wait", f)
		}
		s.log.setDown(false)
		s.sees(1)
		s.sees(1)
		s.told("CREATED b by ada", "CHANGED b NAME by ada", "CREATED c")
		if f := s.trails[0].Figures(); f.Unsaid != 0 || f.Fails || f.Done[Created] != 1 {
			t.Errorf("got %+v, want that all is told", f)
		}
	})
}

func TestWhatWaitsIsEnteredBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &frailLog{Log: NewMemory(0, 0), down: true}
		defer log.Close()
		trail := NewTrail(Options{Log: log, Index: NewMemoryIndex(0)})
		trail.Tell(t.Context(), Deed{Kind: Deleted, Actor: "ada", Token: theRegistry.TokenID("a")})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		log.setDown(false)
		trail.Run(ctx)
		if page, err := log.Read(t.Context(), "", 10); err != nil || len(page.Entries) != 1 {
			t.Errorf("got %+v, %v, want what was done", page, err)
		}
	})
}

// endingIndex ends what it is asked for with whoever asks.
type endingIndex struct{ Index }

func (endingIndex) Digest(ctx context.Context, _ providers.ID) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

func TestTheEndOfTheProcessIsNoFailureOfTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewMemory(0, 0)
		defer log.Close()
		trail := NewTrail(Options{Log: log, Index: endingIndex{NewMemoryIndex(0)}, Report: func(err error) {
			if err != nil {
				t.Errorf("told %v", err)
			}
		}})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			trail.Run(ctx)
		}()
		trail.See(List{Registry: theRegistry, At: time.Now()})
		synctest.Wait()
		cancel()
		<-ended
		if trail.Figures().Fails {
			t.Error("the figures tell of a failure")
		}
	})
}

func TestARegistryThatIsGoneTakesItsTokensAlong(t *testing.T) {
	play(t, 1, func(s *scene) {
		s.token("a")
		s.sees(0)
		s.trails[0].See(List{Registry: theRegistry, At: time.Now()})
		time.Sleep(time.Minute)
		s.sees(0) // it was there all the time
		s.told("DELETED a", "CREATED a")
	})
}
