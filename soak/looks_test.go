package soak

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// read is what the look of that name makes of an answer.
func read(t *testing.T, name, answer string, asked wanted) (r Read, whole bool) {
	t.Helper()
	i := slices.IndexFunc(looks(), func(l look) bool { return l.name == name })
	var got reply
	if err := json.Unmarshal([]byte(answer), &got); err != nil || i < 0 {
		t.Fatalf("%s: %v", name, err)
	}
	r.Shown = map[string]Sight{}
	return r, looks()[i].read(got, asked, &r)
}

func TestAnAnswerTellsWhatItShowsAndWhatItIsWholeIn(t *testing.T) {
	then := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const (
		ours   = `{"id": "t", "name": "soak-1-v2", "expiresAt": null, "observedAt": "2026-03-01T12:00:00Z"}`
		theirs = `{"id": "u", "name": "token-1", "expiresAt": "2100-01-01T00:00:00Z", "observedAt": "2026-03-01T12:00:00Z", "staleSince": "2026-03-01T12:00:00Z"}`
		more   = `"pageInfo": {"hasNextPage": true}`
		last   = `"pageInfo": {"hasNextPage": false}`
		notes  = `"unavailable": [
			{"account": {"provider": {"slug": "ionos"}}, "organizationId": null, "registryId": "r", "reason": "TIMEOUT", "staleSince": "2026-03-01T12:00:00Z"},
			{"account": {"provider": {"slug": "ionos"}}, "organizationId": "o", "registryId": null, "reason": "TIMEOUT", "staleSince": null}]`
	)
	one := map[string]Sight{"t": {Value: "soak-1-v2", Observed: then}}
	both := map[string]Sight{"t": {Value: "soak-1-v2", Observed: then}, "u": {Value: "token-1 2100-01-01T00:00:00Z", Observed: then, Old: then}}
	none := map[string]Sight{}
	everywhere := []Place{{}}
	for _, test := range []struct {
		name, look, answer string
		asked              wanted
		want               Read
		without            bool // data
	}{
		{"a list with all that fits", search, `{"data": {"tokens": {"nodes": [` + ours + `], ` + last + `}}}`, wanted{}, Read{Shown: one, Whole: everywhere}, false},
		{"a list with another page", search, `{"data": {"tokens": {"nodes": [` + ours + `], ` + more + `}}}`, wanted{}, Read{Shown: one}, false},
		{"the newest up to one that is not ours", "everything, newest first", `{"data": {"tokens": {"nodes": [` + ours + `, ` + theirs + `], ` + more + `}}}`,
			wanted{}, Read{Shown: both, Whole: everywhere}, false},
		{"the newest up to one of ours", "everything, newest first", `{"data": {"tokens": {"nodes": [` + theirs + `, ` + ours + `], ` + more + `}}}`,
			wanted{}, Read{Shown: both}, false},
		{"a list with notes", search, `{"data": {"tokens": {"nodes": [], ` + last + `, ` + notes + `}}}`, wanted{}, Read{
			Shown: none, Whole: everywhere,
			Notes: []Note{{Place{"ionos", "", "r"}, then, "TIMEOUT"}, {Place{"ionos", "o", ""}, time.Time{}, "TIMEOUT"}},
		}, false},
		{"a list that failed", search, `{"data": null, "errors": [{"extensions": {"code": "TIMEOUT"}}]}`, wanted{}, Read{Shown: none}, true},
		{"a registry's list", "a registry's tokens", `{"data": {"registry": {"tokens": {"nodes": [` + ours + `], ` + last + `}}}}`,
			wanted{place: home}, Read{Shown: one, Whole: []Place{home}}, false},
		{"a registry without its list", "a registry's tokens", `{"data": {"registry": {"tokens": null}}}`, wanted{place: home}, Read{Shown: none}, true},
		{"a token", "a token", `{"data": {"token": ` + ours + `}}`, wanted{ids: []string{"t"}}, Read{Shown: one, Asked: []string{"t"}}, false},
		{"no token", "a token", `{"data": {"token": null}}`, wanted{ids: []string{"t"}}, Read{Shown: none, Asked: []string{"t"}}, false},
		{"no token, by an error", "a token", `{"data": {"token": null}, "errors": [{"extensions": {"code": "TIMEOUT"}}]}`, wanted{ids: []string{"t"}}, Read{Shown: none}, true},
		{"no answer", "a node", `{}`, wanted{ids: []string{"t"}}, Read{Shown: none}, true},
		{"some nodes", "nodes", `{"data": {"nodes": [` + ours + `, null]}}`, wanted{ids: []string{"t", "v"}}, Read{Shown: one, Asked: []string{"t", "v"}}, false},
		{"some nodes and an error", "nodes", `{"data": {"nodes": [` + ours + `, null]}, "errors": [{"extensions": {"code": "TIMEOUT"}}]}`,
			wanted{ids: []string{"t", "v"}}, Read{Shown: one}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, whole := read(t, test.look, test.answer, test.asked)
			if diff := cmp.Diff(got, test.want); diff != "" || whole == test.without {
				t.Errorf("data: %t; it tells, got - want +\n%s", whole, diff)
			}
		})
	}
}
