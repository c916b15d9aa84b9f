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

// Users returns each person, in the order asked. The first one of an organization is read alone; as soon as another
// is wanted, the organization's list is read, which answers for all.
func (c *Catalog) Users(ctx context.Context, people []Person) []cache.Entry[*User] {
	ids, organizations := make([]providers.ID, len(people)), make([]providers.ID, len(people))
	anywhere := map[string][]int{} // by provider
	for i, p := range people {
		ids[i], organizations[i] = p.ID, p.Organization
		if p.Organization.IsZero() {
			anywhere[p.ID.Provider] = append(anywhere[p.ID.Provider], i)
		}
	}
	entries := planned(ctx, c, c.userPlan(ctx), ids, organizations) // without an organization nobody is found
	var wait sync.WaitGroup
	for provider, places := range anywhere {
		wait.Go(func() { c.findUsers(ctx, provider, ids, places, entries) })
	}
	wait.Wait()
	return entries
}

// userPlan reads people. Whom a token told of need not be among the organization's people, and whoever may not know of all
// of its registries may not know of that token.
func (c *Catalog) userPlan(ctx context.Context) plan[*User] {
	single := c.views.user
	if !ReachOf(ctx).WholeOrganizations() {
		single = c.views.member
	}
	return plan[*User]{
		op: "get user", list: c.views.users, single: single,
		id:    func(u *User) providers.ID { return u.ID },
		held:  true,
		alone: c.singles.first,
	}
}

// findUsers looks for the people at places, all of one provider, in its organizations: first where the answer is at
// hand, then in one after the other.
func (c *Catalog) findUsers(ctx context.Context, provider string, ids []providers.ID, places []int, entries []cache.Entry[*User]) {
	accounts := c.within(ctx, c.of(provider))
	var lists []at
	seen := map[providers.ID]bool{}
	organizations, _ := c.renewed(ctx, accounts, c.OrganizationLists(ctx, accounts))
	for i, entry := range organizations {
		for _, o := range entry.Value {
			if !seen[o.ID] {
				seen[o.ID] = true
				lists = append(lists, at{accounts[i], o.ID})
			}
		}
		if entry.Err != nil { // whoever is not found elsewhere may be there
			for _, i := range places {
				entries[i].Err = entry.Err
			}
		}
	}
	p := c.userPlan(ctx)
	places = slices.DeleteFunc(slices.Clone(places), func(i int) bool {
		return slices.ContainsFunc(lists, func(list at) bool {
			entry, ok := p.atHand(ctx, list, ids[i])
			if ok {
				entries[i] = entry
			}
			return ok
		})
	})
	for _, list := range lists {
		answers := make([]cache.Entry[*User], len(ids))
		p.read(ctx, list, ids, places, answers)
		places = slices.DeleteFunc(places, func(i int) bool {
			if answers[i].Err == nil || unlessGone(answers[i].Err) != nil {
				entries[i] = answers[i]
			}
			return answers[i].Err == nil
		})
	}
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
