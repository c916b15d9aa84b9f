package rest

import (
	"testing"

	"regtok/providers"
)

func TestNonsenseAfterAWriteLeavesItsOutcomeUnknown(t *testing.T) {
	api, err := New(Options{Provider: "p", Setting: "base_url", Base: "https://api.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	for want, calls := range map[providers.Kind][]Call{
		providers.Unavailable:    {Get("op")},
		providers.OutcomeUnknown: {Post("op", nil), Put("op", nil), Patch("op", nil), Delete("op")},
	} {
		for _, call := range calls {
			e := api.Nonsense(call, "odd")
			got := [...]string{string(e.Kind), string(e.Reason), e.Provider, e.Op, e.Err.Error()}
			if got != [...]string{string(want), "INVALID_RESPONSE", "p", "op", "odd"} {
				t.Errorf("Nonsense after %s = %v, want %s", call.Method, got, want)
			}
		}
	}
}
