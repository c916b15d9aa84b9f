package catalog

import "context"

// Some providers' URLs hold names that ids do not, and their adapters look these up in the lists of organizations and
// registries. Whoever asks for one token often asks for its registry and organization next, so where a driver's costs
// tell of such a look-up, the catalog reads the list itself beforehand: then the cache has it, for the same price.
// An adapter keeps the names for good, so each list is read for this reason once.

// learnOrganizations comes before what needs the name of one of the account's organizations.
func (c *Catalog) learnOrganizations(ctx context.Context, a *Account) error {
	cost := a.Driver.Costs.Registries
	if _, learnt := c.learnt.Load(a); learnt || cost.Cold <= cost.Warm {
		return nil
	}
	return c.views.organizations.Get(ctx, a).Err
}

// learnRegistries comes before what needs the name of one of the organization's registries.
func (c *Catalog) learnRegistries(ctx context.Context, organization at) error {
	cost := organization.account.Driver.Costs.Token
	if _, learnt := c.learnt.Load(organization); learnt || cost.Cold <= cost.Warm {
		return nil
	}
	return c.views.registries.Get(ctx, organization).Err
}
