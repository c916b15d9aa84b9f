package graph_test

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

const lookedAt = `query ($here: ID!, $there: ID!, $known: [ID!]!) {
  here: registry(address: { id: $here }) { tokens(first: 100) { edges { node ` + seenFields + ` } unavailable { reason } } }
  there: registry(address: { id: $there }) { tokens(first: 100) { edges { node ` + seenFields + ` } unavailable { reason } } }
  nodes(ids: $known) { ... on Token { id nativeId name version enabled expiresAt scopes { type name actions implicit }
    rotatedFrom { id expiresAt } rotatedTo { id expiresAt } } }
}`

// look compares the model, the provider, and all that this server tells.
func (p *play) look(t *quiet) {
	m := p.model
	m.expire()
	p.looks++
	first := m.known[p.looks%len(m.known)]
	one := p.token(t, first) // before lists answer for it
	known := m.known[max(0, len(m.known)-50):]
	a := p.ask(t, lookedAt, map[string]any{"here": m.places[0].id, "there": m.places[1].id, "known": known})
	var seen struct {
		Here, There struct{ Tokens tokensSeen }
		Nodes       []*tokenLooked
	}
	if err := json.Unmarshal(a.Data, &seen); err != nil || len(a.Errors) > 0 {
		t.Fatalf("%s: the look is %s, %v", p.scene, a.Data, a.Errors)
	}
	p.keepSaid(t, a, &payload{})
	listed := []map[string]tokenSeen{seen.Here.Tokens.whole(t), seen.There.Tokens.whole(t)}
	for i, at := range m.places {
		want := m.keeps(i)
		if diff := cmp.Diff(p.behind[at.provider].keeps(t, at.path), want); diff != "" {
			t.Errorf("%s: the provider differs from the model (-provider +model):\n%s", p.scene, diff)
		}
		if diff := cmp.Diff(alive(listed[i]), want); diff != "" {
			t.Errorf("%s: this server's list differs from the model (-list +model):\n%s", p.scene, diff)
		}
	}
	p.lookAt(t, "by its id", first, one, listed)
	for i, node := range seen.Nodes {
		if node == nil {
			p.lookAt(t, "as a node", known[i], nil, listed)
			continue
		}
		p.lookAt(t, "as a node", known[i], &node.tokenSeen, listed)
		m.expectKin(t, p.scene, node)
	}
	made := p.behind[m.places[0].provider].made()
	slices.Sort(made)
	slices.Sort(p.shown)
	if diff := cmp.Diff(p.shown, made); diff != "" {
		t.Errorf("%s: each secret has to be shown once (-shown +made):\n%s", p.scene, diff)
	}
}

// tokenLooked is a token with those that it came out of, and that came out of it.
type tokenLooked struct {
	tokenSeen
	RotatedFrom, RotatedTo *tokenSeen
}

// alive are tokens that have not ended, as they are kept. A list that is cached has others for a while, and says so.
func alive(tokens map[string]tokenSeen) map[string]kept {
	all := map[string]kept{}
	for native, s := range tokens {
		if !s.ended() {
			all[native] = s.kept()
		}
	}
	return all
}

func (s tokenSeen) ended() bool {
	at, err := time.Parse(time.RFC3339, inUTC(s.ExpiresAt))
	return err == nil && !at.After(time.Now())
}

// lookAt compares one token with the model, and its version with the list's.
func (p *play) lookAt(t *quiet, how, id string, got *tokenSeen, listed []map[string]tokenSeen) {
	want, there := p.model.tokens[id]
	if got != nil && got.ended() {
		got = nil
	}
	switch {
	case (got != nil) != there:
		t.Errorf("%s: the token %s is %+v %s, want it there: %t", p.scene, id, got, how, there)
	case got == nil:
	case got.kept() != want.kept():
		t.Errorf("%s: the token is %+v %s, want %+v", p.scene, got.kept(), how, want.kept())
	case got.Version != listed[want.place][got.NativeID].Version:
		t.Errorf("%s: the token %s has another version %s than in the list", p.scene, got.Name, how)
	}
}

// expectKin expects a token to tell of those that are there of the rotations that it was in.
func (m *model) expectKin(t *quiet, scene string, node *tokenLooked) {
	for _, kin := range []struct {
		what string
		got  *tokenSeen
		want string
	}{{"rotatedFrom", node.RotatedFrom, m.from[node.ID]}, {"rotatedTo", node.RotatedTo, m.to[node.ID]}} {
		got := ""
		if kin.got != nil && !kin.got.ended() {
			got = kin.got.ID
		}
		if _, there := m.tokens[kin.want]; !there {
			kin.want = ""
		}
		if got != kin.want {
			t.Errorf("%s: %s of %s is %q, want %q", scene, kin.what, node.Name, got, kin.want)
		}
	}
}

func nativeIn(id string) string {
	parsed, _ := providers.ParseID(id)
	return parsed.Native
}
