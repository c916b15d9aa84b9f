package quota

import (
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// mostCallers bounds the memory that callers take. An issuer may have any number of them.
	mostCallers = 10_000
	// quiet is how long a caller who was told of is not told of again.
	quiet = time.Minute
)

// memory is what this process knows of callers. The zero value knows none; safe for concurrent use.
type memory struct {
	mu      sync.Mutex
	callers map[string]*account
}

// account is one caller's. Who has all points is as good as unknown.
type account struct {
	whole time.Time // when all points are back
	told  time.Time // when the log was last told
}

func (a *account) debt(now time.Time) time.Duration { return max(a.whole.Sub(now), 0) }

// spend takes a price if the debt stays within most. The debt is what it is afterwards.
func (m *memory) spend(caller string, now time.Time, price, most time.Duration) (debt time.Duration, taken bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.of(caller)
	debt = a.debt(now)
	if debt > most { // the allowance was larger
		debt, a.whole = most, now.Add(most)
	}
	if debt+price > most {
		return debt, false
	}
	debt += price
	a.whole = now.Add(debt)
	return debt, true
}

// owe notes a debt that is known from elsewhere.
func (m *memory) owe(caller string, now time.Time, debt time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(caller).whole = now.Add(debt)
}

// worthTelling tells whether the log is to hear of a caller.
func (m *memory) worthTelling(caller string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.of(caller)
	if now.Sub(a.told) < quiet {
		return false
	}
	a.told = now
	return true
}

// of is a caller's account. The lock is held.
func (m *memory) of(caller string) *account {
	if a := m.callers[caller]; a != nil {
		return a
	}
	if m.callers == nil {
		m.callers = map[string]*account{}
	}
	if len(m.callers) >= mostCallers {
		m.makeRoom()
	}
	a := &account{}
	m.callers[caller] = a
	return a
}

// makeRoom forgets a tenth of the callers: those who owe least, of most of whom there is nothing to know.
func (m *memory) makeRoom() {
	callers := slices.SortedFunc(maps.Keys(m.callers), func(a, b string) int {
		return m.callers[a].whole.Compare(m.callers[b].whole)
	})
	for _, caller := range callers[:len(callers)/10] {
		delete(m.callers, caller)
	}
}
