package logtest

import (
	"errors"
	"sync"
	"time"

	"regtok/eventlog"
)

func following[E any]() []logCase[E] {
	return []logCase[E]{
		{"who follows hears what was told and then what is told", func(s *stage[E]) {
			s.tells(0, 10)
			page, err := s.Read(s.Context(), "", 4)
			s.must(err)
			follower := s.follows(page.Next, nil)
			s.hears(follower, 4, 10)
			s.isSilent(follower)
			s.tells(10, 12)
			s.hears(follower, 10, 12)
			s.isSilent(follower)
			_, newest := s.bounds()
			s.same("cursor", follower.Cursor(), newest)
		}},
		{"who follows from now on hears nothing of what was", func(s *stage[E]) {
			s.tells(0, 10)
			_, newest := s.bounds()
			follower := s.follows(newest, nil)
			s.isSilent(follower)
			s.tells(10, 500)
			s.hears(follower, 10, 500)
		}},
		{"there is no hole and nothing twice where reading becomes following", func(s *stage[E]) {
			const events, followers = 600, 12
			s.tells(0, 100)
			var writer sync.WaitGroup
			writer.Go(func() {
				for n := 100; n < events; n += 5 {
					if _, err := s.Append(s.Context(), s.events(n, n+5)); err != nil {
						s.Error(err)
					}
				}
			})
			s.together(followers, func(i int, log eventlog.Log[E]) {
				page, err := log.Read(s.Context(), "", 1+i*30)
				if err != nil {
					s.Error(err)
					return
				}
				follower, err := log.Follow(page.Next, nil)
				if err != nil {
					s.Error(err)
					return
				}
				defer follower.Close()
				got := s.numbers(page.Entries)
				for len(got) < events {
					update, err := follower.Next(s.Context())
					if err != nil || update.Gap != nil {
						s.Errorf("follower %d, after %d events: %+v, %v", i, len(got), update.Gap, err)
						return
					}
					got = append(got, s.Number(&update.Entry.Event))
				}
				s.same("heard", got, upTo(0, events))
			})
			writer.Wait()
		}},
		{"two writers are heard by all in the same order", func(s *stage[E]) {
			const events = 200
			first, second := s.follows("", nil), s.follows("", nil)
			s.together(2, func(i int, log eventlog.Log[E]) {
				for n := i; n < events; n += 2 {
					if _, err := log.Append(s.Context(), s.events(n, n+1)); err != nil {
						s.Error(err)
					}
				}
			})
			for n := range events {
				a, b := s.next(first), s.next(second)
				if a.Entry == nil || b.Entry == nil || s.id(a.Entry) != s.id(b.Entry) || a.Entry.Cursor != b.Entry.Cursor {
					s.Fatalf("event %d: one heard %+v and the other %+v", n, a, b)
				}
			}
		}},
		{"a filter leaves out what is not wanted, and the cursor goes on", func(s *stage[E]) {
			odd := func(e *E) bool { return s.Number(e)%2 == 1 }
			follower := s.follows("", odd)
			s.tells(0, 20)
			for n := 1; n < 20; n += 2 {
				if got := s.Number(&s.next(follower).Entry.Event); got != n {
					s.Errorf("got %d, want %d", got, n)
				}
			}
			s.tells(20, 21) // an even one
			_, newest := s.bounds()
			for begin := time.Now(); follower.Cursor() != newest && time.Since(begin) < patience; {
				s.isSilent(follower)
			}
			s.same("cursor", follower.Cursor(), newest)
			s.tells(21, 22)
			s.hears(follower, 21, 22)
		}},
		{"a stream that goes on from its cursor has all and nothing twice", func(s *stage[E]) {
			follower := s.follows("", nil)
			s.tells(0, 10)
			for n := range 10 {
				s.hears(follower, n, n+1)
				follower.Close()
				follower = s.follows(follower.Cursor(), nil)
			}
			s.isSilent(follower)
		}},
		{"who comes back with a cursor that is no longer reached is told, and goes on", func(s *stage[E]) {
			s.tells(0, 3)
			page, err := s.Read(s.Context(), "", 1)
			s.must(err)
			s.Forget()
			follower := s.follows(page.Next, nil)
			oldest, _ := s.bounds()
			s.same("gap", s.next(follower).Gap, &eventlog.Gap{Reason: eventlog.ExpiredCursor, After: page.Next, ResumesAt: oldest})
			rest, err := s.Read(s.Context(), oldest, 1000)
			s.must(err)
			for _, want := range rest.Entries {
				if got := s.next(follower).Entry; got == nil || s.id(got) != s.id(want) {
					s.Fatalf("got %+v, want %+v", got, want)
				}
			}
			s.isSilent(follower)
		}},
		{"a log that lost what it knew tells its followers", func(s *stage[E]) {
			if s.Lose == nil {
				return
			}
			follower := s.follows("", nil)
			s.tells(0, 3)
			s.hears(follower, 0, 3)
			before := follower.Cursor()
			s.Lose()
			gap := s.next(follower).Gap
			if gap == nil || gap.Reason != eventlog.ExpiredCursor || gap.After != before {
				s.Fatalf("got %+v, want a gap after %s", gap, before)
			}
			s.tells(0, 2) // it does not know them
			s.hears(follower, 0, 2)
			page, err := s.Read(s.Context(), before, 10)
			s.must(err)
			if page.Gap == nil {
				s.Error("a cursor of before is good still")
			}
		}},
		{"a burst is no reason to leave anything out", func(s *stage[E]) {
			follower := s.follows("", nil)
			s.isSilent(follower)
			s.tells(0, 300)
			s.hears(follower, 0, 300)
		}},
		{"a reader who is too slow is told, and goes on where the others are", func(s *stage[E]) {
			slow, other := s.follows("", nil), s.follows("", nil)
			s.tells(0, 1)
			s.hears(slow, 0, 1)
			s.hears(other, 0, 1)
			s.isSilent(slow)
			before := slow.Cursor()
			s.tells(1, 66) // one more than may wait
			s.hears(other, 1, 66)
			s.Wait(1500 * time.Millisecond)
			_, newest := s.bounds()
			s.same("gap", s.next(slow).Gap, &eventlog.Gap{Reason: eventlog.Lagged, After: before, ResumesAt: newest})
			s.tells(66, 69)
			s.hears(slow, 66, 69)
			s.hears(other, 66, 69)
		}},
		{"a reader who was away and missed few gets them", func(s *stage[E]) {
			follower := s.follows("", func(e *E) bool { return s.Number(e)%2 == 1 })
			s.tells(0, 2)
			s.hears(follower, 1, 2)
			s.isSilent(follower)
			s.tells(2, 130) // 64 of them are wanted
			s.Wait(1500 * time.Millisecond)
			for n := 3; n < 130; n += 2 {
				s.hears(follower, n, n+1)
			}
			s.isSilent(follower)
		}},
		{"who replays a long past may take its time", func(s *stage[E]) {
			s.tells(0, 200)
			follower := s.follows("", nil)
			for n := range 2 {
				s.hears(follower, n, n+1)
				s.Wait(1100 * time.Millisecond)
			}
			s.hears(follower, 2, 200)
		}},
		{"a closed subscription says so, also to who waits", func(s *stage[E]) {
			follower := s.follows("", nil)
			ended := make(chan error)
			go func() {
				_, err := follower.Next(s.Context())
				ended <- err
			}()
			follower.Close()
			if err := <-ended; !errors.Is(err, eventlog.ErrClosed) {
				s.Errorf("got %v, want %v", err, eventlog.ErrClosed)
			}
			follower.Close()
		}},
		{"a closed log ends all subscriptions", func(s *stage[E]) {
			log := s.Connect()
			follower, err := log.Follow("", nil)
			s.must(err)
			ended := make(chan error)
			go func() {
				_, err := follower.Next(s.Context())
				ended <- err
			}()
			log.Close()
			if err := <-ended; !errors.Is(err, eventlog.ErrClosed) {
				s.Errorf("got %v, want %v", err, eventlog.ErrClosed)
			}
			if _, err := log.Follow("", nil); !errors.Is(err, eventlog.ErrClosed) {
				s.Errorf("following it: got %v, want %v", err, eventlog.ErrClosed)
			}
			log.Close()
		}},
	}
}
