package catalog

import (
	"context"
	"slices"
	"sync"
	"time"

	"regtok/cache"
	"regtok/providers"
)

// Person asks for a user where that user is known.
type Person struct {
	// Organization is where to look; zero: in every organization of the user's provider.
	Organization providers.ID
	ID           providers.ID
}

// userAt names a user, in an organization, at the account that they are read with.
type userAt struct {
	account      *Account
	organization providers.ID
	id           providers.ID
}

// Users returns each person, in the order asked. The first one of an organization is read alone; as soon as another
// is wanted, the organization's list is read, which answers for all.
func (c *Catalog) Users(ctx context.Context, people []Person) []cache.Entry[*User] {
	entries := make([]cache.Entry[*User], len(people))
	groups := map[providers.ID][]int{}
	var wait sync.WaitGroup
	for i, p := range people {
		if p.Organization.IsZero() {
			wait.Go(func() { entries[i] = c.findUser(ctx, p.ID) })
			continue
		}
		groups[p.Organization] = append(groups[p.Organization], i)
	}
	for organization, places := range groups {
		wait.Go(func() { c.usersOf(ctx, organization, people, places, entries) })
	}
	wait.Wait()
	return entries
}

// usersOf reads the people at places, all of one organization, into entries.
func (c *Catalog) usersOf(ctx context.Context, organization providers.ID, people []Person, places []int, entries []cache.Entry[*User]) {
	accounts, errs := c.owners(ctx, []providers.ID{organization})
	if errs[0] != nil {
		for _, i := range places {
			entries[i] = cache.Entry[*User]{Err: errs[0]}
		}
		return
	}
	list := at{accounts[0], organization}
	missing := places[:0:0]
	for _, i := range places {
		if entry, ok := c.views.user.Peek(ctx, userAt{list.account, organization, people[i].ID}); ok && entry.StaleSince.IsZero() {
			entries[i] = entry
			continue
		}
		missing = append(missing, i)
	}
	if len(missing) == 0 {
		return
	}
	first := people[missing[0]].ID
	alone := !slices.ContainsFunc(missing, func(i int) bool { return people[i].ID != first })
	if listed, ok := c.views.users.Peek(ctx, list); !(ok && listed.StaleSince.IsZero()) && alone && c.singles.first(list, first) {
		entry := c.views.user.Get(ctx, userAt{list.account, organization, first})
		for _, i := range missing {
			entries[i] = entry
		}
		return
	}
	whole := c.views.users.Get(ctx, list)
	for _, i := range missing {
		entries[i] = pickUser(whole, people[i].ID)
	}
}

// findUser looks for a user in every organization of their provider, one after the other, and first where the answer
// is at hand.
func (c *Catalog) findUser(ctx context.Context, id providers.ID) cache.Entry[*User] {
	result := cache.Entry[*User]{Err: providers.NotFoundError(id.Provider, "get user")}
	accounts := c.of(id.Provider)
	for i, list := range c.views.organizations.GetMany(ctx, accounts) {
		if list.Err != nil {
			result.Err = list.Err
		}
		for _, o := range list.Value {
			entry := c.views.user.Get(ctx, userAt{accounts[i], o.ID, id})
			if entry.Err == nil {
				return entry
			}
			if kind := providers.KindOf(entry.Err); kind != providers.NotFound {
				result.Err = entry.Err
			}
		}
	}
	return result
}

func pickUser(whole cache.Entry[[]*User], id providers.ID) cache.Entry[*User] {
	entry := cache.Entry[*User]{Err: whole.Err, ObservedAt: whole.ObservedAt, StaleSince: whole.StaleSince, Cause: whole.Cause}
	if whole.Err != nil {
		return entry
	}
	for _, u := range whole.Value {
		if u.ID == id {
			entry.Value = u
			return entry
		}
	}
	entry.Err = providers.NotFoundError(id.Provider, "get user")
	return entry
}

// singleReads remembers who was last read alone, so that the next other one makes the whole list be read.
type singleReads struct {
	mu   sync.Mutex
	last map[at]singleRead
}

type singleRead struct {
	id   providers.ID
	when time.Time
}

// first tells whether id is the only user wanted alone of late.
func (s *singleReads) first(list at, id providers.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	last, ok := s.last[list]
	if ok && last.id != id && time.Since(last.when) < usersFresh {
		return false
	}
	if s.last == nil {
		s.last = map[at]singleRead{}
	}
	s.last[list] = singleRead{id, time.Now()}
	return true
}
