package emulator

import "time"

// The people of the story by their place in seedUsers.
const (
	ida = iota
	jonas
	mei
	_
	pipeline
	pavel
)

// seedStory is what an emulator without options holds.
func seedStory(st *store, users []*user, start time.Time) {
	for _, r := range []*registry{
		{name: "lindenhof-archive", location: "gb/lhr", state: "Suspended", storage: 912_680_550_400,
			created: mark{start.Add(-730 * day), users[pavel].author()}},
		{name: "lindenhof-images", location: "de/fra", storage: 51_539_607_552,
			schedule: &schedule{Days: []string{"Wednesday", "Saturday"}, Time: "04:17:00+00:00"},
			created:  mark{start.Add(-400 * day), users[ida].author()},
			modified: mark{start.Add(-33 * day), users[jonas].author()}},
		{name: "lindenhof-edge", location: "de/txl", storage: 3_221_225_472,
			allowList: []string{"203.0.113.0/24", "2001:db8::/48"},
			created:   mark{start.Add(-210 * day), users[jonas].author()}},
		{name: "lindenhof-broken", location: "fr/par", state: "FAILED",
			created: mark{start.Add(-9 * day), users[mei].author()}},
		{name: "lindenhof-staging", location: "es/vit", state: "WaitingForStorage",
			created: mark{start.Add(-4 * time.Minute), users[pipeline].author()}},
		{name: "lindenhof-lab", location: "us/ewr", state: "New",
			created: mark{start.Add(-90 * time.Second), users[mei].author()}},
	} {
		r.id = fixedID("registry", r.name)
		r.scanning = true
		if r.storage > 0 {
			r.storageAt = start.Add(-2 * time.Hour)
		}
		st.add(r)
	}
	for _, t := range storyTokens(users, start) {
		made := &token{
			id: fixedID("token", t.registry, t.name), name: t.name, status: "enabled", scopes: t.scopes,
			created: mark{start.Add(-t.age), t.by}, modified: t.modified,
		}
		if t.disabled {
			made.status = "disabled"
		}
		if t.expiresIn > 0 {
			made.expiry = start.Add(t.expiresIn)
		}
		st.addToken(st.byID[fixedID("registry", "lindenhof-"+t.registry)], made)
	}
}

// storyToken is a token of the story; its times count from the start.
type storyToken struct {
	registry, name string
	expiresIn      time.Duration // 0: never
	age            time.Duration
	by             author
	scopes         []scope
	disabled       bool
	modified       mark
}

// storyTokens expire in a minute, in an hour or so, within each of the usual warning times, and never.
func storyTokens(users []*user, start time.Time) []storyToken {
	// Whoever made one of them has left: the id is nobody's, and the label is no e-mail address.
	leaver := fixedID("user", "leaver")
	left := author{label: "ionos:identity:::users/" + leaver, id: leaver}
	everything := []scope{repository("*", "pull", "push", "delete")}
	return []storyToken{
		{registry: "images", name: "ci-push", age: 380 * day, by: users[pipeline].author(), scopes: everything},
		{registry: "images", name: "smoke-test", expiresIn: time.Minute, age: time.Hour, by: users[jonas].author(),
			scopes: []scope{repository("team/app", "pull")}},
		{registry: "images", name: "release-job", expiresIn: 70 * time.Minute, age: 2 * time.Hour,
			by: users[pipeline].author(), scopes: []scope{repository("team/app", "pull", "push"), catalog("*")}},
		{registry: "images", name: "k8s-pull-fra", expiresIn: 20 * time.Hour, age: 89 * day, by: users[mei].author(),
			scopes: []scope{repository("*", "pull")}, modified: mark{start.Add(-30 * day), users[ida].author()}},
		{registry: "images", name: "partner-readonly", expiresIn: 6 * day, age: 24 * day, by: users[ida].author(),
			scopes: []scope{repository("public/base", "pull"), repository("public/tools", "pull")}},
		{registry: "images", name: "old-laptop", age: 350 * day, by: users[jonas].author(), scopes: everything,
			disabled: true, modified: mark{start.Add(-12 * day), users[ida].author()}},
		{registry: "images", name: "catalog-reader", expiresIn: 28 * day, age: 62 * day, by: users[mei].author(),
			scopes: []scope{catalog("list")}},
		{registry: "edge", name: "edge-gateway", expiresIn: 60 * time.Hour, age: 27 * day, by: users[jonas].author(),
			scopes: []scope{repository("edge/gateway", "pull")}},
		{registry: "edge", name: "edge-build", expiresIn: 12 * day, age: 18 * day, by: users[pipeline].author(),
			scopes: []scope{repository("*", "pull", "push")}},
		{registry: "edge", name: "edge-sensors", expiresIn: 200 * day, age: 165 * day, by: left,
			scopes: []scope{repository("edge/sensors", "pull")}},
		{registry: "edge", name: "no-rights-yet", age: 3 * day, by: users[mei].author()},
		{registry: "archive", name: "archive-audit", age: 700 * day, by: users[pavel].author(),
			scopes: []scope{catalog("list"), {Type: "backup", Name: "Scope1", Actions: []string{"read"}}}},
		{registry: "staging", name: "staging-deploy", expiresIn: 90 * day, age: 3 * time.Minute,
			by: users[pipeline].author(), scopes: everything},
	}
}

// repository is a right to what a registry holds, catalog one to the list of it.
func repository(name string, actions ...string) scope {
	return scope{Type: "repository", Name: name, Actions: actions}
}

func catalog(actions ...string) scope { return scope{Type: "registry", Name: "*", Actions: actions} }
