package graph_test

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// act is one thing that a caller does. Its numbers are choices: what they choose from depends on what there is by then.
type act struct {
	Does                           string
	Caller, Place, Token, Name     int
	Expiry, Scopes, Enabled        int
	Version, Key, Overlap, Missing int
}

// acts are what an act does.
const acts = "create replace patch delete rotate read"

// model is what a registry service is, in few words: the tokens that there have to be, and what callers have to be told.
// It knows nothing of how this server or an emulator does it.
type model struct {
	ionos  bool
	places []place
	tokens map[string]modelled // by id
	known  []string            // the ids of all that ever were, in the order of their making
	calls  map[string]called   // by caller and idempotency key
	// busy is until when a token, by its id, cannot be rotated again.
	busy map[string]time.Time
	// from and to are the rotations, by either token.
	from, to map[string]string
}

// modelled is a token of the model.
type modelled struct {
	place    int
	name     string
	disabled bool
	ends     time.Time // zero: never
	scopes   []scopeSeen
}

func (m modelled) kept() kept {
	k := kept{Name: m.name, Enabled: !m.disabled, Scopes: inWords(m.scopes)}
	if !m.ends.IsZero() {
		k.Ends = m.ends.UTC().Format(time.RFC3339)
	}
	return k
}

// called is what became of a call with an idempotency key.
type called struct {
	input string
	token string
	until time.Time
}

// want is what an act has to come to.
type want struct {
	code string
	// unsent: the provider must not be asked to write.
	unsent bool
	// again is the token that an earlier call with the key made.
	again string
	// then changes the model when it succeeds.
	then func(p payload)
}

func newModel(provider string, places []place) *model {
	return &model{
		ionos: provider == "ionos", places: places,
		tokens: map[string]modelled{}, calls: map[string]called{}, busy: map[string]time.Time{},
		from: map[string]string{}, to: map[string]string{},
	}
}

// learn puts tokens into the model, as they are.
func (m *model) learn(at int, seen map[string]tokenSeen) {
	for _, native := range slices.Sorted(maps.Keys(seen)) {
		s := seen[native]
		t := modelled{place: at, name: s.Name, disabled: !s.Enabled}
		if s.ExpiresAt != nil {
			t.ends, _ = time.Parse(time.RFC3339, *s.ExpiresAt)
		}
		for _, scope := range s.Scopes {
			if !scope.Implicit {
				t.scopes = append(t.scopes, scope)
			}
		}
		m.put(s.ID, t)
	}
}

func (m *model) put(id string, t modelled) {
	m.tokens[id] = t
	m.know(id)
}

func (m *model) know(id string) {
	if !slices.Contains(m.known, id) {
		m.known = append(m.known, id)
	}
}

// follows enters a rotation.
func (m *model) follows(old, next string) { m.from[next], m.to[old] = old, next }

// remember enters a call with a key, unless one with it was made before.
func (m *model) remember(a act, key string, input map[string]any, token string) {
	said := maps.Clone(input)
	delete(said, "idempotencyKey")
	name := callers[a.Caller] + " " + key
	if c, ok := m.calls[name]; !ok || !time.Now().Before(c.until) {
		m.calls[name] = called{inWriting(a, said), token, time.Now().Add(24 * time.Hour)}
	}
}

// inWriting is the same for the same act with the same input.
func inWriting(a act, input map[string]any) string {
	text, _ := json.Marshal(input)
	return a.Does + string(text)
}

// expire takes out of the model what IONOS ends by itself.
func (m *model) expire() {
	maps.DeleteFunc(m.tokens, func(_ string, t modelled) bool { return !t.ends.IsZero() && !t.ends.After(time.Now()) })
}

// keeps is what the provider has to have at a place, by native ids.
func (m *model) keeps(at int) map[string]kept {
	all := map[string]kept{}
	for id, t := range m.tokens {
		if t.place == at {
			all[nativeIn(id)] = t.kept()
		}
	}
	return all
}

// taken tells whether a name is in the way of a new token's.
func (m *model) taken(at int, name string) bool {
	for _, t := range m.tokens {
		if t.place == at && t.name == name {
			return m.ionos
		}
	}
	return false
}
