package emulator

import (
	"slices"
	"strings"
	"time"
)

type organization struct {
	id, slug, name string
	created        time.Time
	members        []*member
	registries     []*registry // oldest first
	listing        listing     // of registries
}

type member struct {
	person        *person
	role, ssoMode string
}

func (o *organization) member(p *person) *member {
	for _, m := range o.members {
		if m.person == p {
			return m
		}
	}
	return nil
}

// organizationOf finds one of the caller's organizations by its slug; nil: none of theirs.
func (e *emulator) organizationOf(caller *person, slug string) *organization {
	for _, o := range e.organizations {
		if e.sameSlug(o.slug, slug) && o.member(caller) != nil {
			return o
		}
	}
	return nil
}

// home is the organization that a caller's requests count for when they name none. Everybody has one.
func (e *emulator) home(caller *person) *organization {
	i := slices.IndexFunc(e.organizations, func(o *organization) bool { return o.member(caller) != nil })
	return e.organizations[i]
}

func (e *emulator) sameSlug(slug, asked string) bool {
	if e.choices.is(slugCase, "insensitive") {
		return strings.EqualFold(slug, asked)
	}
	return slug == asked
}

type organizationView struct {
	ID           string `json:"id"`
	GraphQLID    string `json:"graphql_id"`
	URL          string `json:"url"`
	WebURL       string `json:"web_url"`
	Name         string `json:"name"`
	Slug         string `json:"slug"`
	PipelinesURL string `json:"pipelines_url"`
	AgentsURL    string `json:"agents_url"`
	EmojisURL    string `json:"emojis_url"`
	CreatedAt    string `json:"created_at"`
}

func (c *call) organizationView(o *organization) organizationView {
	url := c.base + "/v2/organizations/" + o.slug
	return organizationView{
		ID:           o.id,
		GraphQLID:    globalID("Organization", o.id),
		URL:          url,
		WebURL:       "https://buildkite.com/" + o.slug,
		Name:         o.name,
		Slug:         o.slug,
		PipelinesURL: url + "/pipelines",
		AgentsURL:    url + "/agents",
		EmojisURL:    url + "/emojis",
		CreatedAt:    moment(o.created),
	}
}

// listOrganizations is documented to come in pages.
func (c *call) listOrganizations() (answer, *refusal) {
	var own []*organization
	for _, o := range c.organizations {
		if o.member(c.caller) != nil {
			own = append(own, o)
		}
	}
	return page(c, own, c.organizationView), nil
}

func (c *call) getOrganization() (answer, *refusal) {
	return answer{body: c.organizationView(c.organization)}, nil
}
