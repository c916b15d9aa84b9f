// Package model gives the catalog's values the shape of the schema: which fields are null, what a page looks like.
// Fields that need a provider are resolvers in package graph.
package model

import (
	"context"
	"slices"
	"time"

	"regtok/catalog"
	"regtok/providers"
)

// Provider is a service that keeps registries.
type Provider struct{ providers.Driver }

// ID is its address.
func (p *Provider) ID() providers.ID { return providers.ProviderID(p.Driver.Name) }

// Slug is its short name.
func (p *Provider) Slug() string { return p.Driver.Name }

// Name is its name for people.
func (p *Provider) Name() string { return p.Title }

// Capabilities are what its API allows.
func (p *Provider) Capabilities() *ProviderCapabilities {
	return &ProviderCapabilities{p.Driver.Capabilities}
}

// ProviderCapabilities is what a provider's API allows.
type ProviderCapabilities struct{ providers.Capabilities }

// NamePattern is null where names have no form.
func (c *ProviderCapabilities) NamePattern() *string { return orNull(&c.Names.Pattern) }

// UniqueNames tells whether the tokens of a registry have different names.
func (c *ProviderCapabilities) UniqueNames() bool { return c.Names.Unique }

// Account is a configured credential, with its health at one moment.
type Account struct {
	*catalog.Account
	health providers.Health
}

// NewAccount looks at an account's health.
func NewAccount(a *catalog.Account) *Account {
	health := providers.Health{Healthy: true}
	if a.Health != nil {
		health = a.Health()
	}
	return &Account{a, health}
}

// Provider is where the account is.
func (a *Account) Provider() *Provider { return &Provider{a.Driver} }

// Healthy tells whether the last request went well.
func (a *Account) Healthy() bool { return a.health.Healthy }

// LastSuccessAt is zero before the first.
func (a *Account) LastSuccessAt() time.Time { return a.health.LastSuccess }

// LastError is the last failure, for people.
func (a *Account) LastError() *string { return orNull(&a.health.LastError) }

// Budgets are what is left of the provider's allowances. Their scopes name whose they are, so that those of a single
// organization are not for callers who may not see all that the account sees.
func (a *Account) Budgets(ctx context.Context) []providers.Budget {
	budgets := slices.Clone(a.health.Budgets)
	if !catalog.ReachOf(ctx).Whole() {
		budgets = slices.DeleteFunc(budgets, func(b providers.Budget) bool { return b.Of != "" })
	}
	for i := range budgets {
		if b := &budgets[i]; b.Of != "" {
			b.Scope += " " + b.Of
		}
	}
	return budgets
}

// Organization is an organization.
type Organization struct{ *catalog.Organization }

// Provider is where it is.
func (o *Organization) Provider() *Provider { return &Provider{o.Account.Driver} }

// NativeID is the provider's own id.
func (o *Organization) NativeID() string { return o.ID.Native }

// Slug is the short name in URLs.
func (o *Organization) Slug() *string { return orNull(&o.Organization.Slug) }

// User is a person.
type User struct{ *catalog.User }

// Provider is where the person is known.
func (u *User) Provider() *Provider { return &Provider{u.Account.Driver} }

// NativeID is the provider's own id.
func (u *User) NativeID() string { return u.ID.Native }

// Name is a name, or a label.
func (u *User) Name() *string { return orNull(&u.User.Name) }

// Email is not always told.
func (u *User) Email() *string { return orNull(&u.User.Email) }

// IsNode marks what node can find, for the schema's interface.
func (*Provider) IsNode()     {}
func (*Account) IsNode()      {}
func (*Organization) IsNode() {}
func (*Registry) IsNode()     {}
func (*Token) IsNode()        {}
func (*User) IsNode()         {}

// orNull is null for an empty text.
func orNull(s *string) *string {
	if *s == "" {
		return nil
	}
	return s
}
