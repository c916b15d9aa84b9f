package buildkite

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"

	"regtok/providers"
	"regtok/providers/rest"
)

// What Buildkite writes. Nulls read as zero values; fields that are not mapped are left out.

// isUUID tells whether an id could be Buildkite's, which writes letters small.
func isUUID(id string) bool { return rest.IsUUID(id) && id == strings.ToLower(id) }

// valid tells whether id is of that kind, and could be Buildkite's. Only such parts come near a path.
func valid(id providers.ID, kind providers.IDKind) bool {
	if id.Provider != name || id.Kind != kind || !isUUID(id.Native) {
		return false
	}
	switch kind {
	case providers.TokenKind:
		return isUUID(id.Organization) && isUUID(id.Registry)
	case providers.RegistryKind:
		return isUUID(id.Organization)
	}
	return true
}

type organization struct {
	ID        string    `json:"id"`
	Slug      string    `json:"slug"`
	Name      string    `json:"name"`
	WebURL    string    `json:"web_url"`
	CreatedAt rest.Time `json:"created_at"`
}

func (o organization) native() string { return o.ID }

func (o organization) domain() providers.Organization {
	return providers.Organization{
		ID:        providers.OrganizationID(name, o.ID),
		Slug:      o.Slug,
		Name:      o.Name,
		WebURL:    o.WebURL,
		CreatedAt: o.CreatedAt.Time,
	}
}

type registry struct {
	ID          string   `json:"id"`
	Slug        string   `json:"slug"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Ecosystem   string   `json:"ecosystem"`
	Emoji       string   `json:"emoji"`
	Color       string   `json:"color"`
	Public      bool     `json:"public"`
	OIDCPolicy  policy   `json:"oidc_policy"`
	TeamIDs     []string `json:"team_ids"`
	WebURL      string   `json:"web_url"`
}

func (r registry) native() string { return r.ID }

// domain needs the organization and its slug, because registries do not name theirs.
func (r registry) domain(organization providers.ID, slug string) providers.Registry {
	return providers.Registry{
		ID:          organization.RegistryID(r.ID),
		Slug:        r.Slug,
		Name:        r.Name,
		Description: r.Description,
		Ecosystem:   r.Ecosystem,
		Host:        "packages.buildkite.com/" + slug + "/" + r.Slug,
		Public:      r.Public,
		State:       providers.Ready, // a registry is there as soon as it is created
		WebURL:      r.WebURL,
		Buildkite: &providers.BuildkiteRegistry{
			Emoji: r.Emoji, Color: r.Color, OIDCPolicy: string(r.OIDCPolicy), TeamIDs: r.TeamIDs,
		},
	}
}

// policy is YAML in a string. Where a list of statements comes instead, as the API takes one, its JSON is YAML too.
type policy string

// UnmarshalJSON implements json.Unmarshaler.
func (p *policy) UnmarshalJSON(data []byte) error {
	if data = bytes.TrimSpace(data); bytes.HasPrefix(data, []byte("[")) || bytes.HasPrefix(data, []byte("{")) {
		*p = policy(data)
		return nil
	}
	return json.Unmarshal(data, (*string)(p))
}

type token struct {
	ID           string    `json:"id"`
	Description  string    `json:"description"`
	CreatedAt    rest.Time `json:"created_at"`
	CreatedBy    *user     `json:"created_by"`
	Organization reference `json:"organization"`
	Registry     reference `json:"registry"`
}

// reference is what a token tells of its organization and registry.
type reference struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
}

func (t token) native() string { return t.ID }

func (t token) domain(registry providers.ID) providers.Token {
	return providers.Token{
		ID:       registry.TokenID(t.ID),
		Name:     cmp.Or(t.Description, t.ID[:min(8, len(t.ID))]),
		Enabled:  true, // nothing switches a token off
		Username: "buildkite",
		Scopes: []providers.Scope{
			{Type: "registry", Name: t.Registry.Slug, Actions: []string{"read_packages"}, Implicit: true},
		},
		CreatedAt: t.CreatedAt.Time,
		CreatedBy: t.creator(),
	}
}

// creator is who made the token, whole; nil when Buildkite names nobody.
func (t token) creator() *providers.User {
	if t.CreatedBy == nil || !isUUID(t.CreatedBy.ID) {
		return nil
	}
	creator := t.CreatedBy.domain()
	return &creator
}

// createdToken is a token with its secret, which comes once.
type createdToken struct {
	token
	Secret rest.Secret `json:"token"`
}

// tokenInput is what a token is created and patched with.
type tokenInput struct {
	Description string `json:"description"`
}

// user is a member, or the creator of a token.
type user struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Email     string    `json:"email"`
	AvatarURL string    `json:"avatar_url"`
	CreatedAt rest.Time `json:"created_at"`
}

func (u user) native() string { return u.ID }

func (u user) domain() providers.User {
	return providers.User{
		ID:        providers.UserID(name, u.ID),
		Name:      u.Name,
		Email:     u.Email,
		AvatarURL: u.AvatarURL,
		CreatedAt: u.CreatedAt.Time,
		Complete:  true,
	}
}

type accessToken struct {
	UUID      string    `json:"uuid"`
	ExpiresAt rest.Time `json:"expires_at"`
}
