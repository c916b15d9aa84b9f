package providers

import "testing"

func TestAbsentNullAndAValueAreThreeThings(t *testing.T) {
	for what, c := range map[string]struct {
		optional    Optional[string]
		set, null   bool
		value       string
		holdsAValue bool
	}{
		"absent":         {Optional[string]{}, false, false, "", false},
		"null":           {Null[string](), true, true, "", false},
		"a value":        {Some("x"), true, false, "x", true},
		"an empty value": {Some(""), true, false, "", true},
	} {
		if got := c.optional.IsSet(); got != c.set {
			t.Errorf("%s: IsSet() = %v, want %v", what, got, c.set)
		}
		if got := c.optional.IsNull(); got != c.null {
			t.Errorf("%s: IsNull() = %v, want %v", what, got, c.null)
		}
		if got, ok := c.optional.Value(); got != c.value || ok != c.holdsAValue {
			t.Errorf("%s: Value() = %q, %v, want %q, %v", what, got, ok, c.value, c.holdsAValue)
		}
	}
}

func TestANilSliceIsAValue(t *testing.T) {
	if got, ok := Some[[]Scope](nil).Value(); got != nil || !ok {
		t.Errorf("Value() = %v, %v, want nil, true: an empty list is not null", got, ok)
	}
}
