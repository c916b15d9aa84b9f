package ledgertest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"regtok/ledger"
	"regtok/providers"
)

// holdsLock takes a lock as one more process.
func (s *stage) holdsLock(id providers.ID) (unlock func()) {
	s.Helper()
	unlock, err := s.Connect().Lock(s.Context(), id)
	s.must(err)
	return unlock
}

// isLocked checks that a lock is not to be had. It takes some real time where time is real.
func (s *stage) isLocked(id providers.ID) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 100*time.Millisecond)
	defer cancel()
	unlock, err := s.Connect().Lock(ctx, id)
	if err == nil {
		unlock()
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		s.Errorf("Lock said %v, want to wait until %v", err, context.DeadlineExceeded)
	}
}

var locks = []testCase{
	{"one at a time holds a token's lock", func(s *stage) {
		var inside, times atomic.Int32
		s.together(func(_ int, l ledger.Ledger) {
			for range 3 {
				unlock, err := l.Lock(s.Context(), token(1))
				if err != nil {
					s.Error(err)
					return
				}
				if n := inside.Add(1); n != 1 {
					s.Errorf("%d hold the lock", n)
				}
				times.Add(1)
				inside.Add(-1)
				unlock()
			}
		})
		s.same("times that it was held", times.Load(), int32(3*crowd))
	}},
	{"another token's lock is another one", func(s *stage) {
		defer s.holdsLock(token(1))()
		defer s.holdsLock(token(2))()
		defer s.holdsLock(token(3))()
		s.isLocked(token(1))
	}},
	{"whoever gives up waiting leaves the lock as it is", func(s *stage) {
		unlock := s.holdsLock(token(1))
		s.isLocked(token(1))
		s.isLocked(token(1))
		unlock()
		s.holdsLock(token(1))()
	}},
	{"a lock is given back once and by its holder only", func(s *stage) {
		first := s.holdsLock(token(1))
		first()
		second := s.holdsLock(token(1))
		first()
		s.isLocked(token(1))
		second()
		second()
		s.holdsLock(token(1))()
	}},
	{"a lock is given back though its context has ended", func(s *stage) {
		ctx, cancel := context.WithCancel(s.Context())
		unlock, err := s.Lock(ctx, token(1))
		s.must(err)
		cancel()
		unlock()
		s.holdsLock(token(1))()
	}},
}

// lostLocks are of ledgers that several processes share.
var lostLocks = []testCase{
	{"the lock of a process that died ends by itself", func(s *stage) {
		late := s.holdsLock(token(1))
		s.Pass(ledger.LockLease - 20*time.Second) // real time passes, too
		s.isLocked(token(1))
		s.Pass(20 * time.Second)
		unlock := s.holdsLock(token(1))
		late() // it was not dead, and gives back what is another's by now
		s.isLocked(token(1))
		unlock()
	}},
}
