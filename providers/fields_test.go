package providers

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFieldsAreThoseThatAreChosen(t *testing.T) {
	enabled := false
	for name, test := range map[string]struct{ got, want []TokenField }{
		"an empty state chooses nothing": {TokenState{}.Fields(), nil},
		"a whole state chooses all": {
			TokenState{Name: "ci", ExpiresAt: &time.Time{}, Scopes: []Scope{}, Enabled: &enabled}.Fields(),
			[]TokenField{FieldName, FieldExpiry, FieldScopes, FieldEnabled},
		},
		"an empty patch chooses nothing": {TokenPatch{}.Fields(), nil},
		"clearing is choosing":           {TokenPatch{ExpiresAt: Null[time.Time]()}.Fields(), []TokenField{FieldExpiry}},
		"a patch to nothing is a choice": {
			TokenPatch{Name: Some(""), Scopes: Some[[]Scope](nil), Enabled: Some(false)}.Fields(),
			[]TokenField{FieldName, FieldScopes, FieldEnabled},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.got, test.want); diff != "" {
				t.Errorf("fields differ (-got +want):\n%s", diff)
			}
		})
	}
}

func TestAFieldOutsideTheCapabilityIsUnsupported(t *testing.T) {
	for name, test := range map[string]struct {
		given, allowed []TokenField
		want           error
	}{
		"what is allowed passes":         {[]TokenField{FieldName}, []TokenField{FieldExpiry, FieldName}, nil},
		"nothing chosen passes":          {nil, []TokenField{FieldName}, nil},
		"the first stranger is named":    {[]TokenField{FieldName, FieldScopes, FieldEnabled}, []TokenField{FieldName}, UnsupportedError("p", "op", FieldScopes)},
		"an operation that is not there": {nil, nil, UnsupportedError("p", "op", "")},
	} {
		t.Run(name, func(t *testing.T) {
			got := CheckFields("p", "op", test.given, test.allowed)
			if (got == nil) != (test.want == nil) {
				t.Fatalf("CheckFields(%v, %v) = %v, want %v", test.given, test.allowed, got, test.want)
			}
			e, _ := errors.AsType[*Error](got)
			want, _ := errors.AsType[*Error](test.want)
			if diff := cmp.Diff(e, want); diff != "" {
				t.Errorf("CheckFields(%v, %v) differs (-got +want):\n%s", test.given, test.allowed, diff)
			}
		})
	}
}
