package graph_test

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// What acts choose from.
var (
	callers = []string{"ada", "grace", "alan"}
	names   = []string{"alpha", "beta", "gamma"}
	vacant  = []string{"0aa7b8e2-1d0b-4c43-8f0e-3d3c1f5b7a01", "0aa7b8e2-1d0b-4c43-8f0e-3d3c1f5b7a02"}
)

// placeOf is where a token is, or would be.
func (m *model) placeOf(id string) int {
	return slices.IndexFunc(m.places, func(at place) bool { return at.idOf(nativeIn(id)) == id })
}

// scopesOf are scopes to choose from.
func scopesOf(n int) []scopeSeen {
	return [][]scopeSeen{
		{},
		{{Type: "repository", Name: "*", Actions: []string{"pull"}}},
		{{Type: "repository", Name: "team/app", Actions: []string{"push", "pull"}}, {Type: "registry", Name: "*", Actions: []string{"list"}}},
		{{Type: "repository", Name: "*", Actions: []string{"delete", "pull"}}, {Type: "repository", Name: "team/app", Actions: []string{"pull"}}},
	}[n%4]
}

func scopeInputs(scopes []scopeSeen) []map[string]any {
	list := []map[string]any{}
	for _, s := range scopes {
		list = append(list, map[string]any{"type": s.Type, "name": s.Name, "actions": s.Actions})
	}
	return list
}

// endOf is an end to choose: what to say, and what it means now.
func endOf(n int) (input map[string]any, ends time.Time) {
	soon := time.Now().Truncate(time.Second)
	switch n % 3 {
	case 0:
		return map[string]any{"never": true}, time.Time{}
	case 1:
		return map[string]any{"in": "PT2H"}, soon.Add(2 * time.Hour)
	}
	ends = soon.Add(30 * time.Hour)
	return map[string]any{"at": ends.Format(time.RFC3339)}, ends
}

// chooses are the mutation, its input and what has to come of it.
func (m *model) chooses(a act, version func(id string) string) (mutation string, input map[string]any, w want) {
	m.expire()
	switch a.Does {
	case "create":
		mutation = "createToken"
		input, w = m.create(a)
	case "replace":
		mutation = "replaceToken"
		input, w = m.replace(a, version)
	case "patch":
		mutation = "patchToken"
		input, w = m.patch(a, version)
	case "delete":
		mutation = "deleteToken"
		input, w = m.delete(a, version)
	default:
		mutation = "rotateToken"
		input, w = m.rotate(a, version)
	}
	return mutation, input, m.keyed(a, mutation, input, w)
}

// keyed is what an idempotency key makes of an act: it counts before everything else.
func (m *model) keyed(a act, mutation string, input map[string]any, w want) want {
	if a.Key == 0 || mutation != "createToken" && mutation != "rotateToken" {
		return w
	}
	said := inWriting(a, input)
	key := fmt.Sprintf("key-%d", a.Key)
	input["idempotencyKey"] = key
	if c, ok := m.calls[callers[a.Caller]+" "+key]; ok && time.Now().Before(c.until) {
		_, there := m.tokens[c.token]
		switch {
		case c.input != said:
			return want{code: "CONFLICT", unsent: true}
		case !there:
			return want{code: "NOT_FOUND", unsent: true}
		}
		return want{unsent: true, again: c.token}
	}
	then := w.then
	w.then = func(p payload) {
		then(p)
		m.remember(a, key, input, p.Token.ID)
	}
	return w
}

func (m *model) create(a act) (map[string]any, want) {
	t := modelled{place: a.Place, name: names[a.Name%len(names)]}
	input := map[string]any{"registryId": m.places[a.Place].id, "name": t.name}
	if a.Expiry > 2 {
		input["expiry"], t.ends = endOf(a.Expiry)
	}
	if a.Scopes > 3 {
		t.scopes = scopesOf(a.Scopes)
		input["scopes"] = scopeInputs(t.scopes)
	}
	if a.Enabled > 1 {
		t.disabled = a.Enabled == 2
		input["enabled"] = !t.disabled
	}
	switch {
	case !m.ionos && len(input) > 2:
		return input, want{code: "UNSUPPORTED", unsent: true}
	case m.taken(a.Place, t.name):
		return input, want{code: "CONFLICT"}
	}
	return input, want{then: func(p payload) { m.put(p.Token.ID, t) }}
}

// chosen is a token that is there, or was once.
func (m *model) chosen(a act) (id string, t modelled, there bool) {
	id = m.known[a.Token%len(m.known)]
	t, there = m.tokens[id]
	return id, t, there
}

// guard says which version is expected, and what comes of it where it is not that one.
func (m *model) guard(a act, input map[string]any, id string, there bool, version func(string) string) *want {
	switch {
	case a.Version < 2:
		return nil
	case !there:
		input["ifVersion"] = "of nothing"
		return &want{code: "NOT_FOUND", unsent: true}
	case a.Version == 2:
		input["ifVersion"] = version(id)
		return nil
	}
	input["ifVersion"] = "of another"
	return &want{code: "CONFLICT", unsent: true}
}

func (m *model) replace(a act, version func(string) string) (map[string]any, want) {
	id, t, there := m.chosen(a)
	address := map[string]any{"id": id}
	if a.Missing == 1 {
		at, native := m.places[a.Place], vacant[a.Token%len(vacant)]
		id = at.idOf(native)
		t, there = m.tokens[id]
		address = map[string]any{"native": map[string]any{"registryId": at.id, "nativeId": native}}
	}
	next := modelled{place: m.placeOf(id), name: names[a.Name%len(names)], scopes: scopesOf(a.Scopes), disabled: a.Enabled == 2}
	if there && a.Name > 1 {
		next.name = t.name
	}
	input := map[string]any{"token": address, "name": next.name, "scopes": scopeInputs(next.scopes), "enabled": !next.disabled}
	input["expiry"], next.ends = endOf(a.Expiry)
	if !m.ionos {
		return input, want{code: "UNSUPPORTED", unsent: true}
	}
	w := m.guard(a, input, id, there, version)
	switch {
	case w != nil:
		return input, *w
	case !there && a.Missing == 0: // only a native address may name what is to be created
		return input, want{code: "NOT_FOUND", unsent: true}
	case there && next.name != t.name, !there && m.taken(next.place, next.name):
		return input, want{code: "CONFLICT"}
	}
	return input, want{then: func(payload) { m.put(id, next) }}
}

func (m *model) patch(a act, version func(string) string) (map[string]any, want) {
	id, t, there := m.chosen(a)
	input := map[string]any{"token": map[string]any{"id": id}}
	if a.Name > 1 {
		t.name = names[a.Name%len(names)]
		input["name"] = t.name
	}
	others := len(input)
	if a.Expiry > 2 {
		input["expiry"], t.ends = endOf(a.Expiry)
	}
	if a.Enabled > 1 {
		t.disabled = a.Enabled == 2
		input["enabled"] = !t.disabled
	}
	switch given := scopesOf(a.Scopes); {
	case a.Scopes > 9 && len(given) > 0:
		t.scopes = without(t.scopes, given)
		input["scopes"] = map[string]any{"change": map[string]any{"remove": scopeInputs(given)}}
	case a.Scopes > 6 && len(given) > 0:
		t.scopes = with(t.scopes, given)
		input["scopes"] = map[string]any{"change": map[string]any{"add": scopeInputs(given)}}
	case a.Scopes > 3:
		t.scopes = given
		input["scopes"] = map[string]any{"set": scopeInputs(given)}
	}
	switch {
	case m.ionos && others > 1, !m.ionos && len(input) > others:
		return input, want{code: "UNSUPPORTED", unsent: true}
	case len(input) == 1:
		return input, want{code: "INVALID", unsent: true}
	}
	if w := m.guard(a, input, id, there, version); w != nil {
		return input, *w
	}
	if !there {
		return input, want{code: "NOT_FOUND"}
	}
	return input, want{then: func(payload) { m.put(id, t) }}
}

// with are scopes and more of them.
func with(scopes, more []scopeSeen) []scopeSeen {
	return among(scopes, more, func(has map[string]bool, action string) { has[action] = true })
}

// without are scopes less others; a scope without actions is none.
func without(scopes, less []scopeSeen) []scopeSeen {
	return among(scopes, less, func(has map[string]bool, action string) { delete(has, action) })
}

func among(scopes, others []scopeSeen, change func(has map[string]bool, action string)) []scopeSeen {
	type key struct{ typ, name string }
	actions := map[key]map[string]bool{}
	each := func(list []scopeSeen, do func(has map[string]bool, action string)) {
		for _, s := range list {
			for _, action := range s.Actions {
				k := key{s.Type, s.Name}
				if actions[k] == nil {
					actions[k] = map[string]bool{}
				}
				do(actions[k], action)
			}
		}
	}
	each(scopes, func(has map[string]bool, action string) { has[action] = true })
	each(others, change)
	var all []scopeSeen
	for k, has := range actions {
		if len(has) > 0 {
			all = append(all, scopeSeen{Type: k.typ, Name: k.name, Actions: slices.Sorted(maps.Keys(has))})
		}
	}
	return all
}

func (m *model) delete(a act, version func(string) string) (map[string]any, want) {
	id, _, there := m.chosen(a)
	input := map[string]any{"token": map[string]any{"id": id}, "allowMissing": a.Missing == 1}
	w := m.guard(a, input, id, there, version)
	switch {
	case !there && a.Missing == 1:
		return input, want{then: func(payload) {}}
	case w != nil:
		return input, *w
	case !there:
		return input, want{code: "NOT_FOUND"}
	}
	return input, want{then: func(payload) { delete(m.tokens, id) }}
}

func (m *model) rotate(a act, version func(string) string) (map[string]any, want) {
	id, old, there := m.chosen(a)
	overlap := time.Duration(a.Overlap) * 24 * time.Hour
	input := map[string]any{"token": map[string]any{"id": id}, "overlap": []string{"PT0S", "P1D"}[a.Overlap]}
	next := old
	if a.Name > 1 {
		next.name = names[a.Name%len(names)]
		input["name"] = next.name
	}
	w := m.guard(a, input, id, there, version)
	switch {
	case !m.ionos && overlap > 0:
		return input, want{code: "INVALID", unsent: true}
	case time.Now().Before(m.busy[id]):
		return input, want{code: "CONFLICT", unsent: true}
	case !there:
		return input, want{code: "NOT_FOUND", unsent: true}
	case w != nil:
		return input, *w
	case a.Name > 1 && m.taken(old.place, next.name):
		return input, want{code: "CONFLICT"}
	}
	return input, want{then: func(p payload) {
		if a.Name < 2 && m.ionos {
			next.name = p.Token.Name // whatever comes next; that it is free is what the provider says
		}
		if !old.ends.IsZero() {
			next.ends, _ = time.Parse(time.RFC3339, inUTC(p.Token.ExpiresAt)) // as long a life as the old one's
		}
		m.put(p.Token.ID, next)
		m.follows(id, p.Token.ID)
		if overlap == 0 {
			delete(m.tokens, id)
			return
		}
		if ends := time.Now().Truncate(time.Second).Add(overlap); old.ends.IsZero() || ends.Before(old.ends) {
			old.ends = ends
		}
		m.tokens[id], m.busy[id] = old, old.ends
	}}
}
