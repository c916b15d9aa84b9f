package model

import (
	"time"

	"regtok/catalog"
	"regtok/providers"
)

// Connection is a page of a list as Relay wants it. T is the catalog's item, N the schema's node.
type Connection[T, N any] struct {
	page        catalog.Page[T]
	unavailable []catalog.Unavailable
	nodes       []*N
}

// connect wraps a page's items; all nodes lie side by side in memory.
func connect[T, N any](page catalog.Page[T], unavailable []catalog.Unavailable, wrap func(T) N) Connection[T, N] {
	values, nodes := make([]N, len(page.Items)), make([]*N, len(page.Items))
	for i, item := range page.Items {
		values[i] = wrap(item)
		nodes[i] = &values[i]
	}
	return Connection[T, N]{page: page, unavailable: unavailable, nodes: nodes}
}

// Nodes are the page's items.
func (c *Connection[T, N]) Nodes() []*N { return c.nodes }

// TotalCount counts the whole list, as far as it could be read.
func (c *Connection[T, N]) TotalCount() int { return len(c.page.All) }

// PageInfo tells where the page lies.
func (c *Connection[T, N]) PageInfo() *PageInfo {
	info := PageInfo{HasNextPage: c.page.HasNext, HasPreviousPage: c.page.HasPrevious}
	if n := len(c.page.Items); n > 0 {
		start, end := c.page.Cursor(c.page.Items[0]), c.page.Cursor(c.page.Items[n-1])
		info.StartCursor, info.EndCursor = &start, &end
	}
	return &info
}

// Unavailable names what is missing from the list, or old.
func (c *Connection[T, N]) Unavailable() []*Unavailable {
	list := make([]*Unavailable, len(c.unavailable))
	for i := range c.unavailable {
		list[i] = &Unavailable{&c.unavailable[i]}
	}
	return list
}

// Unavailable is a source that is missing from a list.
type Unavailable struct{ *catalog.Unavailable }

// Account is whose list it is.
func (u *Unavailable) Account() *Account { return NewAccount(u.Unavailable.Account) }

// OrganizationID is set when only that organization is missing.
func (u *Unavailable) OrganizationID() *providers.ID { return idOrNull(&u.Organization) }

// RegistryID is set when only that registry is missing.
func (u *Unavailable) RegistryID() *providers.ID { return idOrNull(&u.Registry) }

// RetryAfter is null when it is not known.
func (u *Unavailable) RetryAfter() *time.Duration {
	if u.Unavailable.RetryAfter <= 0 {
		return nil
	}
	wait := WholeSeconds(u.Unavailable.RetryAfter)
	return &wait
}

// WholeSeconds rounds a wait up: who comes back a moment too early has to wait anew.
func WholeSeconds(wait time.Duration) time.Duration {
	return (wait + time.Second - 1).Truncate(time.Second)
}

func idOrNull(id *providers.ID) *providers.ID {
	if id.IsZero() {
		return nil
	}
	return id
}

// OrganizationConnection is a page of organizations.
type OrganizationConnection struct {
	Connection[*catalog.Organization, Organization]
}

// NewOrganizationConnection wraps a page.
func NewOrganizationConnection(page catalog.Page[*catalog.Organization], unavailable []catalog.Unavailable) *OrganizationConnection {
	return &OrganizationConnection{connect(page, unavailable, func(o *catalog.Organization) Organization { return Organization{o} })}
}

// Edges are the page's items with their cursors.
func (c *OrganizationConnection) Edges() []*OrganizationEdge {
	return edges(&c.Connection, func(cursor string, node *Organization) OrganizationEdge { return OrganizationEdge{cursor, node} })
}

// RegistryConnection is a page of registries.
type RegistryConnection struct {
	Connection[*catalog.Registry, Registry]
}

// NewRegistryConnection wraps a page.
func NewRegistryConnection(page catalog.Page[*catalog.Registry], unavailable []catalog.Unavailable) *RegistryConnection {
	return &RegistryConnection{connect(page, unavailable, func(r *catalog.Registry) Registry { return Registry{r} })}
}

// Edges are the page's items with their cursors.
func (c *RegistryConnection) Edges() []*RegistryEdge {
	return edges(&c.Connection, func(cursor string, node *Registry) RegistryEdge { return RegistryEdge{cursor, node} })
}

// TokenConnection is a page of tokens.
type TokenConnection struct {
	Connection[*catalog.Token, Token]
}

// NewTokenConnection wraps a page.
func NewTokenConnection(page catalog.Page[*catalog.Token], unavailable []catalog.Unavailable) *TokenConnection {
	return &TokenConnection{connect(page, unavailable, func(t *catalog.Token) Token { return Token{t} })}
}

// Edges are the page's items with their cursors.
func (c *TokenConnection) Edges() []*TokenEdge {
	return edges(&c.Connection, func(cursor string, node *Token) TokenEdge { return TokenEdge{cursor, node} })
}

// Summary counts the whole list.
func (c *TokenConnection) Summary() *TokenSummary { return NewTokenSummary(c.page.All, time.Now()) }

// UserConnection is a page of people.
type UserConnection struct {
	Connection[*catalog.User, User]
}

// NewUserConnection wraps a page.
func NewUserConnection(page catalog.Page[*catalog.User], unavailable []catalog.Unavailable) *UserConnection {
	return &UserConnection{connect(page, unavailable, func(u *catalog.User) User { return User{u} })}
}

// Edges are the page's items with their cursors.
func (c *UserConnection) Edges() []*UserEdge {
	return edges(&c.Connection, func(cursor string, node *User) UserEdge { return UserEdge{cursor, node} })
}

// The edges of connections.
type (
	// OrganizationEdge is an organization in a list.
	OrganizationEdge struct {
		Cursor string
		Node   *Organization
	}
	// RegistryEdge is a registry in a list.
	RegistryEdge struct {
		Cursor string
		Node   *Registry
	}
	// TokenEdge is a token in a list.
	TokenEdge struct {
		Cursor string
		Node   *Token
	}
	// UserEdge is a user in a list.
	UserEdge struct {
		Cursor string
		Node   *User
	}
)

func edges[T, N, E any](c *Connection[T, N], edge func(cursor string, node *N) E) []*E {
	values, list := make([]E, len(c.nodes)), make([]*E, len(c.nodes))
	for i, node := range c.nodes {
		values[i] = edge(c.page.Cursor(c.page.Items[i]), node)
		list[i] = &values[i]
	}
	return list
}
