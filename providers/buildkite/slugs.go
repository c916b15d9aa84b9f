package buildkite

import (
	"context"
	"sync"
	"time"

	"regtok/providers"
	"regtok/providers/rest"
)

// Ids hold UUIDs, because a rename changes a slug; URLs need slugs. The directory remembers which slug belongs to
// which UUID from every list and every token that passes, so that a warm read costs no request of its own:
//
//   - A read that finds nothing, or finds another registry under the slug, looks the slug up again, and is repeated
//     only if that brought another one.
//   - A write goes to a slug that was seen within the last minute, and is never repeated on another one.
//
// An organization whose slug was taken over by another one that the same access token sees is found again with the
// next list of organizations; nothing in a list of registries or members tells the two apart.

// slugTrust is how old a slug may be for a write, and for an empty list: that is the one answer that does not tell
// which registry it is about.
const slugTrust = time.Minute

// address is where something is found just now.
type address struct{ organization, registry string }

func (at address) members(more ...string) []string {
	return append([]string{"v2", "organizations", at.organization, "members"}, more...)
}

func (at address) registries(more ...string) []string {
	return append([]string{"v2", "packages", "organizations", at.organization, "registries"}, more...)
}

func (at address) tokens(more ...string) []string {
	return at.registries(append([]string{at.registry, "tokens"}, more...)...)
}

// slugs is the directory of organizations' and registries' slugs.
type slugs struct {
	mu    sync.Mutex
	known map[providers.ID]slug
	last  uint64 // the order of the last moment
	// lookups returns the moment at which the request of a lookup was sent.
	lookups rest.Flight[moment]
}

type slug struct {
	text string
	seen moment // when the request was sent whose answer told it
}

// moment is a point in time that tells before from after even while the clock stands still.
type moment struct {
	order uint64
	time  time.Time
}

// atLeast tells whether m is not before since, in order and in time; the zero moment is before all.
func (m moment) atLeast(since moment) bool {
	return m.order >= since.order && !m.time.Before(since.time)
}

// now is a moment after all others.
func (s *slugs) now() moment {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	return moment{s.last, time.Now()}
}

// trusted is the beginning of the time whose slugs are good enough for a write.
func trusted() moment { return moment{time: time.Now().Add(-slugTrust)} }

// get returns the slug of id if it was seen at since or later.
func (s *slugs) get(id providers.ID, since moment) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.known[id]
	return found.text, ok && found.seen.atLeast(since)
}

// learn remembers a slug unless a newer one is known.
func (s *slugs) learn(id providers.ID, text string, seen moment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(id, slug{text, seen})
}

// learnAll remembers the slugs of a whole list, and forgets what is no longer in it.
func (s *slugs) learnAll(parent providers.ID, found map[providers.ID]string, seen moment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, old := range s.known {
		if _, ok := found[id]; !ok && parentOf(id) == parent && old.seen.order < seen.order {
			delete(s.known, id)
		}
	}
	for id, text := range found {
		s.put(id, slug{text, seen})
	}
}

func (s *slugs) put(id providers.ID, new slug) {
	if s.known == nil {
		s.known = map[providers.ID]slug{}
	}
	if old, ok := s.known[id]; !ok || old.seen.order < new.seen.order {
		s.known[id] = new
	}
}

// parentOf names the list that id's slug stands in.
func parentOf(id providers.ID) providers.ID {
	if id.Kind == providers.RegistryKind {
		return id.OfOrganization()
	}
	return providers.ProviderID(id.Provider)
}

// read makes a call for an organization or a registry at its address, and once more when nothing is there and the
// address turns out to have changed.
func (a *adapter) read(ctx context.Context, op string, id providers.ID, call func(address) error) error {
	began := a.slugs.now()
	at, err := a.address(ctx, op, id, moment{})
	if err != nil {
		return err
	}
	err = call(at)
	if providers.KindOf(err) != providers.NotFound {
		return err
	}
	now, lookup := a.address(ctx, op, id, began)
	if lookup != nil {
		return lookup
	}
	if now == at {
		return err
	}
	return call(now)
}

// write makes a call that changes something in a registry, at an address known to be right a minute ago.
func (a *adapter) write(ctx context.Context, op string, registry providers.ID, call func(address) error) error {
	began := a.slugs.now()
	at, err := a.address(ctx, op, registry, trusted())
	if err != nil {
		return err
	}
	err = call(at)
	if providers.KindOf(err) != providers.NotFound {
		return err
	}
	// Gone, or only renamed? Whoever deletes a token must not be told that it is gone while it still opens doors.
	now, lookup := a.address(ctx, op, registry, began)
	if lookup != nil {
		return lookup
	}
	if now == at {
		return err
	}
	return &providers.Error{
		Kind: providers.Conflict, Provider: name, Op: op, Err: err,
		Message: "the registry has just been renamed; nothing was changed, try again",
	}
}

// address finds the slugs of an organization, or of a registry and its organization, as they were at since or later.
func (a *adapter) address(ctx context.Context, op string, id providers.ID, since moment) (address, error) {
	found, err := a.slug(ctx, op, id, since)
	if err != nil {
		return address{}, err
	}
	if id.Kind == providers.OrganizationKind {
		return address{organization: found}, nil
	}
	// After the registry, because looking for that may have found the organization under another slug.
	organization, err := a.slug(ctx, op, id.OfOrganization(), moment{})
	return address{organization, found}, err
}

// slug finds one slug as it was at since or later: in the directory, else in a list that is read for all who wait.
func (a *adapter) slug(ctx context.Context, op string, id providers.ID, since moment) (string, error) {
	if found, ok := a.slugs.get(id, since); ok {
		return found, nil
	}
	asked := a.slugs.now()
	for {
		seen, err := a.lookup(ctx, op, parentOf(id))
		if err != nil {
			return "", err
		}
		if found, ok := a.slugs.get(id, since); ok {
			return found, nil
		}
		// A list that was on its way before we asked may have missed what we look for; the next one cannot.
		if seen.atLeast(asked) {
			return "", providers.NotFoundError(name, op)
		}
	}
}

// lookup reads the organizations, or the registries of one, for everybody who waits for them.
func (a *adapter) lookup(ctx context.Context, op string, parent providers.ID) (moment, error) {
	return a.slugs.lookups.Do(ctx, op, parent.String(), func(ctx context.Context) (moment, error) {
		began := a.slugs.now()
		if parent.Kind == providers.ProviderKind {
			_, err := a.organizations(ctx, "list organizations")
			return began, err
		}
		_, err := a.registries(ctx, "list registries", parent)
		return began, err
	})
}
