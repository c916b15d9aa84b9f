package expiry

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"regtok/providers"
)

// MemoryIndex is an index that lasts as long as its process. It holds all that it is told.
type MemoryIndex struct {
	mu         sync.Mutex
	registries map[providers.ID]map[string]*indexed // by the token's own id
	count      int
	version    uint64 // the last that was given
	looks      looks
}

// indexed is a state in memory.
type indexed struct {
	state State
	look  time.Time
}

// look says that a token is to be looked at then, unless it says otherwise itself by now.
type look struct {
	at    time.Time
	token providers.ID
}

type looks []look

// Len implements heap.Interface.
func (l looks) Len() int { return len(l) }

// Less implements heap.Interface.
func (l looks) Less(i, j int) bool { return l[i].at.Before(l[j].at) }

// Swap implements heap.Interface.
func (l looks) Swap(i, j int) { l[i], l[j] = l[j], l[i] }

// Push implements heap.Interface.
func (l *looks) Push(x any) { *l = append(*l, x.(look)) }

// Pop implements heap.Interface.
func (l *looks) Pop() any {
	last := len(*l) - 1
	x := (*l)[last]
	*l = (*l)[:last]
	return x
}

var _ Index = (*MemoryIndex)(nil)

// NewMemoryIndex makes an empty index.
func NewMemoryIndex() *MemoryIndex {
	return &MemoryIndex{registries: map[providers.ID]map[string]*indexed{}}
}

// Get implements Index.
func (m *MemoryIndex) Get(ctx context.Context, tokens []providers.ID) ([]State, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	states := make([]State, len(tokens))
	for i, token := range tokens {
		states[i] = unknown(token)
		if found := m.find(token); found != nil {
			states[i] = found.state
		}
	}
	return states, nil
}

// OfRegistry implements Index.
func (m *MemoryIndex) OfRegistry(ctx context.Context, registry providers.ID) ([]State, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	states := make([]State, 0, len(m.registries[registry]))
	for _, found := range m.registries[registry] {
		states = append(states, found.state)
	}
	return states, nil
}

// Put implements Index.
func (m *MemoryIndex) Put(ctx context.Context, states []State) (saved []bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := wholeStates(states); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	saved = make([]bool, len(states))
	for i := range states {
		saved[i] = m.put(&states[i], now)
	}
	if len(m.looks) > 2*m.count+1024 {
		m.rebuild()
	}
	return saved, nil
}

func (m *MemoryIndex) put(s *State, now time.Time) bool {
	var version uint64
	if found := m.find(s.Subject.Token); found != nil {
		version = found.state.Version
	}
	if version != s.Version {
		return false
	}
	if s.Over() {
		m.remove(s.Subject.Token)
		s.Version = 0
		return true
	}
	m.version = max(m.version+1, s.nextVersion(now))
	s.Version = m.version
	registry := m.registries[s.registry()]
	if registry == nil {
		registry = map[string]*indexed{}
		m.registries[s.registry()] = registry
	}
	if version == 0 {
		m.count++
	}
	entry := &indexed{state: *s, look: s.look(now)}
	registry[s.Subject.Token.Native] = entry
	m.await(entry)
	return true
}

// Take implements Index.
func (m *MemoryIndex) Take(ctx context.Context, now time.Time, limit int, lease time.Duration) (states []State, next time.Time, err error) {
	if err := ctx.Err(); err != nil {
		return nil, time.Time{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var taken []*indexed
	for len(m.looks) > 0 {
		first := m.looks[0]
		found := m.find(first.token)
		if found == nil || !found.look.Equal(first.at) {
			heap.Pop(&m.looks) // it was put, taken or removed since
			continue
		}
		if first.at.After(now) || len(taken) >= limit {
			break
		}
		heap.Pop(&m.looks)
		found.look = now.Add(lease)
		taken = append(taken, found)
		states = append(states, found.state)
	}
	for _, found := range taken {
		m.await(found)
	}
	if len(m.looks) > 0 {
		next = m.looks[0].at
	}
	return states, next, nil
}

// Count implements Index.
func (m *MemoryIndex) Count(ctx context.Context) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count, ctx.Err()
}

func (m *MemoryIndex) find(token providers.ID) *indexed {
	return m.registries[token.OfRegistry()][token.Native]
}

func (m *MemoryIndex) remove(token providers.ID) {
	registry := token.OfRegistry()
	if m.registries[registry][token.Native] == nil {
		return
	}
	m.count--
	delete(m.registries[registry], token.Native)
	if len(m.registries[registry]) == 0 {
		delete(m.registries, registry)
	}
}

func (m *MemoryIndex) await(entry *indexed) {
	if !entry.look.IsZero() {
		heap.Push(&m.looks, look{entry.look, entry.state.Subject.Token})
	}
}

// rebuild throws away what is out of date.
func (m *MemoryIndex) rebuild() {
	m.looks = nil
	for _, registry := range m.registries {
		for _, entry := range registry {
			m.await(entry)
		}
	}
}
