package catalog

import (
	"cmp"
	"context"
	"time"

	"regtok/activity"
	"regtok/cache"
	"regtok/expiry"
	"regtok/providers"
)

// Whoever watches tokens' ends hears of each list of tokens that this process loaded, of what it wrote, and of lists that the
// sweep finds kept. Options.Tell gets it; it waits for nothing, so no reader does. Options.Trail gets the same lists; what is
// written it is told in deed.go.

var _ expiry.Source = (*Catalog)(nil)

// Reading is what was seen of the token, for those who watch its end. The name of its registry may be empty: unknown.
func (t *Token) Reading(registryName string) expiry.Reading {
	subject := expiry.Subject{Token: t.ID, Name: t.Name, RegistryName: registryName}
	if t.CreatedBy != nil {
		subject.CreatedBy = t.CreatedBy.Name
	}
	return expiry.Reading{
		At: t.ObservedAt, Subject: subject, Disabled: !t.Enabled,
		Due: t.DueAt, Source: expiry.DueSource(t.DueSource),
	}
}

// Look implements expiry.Source: at the priority of a sweep, so that readers and writers go first.
func (c *Catalog) Look(ctx context.Context, registry providers.ID, since time.Time) (expiry.List, error) {
	ctx = providers.WithPriority(ctx, providers.Sweeping)
	accounts, errs := c.owners(ctx, []providers.ID{registry})
	if providers.KindOf(errs[0]) == providers.NotFound {
		return expiry.List{}, expiry.ErrUnowned
	}
	if errs[0] != nil {
		return expiry.List{}, errs[0]
	}
	k := at{accounts[0], registry}
	kept, _ := c.views.tokens.Look(ctx, []at{k})
	entry := kept[0]
	if entry.Err != nil || entry.ObservedAt.Before(since) {
		entry = c.views.tokens.Get(cache.NoCache(ctx), k)
	}
	if err := cmp.Or(entry.Err, entry.Cause); err != nil {
		return expiry.List{}, err
	}
	name := ""
	if len(entry.Value) > 0 {
		name = c.nameRead(ctx, k)
	}
	return listOf(k, name, entry.ObservedAt, entry.Value), nil
}

// RegistryName implements expiry.Source: it costs a request, at the priority of a sweep, where the name is not at hand.
func (c *Catalog) RegistryName(ctx context.Context, registry providers.ID) string {
	ctx = providers.WithPriority(ctx, providers.Sweeping)
	accounts, errs := c.owners(ctx, []providers.ID{registry.OfOrganization()})
	if errs[0] != nil {
		return ""
	}
	return c.nameRead(ctx, at{accounts[0], registry})
}

// tell tells of a list of tokens.
func (c *Catalog) tell(ctx context.Context, k at, asked time.Time, tokens []*Token) {
	if c.heard == nil && c.trail == nil {
		return
	}
	name := c.registryName(ctx, k)
	if c.heard != nil {
		c.heard(listOf(k, name, asked, tokens))
	}
	if c.trail != nil {
		c.trail.See(activity.List{Registry: k.id, RegistryName: name, At: asked, Tokens: states(tokens)})
	}
}

// states are what a list says of its tokens.
func states(tokens []*Token) []*providers.Token {
	all := make([]*providers.Token, len(tokens))
	for i, t := range tokens {
		all[i] = &t.Token
	}
	return all
}

// tellGone tells that a registry has no tokens any more.
func (c *Catalog) tellGone(registry providers.ID, seen time.Time) {
	if c.heard != nil {
		c.heard(expiry.List{Registry: registry, At: seen})
	}
	if c.trail != nil {
		c.trail.See(activity.List{Registry: registry, At: seen})
	}
}

// tellWritten tells what became of one token.
func (c *Catalog) tellWritten(ctx context.Context, account *Account, t *Token) {
	if c.heard == nil || t.ID.IsZero() {
		return
	}
	reading := t.Reading(c.registryName(ctx, at{account, t.ID.OfRegistry()}))
	c.heard(expiry.List{Registry: t.ID.OfRegistry(), At: t.ObservedAt, Part: true, Tokens: []expiry.Reading{reading}})
}

// tellDeleted tells that a token was deleted.
func (c *Catalog) tellDeleted(token providers.ID) {
	if c.heard == nil {
		return
	}
	now := time.Now()
	gone := expiry.Reading{At: now, Gone: true, Subject: expiry.Subject{Token: token}}
	c.heard(expiry.List{Registry: token.OfRegistry(), At: now, Part: true, Tokens: []expiry.Reading{gone}})
}

// listOf is a list for those who watch. Each token was so when the list was asked for, or later.
func listOf(k at, name string, asked time.Time, tokens []*Token) expiry.List {
	list := expiry.List{Registry: k.id, At: asked, Tokens: make([]expiry.Reading, len(tokens))}
	for i, t := range tokens {
		list.Tokens[i] = t.Reading(name)
		list.Tokens[i].At = asked
	}
	return list
}

// registryName is a registry's name as far as it is at hand; empty: it is not.
func (c *Catalog) registryName(ctx context.Context, k at) string {
	lists, _ := c.views.registries.Look(ctx, []at{{k.account, k.id.OfOrganization()}})
	if name := nameAmong(lists[0], k.id); name != "" {
		return name
	}
	alone, _ := c.views.registry.Look(ctx, []within{{at{k.account, k.id.OfOrganization()}, k.id}})
	if alone[0].Value != nil {
		return alone[0].Value.Name
	}
	return ""
}

// nameRead is the name as it is at hand, or else as the provider tells it; empty: it does not.
func (c *Catalog) nameRead(ctx context.Context, k at) string {
	if name := c.registryName(ctx, k); name != "" {
		return name
	}
	return nameAmong(c.views.registries.Get(ctx, at{k.account, k.id.OfOrganization()}), k.id)
}

func nameAmong(list cache.Entry[[]*Registry], id providers.ID) string {
	for _, r := range list.Value {
		if r.ID == id {
			return r.Name
		}
	}
	return ""
}
