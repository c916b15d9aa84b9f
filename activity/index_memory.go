package activity

import (
	"context"
	"maps"
	"sync"

	"regtok/providers"
)

// MemoryTokens is how many tokens an index in memory knows at most, in all registries together.
const MemoryTokens = 200_000

// MemoryIndex is an index that lasts as long as its process. Where it knows too much it forgets the registry that has not been
// looked at for longest.
type MemoryIndex struct {
	mu      sync.Mutex
	most    int
	tokens  int
	clock   uint64 // counts what is done
	rosters map[providers.ID]*kept
}

// kept is a roster in memory.
type kept struct {
	Roster
	digest string
	used   uint64 // as of the clock
}

var _ Index = (*MemoryIndex)(nil)

// NewMemoryIndex makes an index that knows at most so many tokens; 0: [MemoryTokens].
func NewMemoryIndex(tokens int) *MemoryIndex {
	if tokens <= 0 {
		tokens = MemoryTokens
	}
	return &MemoryIndex{most: tokens, rosters: map[providers.ID]*kept{}}
}

// Digest implements Index.
func (m *MemoryIndex) Digest(ctx context.Context, registry providers.ID) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if found := m.find(registry); found != nil {
		return found.digest, ctx.Err()
	}
	return "", ctx.Err()
}

// Roster implements Index.
func (m *MemoryIndex) Roster(ctx context.Context, registry providers.ID, tokens ...string) (Roster, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.find(registry)
	if found == nil {
		return Roster{}, ctx.Err()
	}
	roster := found.Roster
	if len(tokens) == 0 {
		roster.Faces = maps.Clone(roster.Faces)
		return roster, ctx.Err()
	}
	roster.Faces = map[string]Face{}
	for _, native := range tokens {
		if face, ok := found.Faces[native]; ok {
			roster.Faces[native] = face
		}
	}
	return roster, ctx.Err()
}

// find returns a registry's roster, which is used now; nil: there is none.
func (m *MemoryIndex) find(registry providers.ID) *kept {
	found := m.rosters[registry]
	if found != nil {
		m.clock++
		found.used = m.clock
	}
	return found
}

// Change implements Index.
func (m *MemoryIndex) Change(ctx context.Context, registry providers.ID, change Change) (done bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.find(registry)
	if found == nil {
		found = &kept{Roster: Roster{Faces: map[string]Face{}}}
	}
	if change.Strict && found.Version != change.Version {
		return false, nil
	}
	m.clock++
	found.Version, found.used, found.digest = m.clock, m.clock, change.Digest
	if !change.Listed.IsZero() {
		found.Listed = change.Listed
	}
	m.rosters[registry] = found
	m.tokens -= len(found.Faces)
	maps.Copy(found.Faces, change.Put)
	for _, native := range change.Drop {
		delete(found.Faces, native)
	}
	m.tokens += len(found.Faces)
	m.forget()
	return true, nil
}

// forget makes room.
func (m *MemoryIndex) forget() {
	for m.tokens > m.most {
		var oldest providers.ID
		for registry, roster := range m.rosters {
			if oldest.IsZero() || roster.used < m.rosters[oldest].used {
				oldest = registry
			}
		}
		m.tokens -= len(m.rosters[oldest].Faces)
		delete(m.rosters, oldest)
	}
}
