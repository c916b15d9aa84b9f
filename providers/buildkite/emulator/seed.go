package emulator

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// Seeded ids are made of what they name and of fixed times, so they are the same at every start. What is created
// later has a later time in its id, so ids sort by age.
var (
	peopleJoined      = time.Date(2023, 2, 6, 9, 15, 0, 112_000_000, time.UTC)
	organizationsMade = time.Date(2023, 3, 1, 8, 0, 0, 874_000_000, time.UTC)
	registriesMade    = time.Date(2024, 5, 8, 10, 30, 0, 244_000_000, time.UTC)
	tokensMade        = time.Date(2024, 9, 3, 6, 46, 39, 441_000_000, time.UTC)
)

func seedID(label string, at time.Time) string { return timed(at, sha256.Sum256([]byte(label))) }

const day = 24 * time.Hour

// seed fills the emulator: with the story, or with registries that have so many tokens each.
func (e *emulator) seed(registries, tokens int) {
	e.seedPeople()
	if registries > 0 {
		e.seedGrid(registries, tokens)
	} else {
		e.seedStory()
	}
	if e.choices.is(nullFields, "some") {
		e.forgetSome()
	}
}

func (e *emulator) seedPeople() {
	avatar := func(name string) *string {
		url := "https://www.gravatar.com/avatar/" + fmt.Sprintf("%x", sha256.Sum256([]byte(name)))[:32]
		return &url
	}
	e.people = []*person{
		{name: "Ada Lovelace", email: "ada@acme.test", avatar: avatar("ada")},
		{name: "Grace Hopper", email: "grace@acme.test"},
		{name: "Alan Turing", email: "alan@acme.test"},
		{name: "Katherine Johnson", email: "katherine@acme.test", avatar: avatar("katherine")},
		{name: "Émilie du Châtelet", email: "emilie@acme.test"},
		{name: "Hedy Lamarr", email: "hedy@globex.test", avatar: avatar("hedy")},
		{name: "Nikola Tesla", email: "nikola@globex.test"},
	}
	for i, p := range e.people {
		p.created = peopleJoined.Add(time.Duration(i) * 31 * day)
		p.id = seedID("person "+p.email, p.created)
	}
	ada, hedy := e.people[0], e.people[5]
	e.organizations = []*organization{{slug: "acme-inc", name: "Acme Inc"}, {slug: "globex", name: "Globex"}}
	for i, o := range e.organizations {
		o.created = organizationsMade.Add(time.Duration(i) * 90 * day)
		o.id = seedID("organization "+o.slug, o.created)
	}
	acme, globex := e.organizations[0], e.organizations[1]
	acme.members = []*member{{ada, "admin", "required"}}
	for _, p := range e.people[1:5] {
		acme.members = append(acme.members, &member{p, "member", "optional"})
	}
	acme.members[1].role = "admin"
	globex.members = []*member{{hedy, "admin", "required"}, {e.people[6], "member", "required"}, {ada, "member", "optional"}}
}

// seedRegistry adds a registry with one token for each age, which begin with the oldest. n counts registries from 0.
func (e *emulator) seedRegistry(o *organization, n int, r *registry, tokens []seedToken) {
	r.slug = slugOf(r.name)
	r.id = seedID(fmt.Sprintf("registry %s/%s", o.slug, r.slug), registriesMade.Add(time.Duration(n)*time.Hour))
	r.tokens = make([]*token, len(tokens))
	for i, t := range tokens {
		made := tokensMade.Add(time.Duration(n)*time.Hour + time.Duration(i)*time.Second)
		r.tokens[i] = &token{
			id:          seedID(fmt.Sprintf("token %s/%s/%d", o.slug, r.slug, i), made),
			description: &tokens[i].description,
			created:     e.started.Add(-t.age).Truncate(time.Millisecond),
			author:      o.members[(n+i)%len(o.members)].person,
		}
	}
	o.registries = append(o.registries, r)
}

type seedToken struct {
	description string
	age         time.Duration
}

// forgetSome makes the first token of each registry nameless, and leaves the second without its maker.
func (e *emulator) forgetSome() {
	for _, o := range e.organizations {
		for _, r := range o.registries {
			if len(r.tokens) > 0 {
				r.tokens[0].description = nil
			}
			if len(r.tokens) > 1 {
				r.tokens[1].author = nil
			}
		}
	}
}

// seedGrid splits the registries over the organizations. A registry's tokens have ages spread over half a year.
func (e *emulator) seedGrid(registries, tokens int) {
	ecosystems := []string{"container", "ruby", "java", "python", "npm"}
	for n := range registries {
		made := make([]seedToken, tokens)
		for i := range made {
			age := time.Hour + time.Duration(tokens-1-i)*180*day/time.Duration(tokens) + time.Duration(n)*7*time.Minute
			made[i] = seedToken{fmt.Sprintf("token-%03d", i+1), age}
		}
		r := &registry{
			about:     about{name: fmt.Sprintf("registry-%03d", n+1)},
			ecosystem: ecosystems[n%len(ecosystems)],
		}
		e.seedRegistry(e.organizations[n%len(e.organizations)], n, r, made)
	}
}
