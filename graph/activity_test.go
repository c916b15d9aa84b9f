package graph_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/activity"
	"regtok/auth"
	"regtok/eventlog"
	"regtok/providers"
)

// deed is the nth of many things that Ada did to a token.
func deed(token string, n int) activity.Event {
	id, err := providers.ParseID(token)
	if err != nil {
		panic(err)
	}
	return activity.Event{
		ID: eventlog.NewID('a', []byte(fmt.Sprint(token, n))), Kind: activity.Changed, OccurredAt: moment(n).UTC(), Actor: "ada",
		Changed: []providers.TokenField{providers.FieldName}, Subject: eventlog.Subject{Token: id, Name: fmt.Sprintf("name-%d", n)},
	}
}

// did enters what was done.
func (w *world) did(t testing.TB, events ...activity.Event) {
	t.Helper()
	if _, err := w.deeds.Append(t.Context(), events); err != nil {
		t.Fatal(err)
	}
}

// told is the past of the trail, as a reader of it sees it.
func (w *world) told(t testing.TB, filter object) []string {
	t.Helper()
	a := w.ask(t, `query ($filter: TokenActivityFilter) { tokenActivityEvents(first: 100, filter: $filter) {
	  nodes { kind actor changed rotatedToId subject { name registryName } } } }`, object{"filter": filter})
	var data struct {
		TokenActivityEvents struct {
			Nodes []struct {
				Kind        string
				Actor       *string
				Changed     []string
				RotatedToID *string
				Subject     struct{ Name, RegistryName string }
			}
		}
	}
	if err := json.Unmarshal(a.Data, &data); err != nil || len(a.Errors) > 0 {
		t.Fatal(err, a.Errors)
	}
	lines := []string{}
	for _, e := range data.TokenActivityEvents.Nodes {
		line := e.Kind + " " + e.Subject.Name + " of " + e.Subject.RegistryName
		if len(e.Changed) > 0 {
			line += " " + strings.Join(e.Changed, "+")
		}
		if e.RotatedToID != nil {
			line += " to another"
		}
		if e.Actor != nil {
			line += " by " + *e.Actor
		}
		lines = append(lines, line)
	}
	return lines
}

const (
	makeOne = `mutation ($registry: ID!, $name: String!) { createToken(input: {registryId: $registry, name: $name}) {
	  token { id } credential { secret } errors { code } } }`
	renameIt = `mutation ($id: ID!) { patchToken(input: {token: {id: $id}, enabled: false, expiry: {in: "P30D"}}) { token { id } errors { code } } }`
	turnIt   = `mutation ($id: ID!) { rotateToken(input: {token: {id: $id}, overlap: "PT0S"}) { token { id } credential { secret } errors { code } } }`
	dropIt   = `mutation ($id: ID!) { deleteToken(input: {token: {id: $id}}) { deletedTokenId errors { code } } }`
	putIt    = `mutation ($id: ID!, $name: String!) { replaceToken(input: {token: {id: $id}, name: $name, expiry: {never: true}}) {
	  token { id } errors { code } } }`
)

// effect is what a mutation made.
type effect struct{ id, secret string }

// does runs a mutation that has to succeed.
func (w *world) does(t testing.TB, mutation string, variables object) effect {
	t.Helper()
	a := w.ask(t, mutation, variables)
	var data map[string]struct {
		Token      *struct{ ID string }
		Credential *struct{ Secret string }
		Errors     []any
	}
	if err := json.Unmarshal(a.Data, &data); err != nil || len(a.Errors) > 0 {
		t.Fatal(err, a.Errors)
	}
	var m effect
	for _, payload := range data {
		if len(payload.Errors) > 0 {
			t.Fatalf("it fails: %s", a.Data)
		}
		if payload.Token != nil {
			m.id = payload.Token.ID
		}
		if payload.Credential != nil {
			m.secret = payload.Credential.Secret
		}
	}
	return m
}

func TestWhatIsDoneIsToldWithWhoDidIt(t *testing.T) {
	viewer := auth.Local()
	viewer.Subject = "ada"
	s := newStage(t, plan{viewer: &viewer})
	id, err := providers.ParseID(ionosToken)
	if err != nil {
		t.Fatal(err)
	}
	registry := id.OfRegistry().String()
	heard := s.follow(t, `subscription { tokenActivity { ... on TokenActivityEvent { kind actor } ... on EventGap { reason } } }`, nil, "")
	s.ask(t, `query ($id: ID!) { registry(address: {id: $id}) { name } }`, object{"id": registry})

	first := s.does(t, makeOne, object{"registry": registry, "name": "audited"})
	s.does(t, renameIt, object{"id": first.id})
	s.does(t, putIt, object{"id": first.id, "name": "audited"})
	second := s.does(t, turnIt, object{"id": first.id})
	s.does(t, dropIt, object{"id": second.id})
	for _, mutation := range []string{dropIt, renameIt} { // it is gone: nothing happens
		s.ask(t, mutation, object{"id": second.id})
	}

	s.requests()
	got := s.told(t, nil)
	want := []string{
		"CREATED audited of lindenhof-images by ada", "CHANGED audited of lindenhof-images EXPIRY+ENABLED by ada", "REPLACED audited of lindenhof-images by ada",
		"CREATED audited-2 of lindenhof-images by ada", "ROTATED audited of lindenhof-images to another by ada", "DELETED audited of lindenhof-images by ada",
		"DELETED audited-2 of lindenhof-images by ada",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("told (-got +want):\n%s", diff)
	}
	expectUnasked(t, s.world, nil)
	for _, line := range want {
		kind, _, _ := strings.Cut(line, " ")
		data, _ := heard.next()
		if want := `{"data":{"tokenActivity":{"kind":"` + kind + `","actor":"ada"}}`; data != want {
			t.Errorf("a follower hears %s, want %s", data, want)
		}
	}
	log := s.world.log.String()
	for _, secret := range []string{first.secret, second.secret} {
		if secret == "" || strings.Contains(log, secret) {
			t.Error("there is no secret, or the log has it")
		}
	}
	for _, want := range []string{`"op":"delete token","outcome":"NOT_FOUND"`, `"op":"patch token","outcome":"NOT_FOUND"`, `"op":"rotate token","outcome":"DONE"`} {
		if !strings.Contains(log, `"msg":"token activity","actor":"ada",`+want) {
			t.Errorf("the log has no line with %s", want)
		}
	}
	if strings.Contains(log, "audited") {
		t.Error("the log has a token's name")
	}
}

func TestTheTrailIsFiltered(t *testing.T) {
	s := newStage(t, plan{})
	found := deed(buildkiteToken, 2)
	found.Actor, found.Kind, found.Changed = "", activity.Deleted, nil
	s.did(t, deed(ionosToken, 0), deed(ionosToken, 1), found)
	for _, c := range []struct {
		filter object
		want   []string
	}{
		{nil, []string{"name-0", "name-1", "name-2"}},
		{object{"providers": []string{"ionos"}}, []string{"name-0", "name-1"}},
		{object{"tokenIds": []string{buildkiteToken}}, []string{"name-2"}},
		{object{"kinds": []string{"DELETED", "CREATED"}}, []string{"name-2"}},
		{object{"kinds": []string{}}, nil},
		{object{"actors": []string{"ada", ""}}, []string{"name-0", "name-1"}},
		{object{"hasActor": false}, []string{"name-2"}},
		{object{"search": "NAME-1"}, []string{"name-1"}},
		{object{"occurred": object{"from": moment(1).UTC().Format("2006-01-02T15:04:05Z07:00")}, "hasActor": true}, []string{"name-1"}},
	} {
		var names []string
		for _, line := range s.told(t, c.filter) {
			names = append(names, strings.Fields(line)[1])
		}
		if !slices.Equal(names, c.want) {
			t.Errorf("%v: told %v, want %v", c.filter, names, c.want)
		}
	}
	for _, bad := range []object{{"providers": []string{"x"}}, {"tokenIds": []string{"x"}}, {"registryIds": []string{ionosToken}}} {
		a := s.ask(t, `query ($filter: TokenActivityFilter) { tokenActivityEvents(filter: $filter) { nodes { id } } }`, object{"filter": bad})
		if text := fmt.Sprint(a.Errors); !strings.Contains(text, "filter.") {
			t.Errorf("%v: %v, want an error that names the field", bad, a.Errors)
		}
	}
}

func TestTheTrailOfWhatIsOutOfReachIsNotThere(t *testing.T) {
	viewer := auth.Local()
	reach, err := providers.NewReach(map[providers.ReachPart][]string{providers.ReachProviders: {"buildkite"}})
	if err != nil {
		t.Fatal(err)
	}
	viewer.Reach = reach
	s := newStage(t, plan{viewer: &viewer})
	h := s.follow(t, `subscription { tokenActivity(after: "") { ... on TokenActivityEvent { subject { name } } ... on EventGap { reason } } }`, nil, "")
	s.did(t, deed(ionosToken, 0), deed(buildkiteToken, 1), deed(ionosToken, 2))
	if got := s.told(t, nil); len(got) != 1 || !strings.Contains(got[0], "name-1") {
		t.Errorf("told %v, want what is within reach", got)
	}
	if data, _ := h.next(); !strings.Contains(data, "name-1") {
		t.Errorf("a follower hears %s", data)
	}
	for _, e := range []activity.Event{deed(ionosToken, 0), deed(buildkiteToken, 1)} {
		a := s.ask(t, fmt.Sprintf(`{ node(id: %q) { id } }`, e.ID), nil)
		if there := !strings.Contains(string(a.Data), `"node":null`); there != (e.Subject.Token.Provider == "buildkite") {
			t.Errorf("node of an event of %s: %s", e.Subject.Token.Provider, a.Data)
		}
	}
}

func TestTheTrailIsFollowedFromACursor(t *testing.T) {
	s := newStage(t, plan{})
	const names = `subscription ($after: EventCursor) { tokenActivity(after: $after) {
	  ... on TokenActivityEvent { subject { name } } ... on EventGap { reason } } }`
	s.did(t, deed(ionosToken, 0), deed(ionosToken, 1))
	h := s.follow(t, names, object{"after": ""}, "")
	data, cursor := h.next()
	if !strings.Contains(data, "name-0") {
		t.Fatalf("it hears %s first", data)
	}
	for _, again := range []*heard{s.follow(t, names, object{"after": cursor}, ""), s.follow(t, names, nil, cursor)} {
		if data, _ := again.next(); !strings.Contains(data, "name-1") {
			t.Errorf("who comes back hears %s, want the second", data)
		}
	}
	_, foreign, err := s.log.Bounds(t.Context()) // of the other log
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := s.follow(t, names, object{"after": string(foreign)}, "").next(); !strings.Contains(data, "EXPIRED_CURSOR") {
		t.Errorf("with a cursor of the other log it hears %s, want a gap", data)
	}
}
