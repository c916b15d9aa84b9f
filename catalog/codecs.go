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
	return codecs{
		organizations: codec[Organization]{
			kind: providers.OrganizationKind, least: 6,
			id: func(o *Organization) *providers.ID { return &o.ID },
			child: func(account providers.ID, native string) providers.ID {
				return providers.OrganizationID(account.Provider, native)
			},
			parts:    func(s stream, o *Organization) { organizationParts(s, &o.Organization) },
			complete: func(o *Organization, a *Account, observed time.Time) { o.Account, o.ObservedAt = a, observed },
			seen:     func(o *Organization) (*Account, time.Time) { return o.Account, o.ObservedAt },
		},
		registries: codec[Registry]{
			kind: providers.RegistryKind, least: 14,
			id:       func(r *Registry) *providers.ID { return &r.ID },
			child:    providers.ID.RegistryID,
			parts:    func(s stream, r *Registry) { registryParts(s, &r.Registry) },
			complete: func(r *Registry, a *Account, observed time.Time) { r.Account, r.ObservedAt = a, observed },
			seen:     func(r *Registry) (*Account, time.Time) { return r.Account, r.ObservedAt },
		},
		tokens: codec[Token]{
			kind: providers.TokenKind, least: 14,
			id:       func(t *Token) *providers.ID { return &t.ID },
			child:    providers.ID.TokenID,
			parts:    func(s stream, t *Token) { tokenParts(s, &t.Token) },
			complete: func(t *Token, a *Account, observed time.Time) { *t = c.token(a, t.Token, observed) },
			seen:     func(t *Token) (*Account, time.Time) { return t.Account, t.ObservedAt },
		},
		users: codec[User]{
			kind: providers.UserKind, least: 7,
			id: func(u *User) *providers.ID { return &u.ID },
			child: func(organization providers.ID, native string) providers.ID {
				return providers.UserID(organization.Provider, native)
			},
			parts:    func(s stream, u *User) { userParts(s, &u.User) },
			complete: func(u *User, a *Account, _ time.Time) { u.Account = a },
			seen:     func(u *User) (*Account, time.Time) { return u.Account, time.Time{} },
		},
	}
}
