package catalog

import (
	"testing"

	"regtok/providers"
)

// TestVeryManyGapsOfOneReasonAreOneNote: an answer must not be as long as everything that it lacks.
func TestVeryManyGapsOfOneReasonAreOneNote(t *testing.T) {
	for _, test := range []struct{ registries, want int }{{mostNotes, mostNotes}, {mostNotes + 1, 1}} {
		s := newGrid("p", test.registries, 1)
		s.failing(&providers.Error{Kind: providers.RateLimited, Provider: "p", RetryAfter: 7}, "tokens")
		list := tokensOf(t, over(t, s.account("a")), TokenFilter{})
		if len(list.Unavailable) != test.want || len(list.Items) != 0 {
			t.Fatalf("%d registries: %d notes and %d tokens, want %d and none", test.registries, len(list.Unavailable), len(list.Items), test.want)
		}
		u := list.Unavailable[0]
		if alone := u.Registry.IsZero(); alone != (test.want == 1) || u.Reason != RateLimited || u.RetryAfter != 7 {
			t.Errorf("%d registries: %+v", test.registries, u)
		}
	}
}
