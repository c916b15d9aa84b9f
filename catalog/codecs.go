package catalog

import (
	"time"

	"regtok/providers"
)

// codecs are one for each kind of thing that is cached.
type codecs struct {
	organizations codec[Organization]
	registries    codec[Registry]
	tokens        codec[Token]
	users         codec[User]
}

func newCodecs(c *Catalog) codecs {
	accounts := map[string]*Account{}
	for _, a := range c.accounts {
		accounts[a.tenant()] = a
	}
	return codecs{
		organizations: codec[Organization]{
			kind: providers.OrganizationKind, least: 6, accounts: accounts,
			id:     func(o *Organization) *providers.ID { return &o.ID },
			origin: func(o *Organization) origin { return origin{o.Account, o.Account.ID(), o.ObservedAt} },
			child: func(account providers.ID, native string) providers.ID {
				return providers.OrganizationID(account.Provider, native)
			},
			parts:    func(s stream, o *Organization) { organizationParts(s, &o.Organization) },
			complete: func(o *Organization, at origin) { o.Account, o.ObservedAt = at.account, at.observed },
		},
		registries: codec[Registry]{
			kind: providers.RegistryKind, least: 14, accounts: accounts,
			id:       func(r *Registry) *providers.ID { return &r.ID },
			origin:   func(r *Registry) origin { return origin{r.Account, r.ID.OfOrganization(), r.ObservedAt} },
			child:    providers.ID.RegistryID,
			parts:    func(s stream, r *Registry) { registryParts(s, &r.Registry) },
			complete: func(r *Registry, at origin) { r.Account, r.ObservedAt = at.account, at.observed },
		},
		tokens: codec[Token]{
			kind: providers.TokenKind, least: 14, accounts: accounts,
			id:       func(t *Token) *providers.ID { return &t.ID },
			origin:   func(t *Token) origin { return origin{t.Account, t.ID.OfRegistry(), t.ObservedAt} },
			child:    providers.ID.TokenID,
			parts:    func(s stream, t *Token) { tokenParts(s, &t.Token) },
			complete: func(t *Token, at origin) { *t = c.token(at.account, t.Token, at.observed) },
		},
		users: codec[User]{
			kind: providers.UserKind, least: 7, accounts: accounts,
			id:     func(u *User) *providers.ID { return &u.ID },
			origin: func(u *User) origin { return origin{u.Account, u.Account.ID(), time.Time{}} },
			child: func(account providers.ID, native string) providers.ID {
				return providers.UserID(account.Provider, native)
			},
			parts:    func(s stream, u *User) { userParts(s, &u.User) },
			complete: func(u *User, at origin) { u.Account = at.account },
		},
	}
}
