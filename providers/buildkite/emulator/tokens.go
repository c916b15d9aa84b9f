package emulator

import (
	"slices"
	"time"
)

type token struct {
	id          string
	description *string
	created     time.Time
	author      *person // nil: not known any more
}

// ofTokens finds the registry in the path, and makes sure that its tokens can be seen.
func ofTokens(run func(*call, *registry) (answer, *refusal)) func(*call) (answer, *refusal) {
	return ofRegistry(func(c *call, r *registry) (answer, *refusal) {
		if r.public && c.choices.is(publicRegistryTokens, "404") {
			return answer{}, c.notFound("registry token")
		}
		return run(c, r)
	})
}

// ofToken finds the token in the path.
func ofToken(run func(*call, *registry, *token) (answer, *refusal)) func(*call) (answer, *refusal) {
	return ofTokens(func(c *call, r *registry) (answer, *refusal) {
		for _, t := range r.tokens {
			if t.id == c.names["token"] {
				return run(c, r, t)
			}
		}
		return answer{}, c.notFound("registry token")
	})
}

type tokenView struct {
	ID           string            `json:"id"`
	GraphQLID    string            `json:"graphql_id"`
	Description  *string           `json:"description"`
	URL          string            `json:"url"`
	CreatedAt    string            `json:"created_at"`
	CreatedBy    *userView         `json:"created_by"`
	Organization tokenOrganization `json:"organization"`
	Registry     tokenRegistry     `json:"registry"`
	Token        string            `json:"token,omitempty"` // the secret, from a create
}

type tokenOrganization struct {
	ID     string `json:"id"`
	Slug   string `json:"slug"`
	URL    string `json:"url"`
	WebURL string `json:"web_url"`
}

type tokenRegistry struct {
	ID        string `json:"id"`
	GraphQLID string `json:"graphql_id"`
	Slug      string `json:"slug"`
	URL       string `json:"url"`
	WebURL    string `json:"web_url"`
}

// tokenView keeps the oddities of the documents' sample: http for the token and its registry, and an organization
// whose URL is of another API.
func (c *call) tokenView(r *registry, t *token) tokenView {
	o := c.organization
	registryURL := "http://" + c.request.Host + registryPathOf(o, r)
	v := tokenView{
		ID:          t.id,
		GraphQLID:   globalID("RegistryToken", t.id),
		Description: t.description,
		URL:         registryURL + "/tokens/" + t.id,
		CreatedAt:   moment(t.created),
		Organization: tokenOrganization{
			ID:     o.id,
			Slug:   o.slug,
			URL:    c.base + "/v2/analytics/organizations/" + o.slug,
			WebURL: "https://buildkite.com/organizations/" + o.slug,
		},
		Registry: tokenRegistry{
			ID:        r.id,
			GraphQLID: globalID("Registry", r.id),
			Slug:      r.slug,
			URL:       registryURL,
			WebURL:    "http://buildkite.com/organizations/" + o.slug + "/registries/" + r.slug,
		},
	}
	if t.author != nil {
		v.CreatedBy = t.author.view()
	}
	return v
}

func (c *call) listTokens(r *registry) (answer, *refusal) {
	return list(c, r.tokens, &r.listing, func(t *token) tokenView { return c.tokenView(r, t) }), nil
}

func (c *call) getToken(r *registry, t *token) (answer, *refusal) {
	return answer{body: c.tokenView(r, t)}, nil
}

func (c *call) createToken(r *registry) (answer, *refusal) {
	p, refused := c.properties()
	if refused != nil {
		return answer{}, refused
	}
	description, refused := c.requiredText(p, "description")
	if refused != nil {
		return answer{}, refused
	}
	t := &token{id: newID(), description: &description, created: time.Now(), author: c.caller}
	r.tokens = append(r.tokens, t)
	r.listing.forget()
	view := c.tokenView(r, t)
	view.Token = newSecret().Reveal()
	return c.created(view), nil
}

func (c *call) updateToken(r *registry, t *token) (answer, *refusal) {
	p, refused := c.properties()
	if refused != nil {
		return answer{}, refused
	}
	if p.has("description") || c.choices.is(emptyUpdate, "422") {
		description, refused := c.requiredText(p, "description")
		if refused != nil {
			return answer{}, refused
		}
		t.description = &description
		r.listing.forget()
	}
	return answer{body: c.tokenView(r, t)}, nil
}

// undocumentedUpdate refuses the methods that other APIs update with.
func (c *call) undocumentedUpdate() (answer, *refusal) {
	if c.choices.is(tokenPutPatch, "405") {
		return answer{}, methodNotAllowed("DELETE, GET, POST")
	}
	return answer{}, noRoute()
}

func (c *call) deleteToken(r *registry, t *token) (answer, *refusal) {
	r.tokens = slices.DeleteFunc(r.tokens, func(other *token) bool { return other == t })
	r.listing.forget()
	return c.deleted(c.tokenView(r, t)), nil
}
