package catalog

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"regtok/ledger"
	"regtok/providers"
)

func TestWhatIsRememberedOfACallHoldsNoSecret(t *testing.T) {
	c, _, d, j := newPost(t)
	first := turned(t)(c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: day, Repeat: by("ann", "k")}))
	done(t)(c.CreateToken(t.Context(), CreateToken{Registry: grid.r0, Name: "ci", Repeat: by("ann", "l")}))
	text, err := json.Marshal(d.calls)
	if err != nil || len(d.calls) != 2 {
		t.Fatalf("%d calls are remembered, want 2: %v", len(d.calls), err)
	}
	for _, place := range []string{string(text), fmt.Sprintf("%#v", d.calls), j.text.String(), fmt.Sprint(d.deletions())} {
		if strings.Contains(place, "secret of") || strings.Contains(place, first.Secret.Reveal()) {
			t.Errorf("a secret is in %s", place)
		}
	}
	var holds func(reflect.Type) bool
	holds = func(of reflect.Type) bool {
		if of == reflect.TypeFor[providers.Secret]() || of.Kind() == reflect.Interface {
			return true
		}
		if of.Kind() == reflect.Struct && of != reflect.TypeFor[time.Time]() {
			return slices.ContainsFunc(reflect.VisibleFields(of), func(f reflect.StructField) bool { return holds(f.Type) })
		}
		return (of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice || of.Kind() == reflect.Map) && holds(of.Elem())
	}
	for _, record := range []reflect.Type{reflect.TypeFor[ledger.Call](), reflect.TypeFor[ledger.Rotation](), reflect.TypeFor[ledger.Deletion](), reflect.TypeFor[Token]().Field(0).Type} {
		if holds(record) {
			t.Errorf("%s has room for a secret", record)
		}
	}
}

func TestEveryPartOfAnInputIsInItsFingerprint(t *testing.T) {
	for _, input := range []any{CreateToken{}, RotateToken{}} {
		base := fingerprint("op", input)
		if fingerprint("op", input) != base || fingerprint("another", input) == base {
			t.Error("a fingerprint is not of the operation and its input")
		}
		for _, field := range reflect.VisibleFields(reflect.TypeOf(input)) {
			if field.Anonymous {
				continue
			}
			changed := reflect.New(reflect.TypeOf(input)).Elem()
			changed.FieldByIndex(field.Index).Set(filled(field.Type))
			if fingerprint("op", changed.Interface()) == base {
				t.Errorf("%T: the fingerprint leaves out %s", input, field.Name)
			}
		}
	}
	now := time.Now()
	elsewhere := now.In(time.FixedZone("elsewhere", 3600))
	beyond := time.Date(20_000, 1, 1, 0, 0, 0, 0, time.UTC)
	hour, later := time.Hour, now.Add(1)
	of := func(e Expiry) string { return fingerprint("op", CreateToken{Expiry: &e}) }
	if of(Expiry{At: &now}) != of(Expiry{At: &elsewhere}) {
		t.Error("one moment in two zones has two fingerprints")
	}
	seen := map[string]bool{}
	for _, e := range []Expiry{{}, {At: &now}, {At: &later}, {At: &beyond}, {In: &hour}} {
		seen[of(e)] = true
	}
	if len(seen) != 5 {
		t.Errorf("five ends have %d fingerprints", len(seen))
	}
}

// filled is a value that is not the zero one.
func filled(of reflect.Type) reflect.Value {
	v := reflect.New(of).Elem()
	switch of.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64:
		v.SetInt(1)
	case reflect.Pointer:
		v.Set(reflect.New(of.Elem()))
		v.Elem().Set(filled(of.Elem()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(of, 1, 1))
	case reflect.Struct:
		if of == reflect.TypeFor[providers.ID]() {
			return reflect.ValueOf(grid.r0)
		}
		if of == reflect.TypeFor[time.Time]() {
			return reflect.ValueOf(time.Unix(1, 0))
		}
		for i := range of.NumField() {
			v.Field(i).Set(filled(of.Field(i).Type))
		}
	}
	return v
}
