package cache

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// maxScopes bounds how many scopes are remembered: about 200 bytes each.
const maxScopes = 1 << 17

// Moment is a point in the order of a cache's reads and bumps. See Cache.Moment.
type Moment struct {
	bumps uint64 // how many bumps had begun
	at    time.Time
}

// Moment is now. Take one before asking an upstream, and give it to View.Put with what the answer told.
func (c *Cache) Moment() Moment { return c.scopes.moment() }

// scopes is the order of reads and bumps: it counts the bumps and remembers each scope's last.
type scopes struct {
	bumps atomic.Uint64

	mu        sync.Mutex
	known     map[Scope]*scope
	limit     int
	forgotten uint64 // no scope that is not known was bumped after this one
}

// scope is pointed to by all that depends on it, so that judging an entry costs no look-up.
type scope struct {
	bumped atomic.Uint64 // its last bump; forgottenScope: nothing that points here counts any more
}

const forgottenScope = math.MaxUint64

func newScopes(limit int) *scopes {
	return &scopes{known: map[Scope]*scope{}, limit: limit}
}

func (s *scopes) moment() Moment { return Moment{bumps: s.bumps.Load(), at: time.Now()} }

// holds tells whether what began at the moment is still true in the scope.
func (s *scope) holds(m Moment) bool { return s.bumped.Load() <= m.bumps }

func (s *scopes) get(name Scope) *scope {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.locked(name)
}

func (s *scopes) bump(name Scope) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.locked(name).bumped.Store(s.bumps.Add(1))
}

func (s *scopes) locked(name Scope) *scope {
	if sc := s.known[name]; sc != nil {
		return sc
	}
	if len(s.known) >= s.limit {
		s.forget()
	}
	sc := &scope{}
	sc.bumped.Store(s.forgotten)
	s.known[name] = sc
	return sc
}

// forget drops an eighth of the scopes, any, and with them what is kept in them: what nobody would hear of when its
// scope is bumped must not be served.
func (s *scopes) forget() {
	drop := max(s.limit/8, 1)
	for name, sc := range s.known {
		sc.bumped.Store(forgottenScope)
		delete(s.known, name)
		if drop--; drop == 0 {
			break
		}
	}
	s.forgotten = s.bumps.Load()
}
