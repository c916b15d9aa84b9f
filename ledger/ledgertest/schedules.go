package ledgertest

import (
	"sync"
	"time"

	"regtok/ledger"
	"regtok/providers"
)

const lease = time.Minute

// scheduled enters the deletion of a token.
func (s *stage) scheduled(n int, at time.Time) {
	s.Helper()
	s.must(s.Connect().Schedule(s.Context(), ledger.Deletion{Token: token(n), At: at}))
}

// takes takes what is due, at most limit, and checks it.
func (s *stage) takes(now time.Time, limit int, want ...ledger.Deletion) (next time.Time) {
	s.Helper()
	due, next, err := s.Connect().TakeDue(s.Context(), now, limit, lease)
	s.must(err)
	s.same("due", due, want)
	return next
}

var schedules = []testCase{
	{"nothing is due in an empty ledger", func(s *stage) {
		s.same("next", s.takes(today(), 10), time.Time{})
	}},
	{"what is due is handed out, soonest first, and the rest is not", func(s *stage) {
		now := today()
		at := func(n int) time.Time { return now.Add(time.Duration(n) * time.Hour) }
		for _, n := range []int{3, -1, 0, -7, 2} {
			s.scheduled(n+10, at(n))
		}
		next := s.takes(now, 10,
			ledger.Deletion{Token: token(3), At: at(-7)}, ledger.Deletion{Token: token(9), At: at(-1)}, ledger.Deletion{Token: token(10), At: at(0)})
		s.same("next", next, now.Add(lease))
		for _, n := range []int{3, 9, 10} {
			s.must(s.Connect().Unschedule(s.Context(), token(n)))
		}
		s.same("next", s.takes(now, 10), at(2))
		s.takes(at(2), 10, ledger.Deletion{Token: token(12), At: at(2)})
	}},
	{"what is above the limit is due at once", func(s *stage) {
		now := today()
		for n := range 5 {
			s.scheduled(n, now.Add(time.Duration(n-10)*time.Second))
		}
		due := func(n int) ledger.Deletion {
			return ledger.Deletion{Token: token(n), At: now.Add(time.Duration(n-10) * time.Second)}
		}
		s.same("next", s.takes(now, 0), due(0).At)
		s.same("next", s.takes(now, 2, due(0), due(1)), due(2).At)
		s.same("next", s.takes(now, 2, due(2), due(3)), due(4).At)
		s.same("next", s.takes(now, 2, due(4)), now.Add(lease))
		s.same("next", s.takes(now, 2), now.Add(lease))
	}},
	{"what was taken is hidden until its lease ends, and handed out again", func(s *stage) {
		now := today()
		one := ledger.Deletion{Token: token(1), At: now}
		s.scheduled(1, now)
		s.same("next", s.takes(now, 1, one), now.Add(lease))
		s.same("next", s.takes(now.Add(lease-time.Millisecond), 1), now.Add(lease))
		s.same("next", s.takes(now.Add(lease), 1, one), now.Add(2*lease))
	}},
	{"who asked for a deletion is handed out with it, until it is no longer scheduled", func(s *stage) {
		now := today()
		first, second := ledger.Deletion{Token: token(1), At: now, By: "Ada: \x00 ü"}, ledger.Deletion{Token: token(1), At: now, By: "Eve"}
		s.must(s.Schedule(s.Context(), first))
		s.takes(now, 1, first)
		s.must(s.Connect().Schedule(s.Context(), second))
		s.takes(now.Add(lease), 1, second)
		s.must(s.Unschedule(s.Context(), token(1)))
		s.scheduled(1, now)
		s.takes(now, 1, ledger.Deletion{Token: token(1), At: now})
	}},
	{"what is no longer scheduled is not handed out", func(s *stage) {
		now := today()
		s.scheduled(1, now)
		s.scheduled(2, now.Add(time.Hour))
		for range 2 { // the second time there is nothing
			s.must(s.Connect().Unschedule(s.Context(), token(2)))
			s.must(s.Connect().Unschedule(s.Context(), token(3)))
		}
		s.same("next", s.takes(now.Add(2*time.Hour), 10, ledger.Deletion{Token: token(1), At: now}), now.Add(2*time.Hour+lease))
		s.must(s.Connect().Unschedule(s.Context(), token(1)))
		s.same("next", s.takes(now.Add(3*time.Hour), 10), time.Time{})
		s.scheduled(1, now) // its lease is over, too
		s.takes(now, 10, ledger.Deletion{Token: token(1), At: now})
	}},
	{"a deletion is put off and forward, and stays one", func(s *stage) {
		now := today()
		s.scheduled(1, now)
		s.scheduled(1, now.Add(time.Hour))
		s.same("next", s.takes(now, 10), now.Add(time.Hour))
		s.scheduled(1, now.Add(-time.Hour))
		s.same("next", s.takes(now, 10, ledger.Deletion{Token: token(1), At: now.Add(-time.Hour)}), now.Add(lease))
	}},
	{"a deletion that is put off while it is taken is due when it says", func(s *stage) {
		now := today()
		for n, at := range map[int]time.Time{1: now.Add(lease / 2), 2: now.Add(lease), 3: now.Add(2 * lease)} {
			s.scheduled(n, now)
			s.takes(now, 1, ledger.Deletion{Token: token(n), At: now})
			s.scheduled(n, at)
			visible := at
			if at.Before(now.Add(lease)) {
				visible = now.Add(lease)
			}
			s.same("next", s.takes(now, 1), visible)
			s.same("next", s.takes(visible.Add(-time.Millisecond), 1), visible)
			s.takes(visible, 1, ledger.Deletion{Token: token(n), At: at})
			s.must(s.Unschedule(s.Context(), token(n)))
		}
	}},
	{"nothing is due before its time", func(s *stage) {
		now := today()
		s.scheduled(1, now.Add(time.Nanosecond))
		s.takes(now, 1)
	}},
	{"of many takers each deletion has one", func(s *stage) {
		now := today()
		for n := range 2 * crowd {
			s.scheduled(n, now.Add(-time.Duration(n)*time.Second))
		}
		var mu sync.Mutex
		taken := map[providers.ID]int{}
		s.together(func(_ int, l ledger.Ledger) {
			due, _, err := l.TakeDue(s.Context(), now, 3, lease)
			if err != nil {
				s.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, d := range due {
				taken[d.Token]++
			}
		})
		s.same("tokens that were taken", len(taken), 2*crowd)
		for id, times := range taken {
			if times != 1 {
				s.Errorf("%v was taken %d times", id, times)
			}
		}
	}},
}
