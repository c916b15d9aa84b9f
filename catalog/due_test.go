package catalog

import (
	"slices"
	"testing"
	"time"

	"regtok/providers"
)

const day = 24 * time.Hour

// noon is a moment that all tests of dates count from.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestATokenIsDueByTheEarlierClock(t *testing.T) {
	ninety := Policy{MaxAge: map[string]time.Duration{"p": 90 * day}}
	for name, test := range map[string]struct {
		policy           Policy
		created, expires time.Time
		want             time.Time
		source           DueSource
	}{
		"without an end and without a policy it is never due": {Policy{}, noon, time.Time{}, time.Time{}, ""},
		"the provider's end alone":                            {Policy{}, noon, noon.Add(day), noon.Add(day), DueByProvider},
		"the policy alone":                                    {ninety, noon, time.Time{}, noon.Add(90 * day), DueByPolicy},
		"the provider is earlier":                             {ninety, noon, noon.Add(89 * day), noon.Add(89 * day), DueByProvider},
		"the policy is earlier":                               {ninety, noon, noon.Add(91 * day), noon.Add(90 * day), DueByPolicy},
		"at the same moment the provider says so":             {ninety, noon, noon.Add(90 * day), noon.Add(90 * day), DueByProvider},
		"a policy of another provider says nothing": {
			Policy{MaxAge: map[string]time.Duration{"q": day}}, noon, time.Time{}, time.Time{}, "",
		},
		"an age of nothing is no policy": {
			Policy{MaxAge: map[string]time.Duration{"p": 0}}, noon, time.Time{}, time.Time{}, "",
		},
		"a token of unknown age is not due by age": {ninety, time.Time{}, time.Time{}, time.Time{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			due, source := test.policy.Due(providers.Token{ID: tokenID("p", "t"), CreatedAt: test.created, ExpiresAt: test.expires})
			if !due.Equal(test.want) || source != test.source {
				t.Errorf("Due() = %v, %q, want %v, %q", due, source, test.want, test.source)
			}
		})
	}
}

func TestAStateGoesBeforeAnother(t *testing.T) {
	policy := Policy{Thresholds: []time.Duration{day, 30 * day, time.Hour}}
	for name, test := range map[string]struct {
		policy  Policy
		due     time.Duration // from noon; 0: never
		enabled bool
		want    TokenState
	}{
		"never due":                                   {policy, 0, true, Active},
		"never due and switched off":                  {policy, 0, false, Disabled},
		"past by a moment":                            {policy, -1, true, Expired},
		"past and switched off":                       {policy, -day, false, Expired},
		"a moment before its due date":                {policy, 1, true, Expiring},
		"near and switched off":                       {policy, day, false, Disabled},
		"at the edge of the longest threshold":        {policy, 30 * day, true, Expiring},
		"beyond the longest threshold by a moment":    {policy, 30*day + 1, true, Active},
		"without thresholds nothing is near":          {Policy{}, 1, true, Active},
		"without thresholds what is past has expired": {Policy{}, -1, true, Expired},
		"due in a time that no duration can hold":     {policy, 1<<63 - 1, true, Active},
	} {
		t.Run(name, func(t *testing.T) {
			told := providers.Token{Enabled: test.enabled}
			if test.due != 0 {
				told.ExpiresAt = noon.Add(test.due)
			}
			token := newCatalog(t, Options{Policy: test.policy}).token(nil, told, noon)
			if got := token.State(noon); got != test.want {
				t.Errorf("State() = %s, want %s", got, test.want)
			}
		})
	}
}

func TestATokenIsExpiredFromItsDueDateOn(t *testing.T) {
	token := Token{Token: providers.Token{Enabled: true}, DueAt: noon}
	for _, test := range []struct {
		after time.Duration
		want  TokenState
	}{{-1, Active}, {0, Expired}, {1, Expired}} {
		if got := token.State(noon.Add(test.after)); got != test.want {
			t.Errorf("State %v after the due date = %s, want %s", test.after, got, test.want)
		}
	}
}

func TestDefaultThresholdsRunFromTheLongest(t *testing.T) {
	thresholds := DefaultThresholds()
	if !slices.IsSortedFunc(thresholds, func(a, b time.Duration) int { return int(b - a) }) || thresholds[0] != 30*day {
		t.Errorf("DefaultThresholds() = %v, want the longest, 720h, first", thresholds)
	}
	thresholds[0] = 0
	if got := DefaultThresholds()[0]; got != 30*day {
		t.Errorf("a caller who changes the list changes the defaults: %v", got)
	}
}

// tokenID is the address of a token in the first registry of a provider.
func tokenID(provider, native string) providers.ID {
	return providers.OrganizationID(provider, "o").RegistryID("r0").TokenID(native)
}
