package expiry_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/expiry"
	"regtok/expiry/expirytest"
	"regtok/providers"
)

func TestEachStepIsToldTheMomentItIsDue(t *testing.T) {
	play(t, func(s *scene) {
		s.has(1, s.at(10*hour), expiry.ByPolicy)
		s.has(2, s.at(10*hour+minute/2), expiry.ByProvider)
		s.reads(1)
		s.reads(2)
		s.after(2*hour - 1)
		s.told()
		s.after(2 * hour)
		s.told("name 1: THRESHOLD 8h at 2h0m0s")
		s.after(12 * hour)
		s.told("name 1: THRESHOLD 8h at 2h0m0s", "name 2: THRESHOLD 8h at 2h0m30s", "name 1: THRESHOLD 2h at 8h0m0s",
			"name 2: THRESHOLD 2h at 8h0m30s", "name 1: EXPIRED at 10h0m0s", "name 2: EXPIRED at 10h0m30s")
		f := s.watcher.Figures()
		want := expiry.Figures{Watched: 1, Told: map[expiry.Kind]uint64{expiry.Threshold: 4, expiry.Expired: 2}, Looks: 6}
		if diff := cmp.Diff(want, f); diff != "" {
			s.Errorf("figures (-want +got):\n%s", diff)
		}
	})
}

func TestAStepThatIsSecondsAwayIsToldTheMomentItIsDue(t *testing.T) {
	play(t, func(s *scene) {
		s.after(hour) // the watcher sleeps
		s.has(1, s.at(9*hour+5*time.Second), expiry.ByPolicy)
		s.reads(1)
		s.after(hour + 5*time.Second)
		s.told("name 1: THRESHOLD 8h at 1h0m5s")
	})
}

func TestADateThatMovedAwaySinceItWasReadIsNoAlarm(t *testing.T) {
	play(t, func(s *scene) {
		s.has(1, s.at(10*hour), expiry.ByProvider)
		s.reads(1)
		s.after(hour)
		s.has(1, s.at(20*hour), expiry.ByProvider) // and nobody reads it
		s.after(11 * hour)
		s.told()
		s.after(30 * hour)
		s.told("name 1: THRESHOLD 8h at 12h0m0s", "name 1: THRESHOLD 2h at 18h0m0s", "name 1: EXPIRED at 20h0m0s")
	})
}

func TestAnAnnouncedDateThatMovesIsTakenBack(t *testing.T) {
	for name, test := range map[string]struct {
		moves func(*scene)
		want  string
	}{
		"further away": {func(s *scene) { s.has(1, s.at(40*hour), expiry.ByProvider) }, "name 1: EXTENDED 8h at 3h0m0s"},
		"to never":     {func(s *scene) { s.has(1, time.Time{}, "") }, "name 1: WITHDRAWN 8h at 3h0m0s"},
		"by deletion":  {func(s *scene) { s.deletes(1) }, "name 1: WITHDRAWN 8h at 3h0m0s"},
		"being disabled": {func(s *scene) {
			s.puts(expiry.Reading{Subject: expirytest.Subject(1), Disabled: true, Due: s.at(10 * hour), Source: expiry.ByProvider})
		}, "name 1: WITHDRAWN 8h at 3h0m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(s *scene) {
				s.has(1, s.at(10*hour), expiry.ByProvider)
				s.reads(1)
				s.after(3 * hour)
				test.moves(s)
				s.reads(1)
				s.after(12 * hour)
				s.told("name 1: THRESHOLD 8h at 2h0m0s", test.want)
			})
		})
	}
}

func TestWhatWasWrittenIsKnownWithoutBeingRead(t *testing.T) {
	play(t, func(s *scene) {
		part := func(reading expiry.Reading) {
			reading.At = time.Now()
			s.watcher.Tell(expiry.List{Registry: reading.Subject.Token.OfRegistry(), At: reading.At, Part: true, Tokens: []expiry.Reading{reading}})
			synctest.Wait()
		}
		s.has(1, s.at(9*hour), expiry.ByPolicy)
		s.has(4, s.at(9*hour), expiry.ByPolicy)
		s.reads(1) // and 4, which is in the same registry
		part(expiry.Reading{Subject: expirytest.Subject(7), Due: s.at(9 * hour), Source: expiry.ByPolicy})
		s.has(7, s.at(9*hour), expiry.ByPolicy)
		s.after(hour + minute)
		part(expiry.Reading{Subject: expirytest.Subject(4), Gone: true})
		s.deletes(4)
		s.after(12 * hour)
		page, _ := s.log.Read(s.Context(), "", 100)
		var got []string
		for _, e := range page.Entries {
			got = append(got, s.words(e.Event))
		}
		slices.Sort(got)
		want := []string{
			"name 1: EXPIRED at 9h0m0s", "name 1: THRESHOLD 2h at 7h0m0s", "name 1: THRESHOLD 8h at 1h0m0s",
			"name 4: THRESHOLD 8h at 1h0m0s", "name 4: WITHDRAWN 8h at 1h1m0s",
			"name 7: EXPIRED at 9h0m0s", "name 7: THRESHOLD 2h at 7h0m0s", "name 7: THRESHOLD 8h at 1h0m0s",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			s.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

func TestATokenBornInsideAThresholdIsNotAnnouncedButIsPresent(t *testing.T) {
	play(t, func(s *scene) {
		s.has(1, s.at(5*hour), expiry.ByProvider)
		s.has(2, s.at(50*hour), expiry.ByProvider)
		present := func(want ...string) {
			s.Helper()
			tokens := slices.Concat(s.list(expirytest.Subject(1).Token.OfRegistry()).Tokens, s.list(expirytest.Subject(2).Token.OfRegistry()).Tokens)
			events, err := s.watcher.Current(s.Context(), tokens)
			if err != nil {
				s.Fatal(err)
			}
			got := []string{}
			for _, e := range events {
				got = append(got, s.words(e))
			}
			if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
				s.Errorf("present after %v (-want +got):\n%s", time.Since(s.start), diff)
			}
		}
		present("name 1: THRESHOLD 8h at -3h0m0s") // of a token that the watcher never heard of
		s.reads(1)
		s.reads(2)
		present("name 1: THRESHOLD 8h at -3h0m0s")
		s.told()
		s.after(3 * hour)
		s.told("name 1: THRESHOLD 2h at 3h0m0s")
		present("name 1: THRESHOLD 2h at 3h0m0s")
		s.after(6 * hour)
		present()
	})
}

func TestTheTokensOfARegistryThatIsGoneAreWithdrawn(t *testing.T) {
	play(t, func(s *scene) {
		s.has(1, s.at(10*hour), expiry.ByPolicy)
		s.reads(1)
		s.after(3 * hour)
		s.closes(expirytest.Subject(1).Token.OfRegistry())
		s.after(8 * hour)
		s.told("name 1: THRESHOLD 8h at 2h0m0s", "name 1: WITHDRAWN 8h at 8h0m0s")
	})
}

func TestWhileAProviderCannotBeAskedAStepWaitsForFiveMinutes(t *testing.T) {
	play(t, func(s *scene) {
		s.has(1, s.at(10*hour), expiry.ByPolicy)
		s.reads(1)
		s.breaks(func() error { return &providers.Error{Kind: providers.RateLimited} })
		s.after(2*hour + 5*minute - 1)
		s.told()
		s.after(2*hour + 5*minute)
		s.told("name 1: THRESHOLD 8h at 2h0m0s")
		s.breaks(nil)
		s.has(1, time.Time{}, "")
		s.after(9 * hour)
		s.told("name 1: THRESHOLD 8h at 2h0m0s", "name 1: WITHDRAWN 8h at 8h0m0s")
		if f := s.watcher.Figures(); f.Unconfirmed != 1 || f.LookErrors < 2 || f.LookErrors > 25 {
			s.Errorf("unconfirmed were %d, looks that failed %d; want 1, and one each 15 s", f.Unconfirmed, f.LookErrors)
		}
	})
}

func TestATokenThatNoAccountHasIsForgottenInTheEnd(t *testing.T) {
	play(t, func(s *scene) {
		s.has(1, s.at(10*hour), expiry.ByPolicy)
		s.reads(1)
		s.breaks(func() error { return expiry.ErrUnowned })
		s.after(2*hour + 4*minute)
		if n, err := s.index.Count(s.Context()); n != 1 || err != nil {
			s.Errorf("%d tokens are watched, %v: want 1, which another process may have", n, err)
		}
		s.after(3 * hour)
		if n, err := s.index.Count(s.Context()); n != 0 || err != nil {
			s.Errorf("%d tokens are watched, %v: want none", n, err)
		}
		s.told()
	})
}

func TestWhatFellDueWhileNothingRanIsToldAfterwards(t *testing.T) {
	play(t, func(s *scene) {
		s.has(1, s.at(10*hour), expiry.ByProvider)
		s.has(2, s.at(10*hour), expiry.ByPolicy)
		s.has(3, s.at(9*hour), expiry.ByPolicy)
		s.reads(1)
		s.reads(2)
		s.reads(3)
		s.stop()
		s.has(3, s.at(60*hour), expiry.ByPolicy) // never announced, and moved meanwhile
		s.after(20 * hour)
		s.begin()
		s.after(20*hour + time.Second)
		page, _ := s.log.Read(s.Context(), "", 10)
		got := map[string][]string{}
		for _, e := range page.Entries {
			got[e.Event.Subject.Name] = append(got[e.Event.Subject.Name], s.words(e.Event))
		}
		want := map[string][]string{
			"name 1": {"name 1: THRESHOLD 8h at 2h0m0s", "name 1: THRESHOLD 2h at 8h0m0s", "name 1: EXPIRED at 10h0m0s"},
			"name 2": {"name 2: THRESHOLD 8h at 2h0m0s", "name 2: THRESHOLD 2h at 8h0m0s", "name 2: EXPIRED at 10h0m0s"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			s.Errorf("told (-want +got):\n%s", diff)
		}
	})
}
