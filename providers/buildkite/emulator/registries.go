package emulator

import "slices"

type registry struct {
	about
	id, ecosystem string
	public        bool
	teams         []string
	tokens        []*token // oldest first
	listing       listing  // of tokens
}

// about is what an update can change.
type about struct {
	name, slug                            string
	description, emoji, color, oidcPolicy *string
}

// ofRegistry finds the registry in the path. It is only called where the path names an organization of the caller's.
func ofRegistry(run func(*call, *registry) (answer, *refusal)) func(*call) (answer, *refusal) {
	return func(c *call) (answer, *refusal) {
		name := c.names["registry"]
		for _, r := range c.organization.registries {
			if c.sameSlug(r.slug, name) || r.id == name && c.choices.is(registryByUUID, "yes") {
				return run(c, r)
			}
		}
		return answer{}, c.notFound("registry")
	}
}

func registryPathOf(o *organization, r *registry) string {
	return "/v2/packages/organizations/" + o.slug + "/registries/" + r.slug
}

type registryView struct {
	ID          string   `json:"id"`
	GraphQLID   string   `json:"graphql_id"`
	Slug        string   `json:"slug"`
	URL         string   `json:"url"`
	WebURL      string   `json:"web_url"`
	Name        string   `json:"name"`
	Ecosystem   string   `json:"ecosystem"`
	Description *string  `json:"description"`
	Emoji       *string  `json:"emoji"`
	Color       *string  `json:"color"`
	Public      bool     `json:"public"`
	OIDCPolicy  *string  `json:"oidc_policy"`
	Type        string   `json:"type,omitempty"`
	TeamIDs     []string `json:"team_ids,omitzero"`
}

// listedView is a registry as lists show it.
func (c *call) listedView(r *registry) registryView {
	v := registryView{
		ID:          r.id,
		GraphQLID:   globalID("Registry", r.id),
		Slug:        r.slug,
		URL:         c.base + registryPathOf(c.organization, r),
		WebURL:      "https://buildkite.com/organizations/" + c.organization.slug + "/packages/registries/" + r.slug,
		Name:        r.name,
		Ecosystem:   r.ecosystem,
		Description: r.description,
		Emoji:       r.emoji,
		Color:       r.color,
		Public:      r.public,
		OIDCPolicy:  r.oidcPolicy,
	}
	if c.choices.is(registryType, "source") {
		v.Type = "source"
	}
	if !c.choices.is(teamIDs, "absent") {
		v.TeamIDs = append([]string{}, r.teams...)
	}
	return v
}

// aloneView is a registry as every other answer shows it.
func (c *call) aloneView(r *registry) registryView {
	v := c.listedView(r)
	if c.choices.is(registryWebURL, "as_sampled") {
		v.WebURL = "https://buildkite.com/organizations/" + c.organization.slug + "/registries/" + r.slug
	}
	return v
}

func (c *call) listRegistries() (answer, *refusal) {
	return list(c, c.organization.registries, &c.organization.listing, c.listedView), nil
}

func (c *call) getRegistry(r *registry) (answer, *refusal) {
	return answer{body: c.aloneView(r)}, nil
}

func (c *call) createRegistry() (answer, *refusal) {
	p, refused := c.properties()
	if refused != nil {
		return answer{}, refused
	}
	if !p.has("name") {
		return answer{}, c.blank("name")
	}
	r := &registry{id: newID()}
	if r.about, refused = c.changed(r, p); refused != nil {
		return answer{}, refused
	}
	if r.ecosystem, refused = c.ecosystem(p); refused != nil {
		return answer{}, refused
	}
	if r.teams, refused = c.teams(p); refused != nil {
		return answer{}, refused
	}
	c.organization.registries = append(c.organization.registries, r)
	c.organization.listing.forget()
	return c.created(c.aloneView(r)), nil
}

// updateRegistry changes what is given. The documents say POST; PUT does the same in the vendor's own acceptance tests.
func (c *call) updateRegistry(r *registry) (answer, *refusal) {
	p, refused := c.properties()
	if refused != nil {
		return answer{}, refused
	}
	if p.has("ecosystem") {
		ecosystem, refused := c.requiredText(p, "ecosystem")
		if refused != nil {
			return answer{}, refused
		}
		if ecosystem != r.ecosystem {
			return answer{}, c.invalid("ecosystem", "immutable", "can't be changed")
		}
	}
	changed, refused := c.changed(r, p)
	if refused != nil {
		return answer{}, refused
	}
	c.organization.change(r, changed)
	return answer{body: c.aloneView(r)}, nil
}

// patchRegistry does what the choice says of a method that no document has.
func (c *call) patchRegistry(r *registry) (answer, *refusal) {
	switch c.choices[registryPatch] {
	case "updates":
		return c.updateRegistry(r)
	case "405":
		return answer{}, methodNotAllowed("DELETE, GET, POST, PUT")
	}
	return answer{}, noRoute()
}

func (c *call) deleteRegistry(r *registry) (answer, *refusal) {
	o := c.organization
	o.registries = slices.DeleteFunc(o.registries, func(other *registry) bool { return other == r })
	o.listing.forget()
	return c.deleted(c.aloneView(r)), nil
}

// change gives a registry another description, and forgets the lists that show the old one.
func (o *organization) change(r *registry, to about) {
	r.about = to
	r.listing.forget() // tokens show their registry's slug
	o.listing.forget()
}
