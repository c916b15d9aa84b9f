package scalar_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"regtok/graph/internal/scalar"
	"regtok/providers"
)

func marshalled(m graphql.Marshaler) string {
	var text strings.Builder
	m.MarshalGQL(&text)
	return text.String()
}

// refused expects an error of that kind whose message holds the cure.
func refused(t *testing.T, err error, kind providers.Kind, cure string) {
	t.Helper()
	e, ok := errors.AsType[*providers.Error](err)
	if !ok || e.Kind != kind || !strings.Contains(e.Message, cure) {
		t.Errorf("the error is %v with the message %q, want %s and a message that says %q", err, message(e), kind, cure)
	}
}

func message(e *providers.Error) string {
	if e == nil {
		return ""
	}
	return e.Message
}

func TestADateTimeIsReadWithItsZone(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		text string
		want time.Time
	}{
		{"2026-03-01T12:00:00Z", noon},
		{"2026-03-01T13:00:00+01:00", noon},
		{"2026-02-28T23:30:00-12:30", noon},
		{"2026-03-01T12:00:00-00:00", noon},
		{"2026-03-01T12:00:00.5Z", noon.Add(500 * time.Millisecond)},
		{"2026-03-01T12:00:00.000000001Z", noon.Add(1)},
		{"2024-02-29T00:00:00Z", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
		{"9999-12-31T23:59:59Z", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
	}
	for _, test := range tests {
		got, err := scalar.UnmarshalDateTime(test.text)
		if err != nil || !got.Equal(test.want) {
			t.Errorf("UnmarshalDateTime(%q) = %v, %v, want %v", test.text, got, err, test.want)
		}
	}
}

func TestWhatIsNoDateTimeIsRefusedWithAnExample(t *testing.T) {
	for _, v := range []any{
		"", "tomorrow", "2026-03-01", "2026-03-01T12:00:00", "2026-03-01 12:00:00Z", "2026-03-01T12:00Z",
		"2026-03-01T1:00:00Z", "2026-03-01T12:00:00,5Z", "2026-03-01t12:00:00z", "2026-03-01T12:00:00+0100",
		"2026-03-01T12:00:00+24:00", "2026-03-01T12:00:00Z ", "2026-13-01T12:00:00Z", "2026-02-29T12:00:00Z",
		"2026-03-01T24:00:00Z", "10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z",
		"0000-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", // of a year that cannot be written in UTC
		"2016-12-31T23:59:60Z", // a leap second, which Go's clock does not know
		1772366400, 1.5, true, nil,
	} {
		got, err := scalar.UnmarshalDateTime(v)
		if err == nil {
			t.Errorf("UnmarshalDateTime(%#v) = %v, want an error", v, got)
			continue
		}
		refused(t, err, providers.Invalid, "2026-03-01T12:00:00Z")
	}
}

func TestADateTimeIsWrittenInUTC(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	tests := []struct {
		t    time.Time
		want string
	}{
		{time.Time{}, "null"},
		{time.Date(2026, 3, 1, 13, 0, 0, 0, berlin), `"2026-03-01T12:00:00Z"`},
		{time.Date(2026, 3, 1, 12, 0, 0, 244_000_000, time.UTC), `"2026-03-01T12:00:00.244Z"`},
	}
	for _, test := range tests {
		if got := marshalled(scalar.MarshalDateTime(test.t)); got != test.want {
			t.Errorf("MarshalDateTime(%v) = %s, want %s", test.t, got, test.want)
		}
	}
}

func TestWhatIsNoIDOfOursNamesNothing(t *testing.T) {
	whole := providers.OrganizationID("ionos", "31884391").RegistryID("r").TokenID("t").String()
	if got, err := scalar.UnmarshalID(whole); err != nil || got.String() != whole {
		t.Errorf("UnmarshalID(%q) = %v, %v, want it whole", whole, got, err)
	}
	for _, v := range []any{
		"", "x", whole[1:], whole[:len(whole)-1], whole + "A", whole + "=", whole + "\n", " " + whole, strings.ToUpper(whole),
		strings.Repeat("A", 5000), "../../etc/passwd", "018f57c0-bd34-7d01-abdb-29ac57ab95dc", 4, int64(4), json.Number("4"),
	} {
		if got, err := scalar.UnmarshalID(v); err != nil || !got.IsZero() {
			t.Errorf("UnmarshalID(%v) = %v, %v, want the id that names nothing", v, got, err)
		}
	}
}

func TestZeroValuesAreNull(t *testing.T) {
	for name, m := range map[string]graphql.Marshaler{
		"ID": scalar.MarshalID(providers.ID{}), "DateTime": scalar.MarshalDateTime(time.Time{}), "URL": scalar.MarshalURL(""),
	} {
		if got := marshalled(m); got != "null" {
			t.Errorf("the zero %s is written %s, want null", name, got)
		}
	}
	if got, want := marshalled(scalar.MarshalURL("https://example.test/a?b=1&c=2")), `"https://example.test/a?b=1&c=2"`; got != want {
		t.Errorf("MarshalURL = %s, want %s", got, want)
	}
}

func FuzzDateTime(f *testing.F) {
	for _, text := range []string{"2026-03-01T12:00:00Z", "2026-03-01T12:00:00.123456789+23:59", "0000-01-01T00:00:00Z", "2016-12-31T23:59:60Z"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := scalar.UnmarshalDateTime(text)
		if err != nil || at.IsZero() {
			return
		}
		var written string
		if err := json.Unmarshal([]byte(marshalled(scalar.MarshalDateTime(at))), &written); err != nil {
			t.Fatalf("%q is written as no JSON: %v", text, err)
		}
		if again, err := scalar.UnmarshalDateTime(written); err != nil || !again.Equal(at) {
			t.Errorf("%q is %v, written %q, read back %v, %v", text, at, written, again, err)
		}
	})
}

func FuzzID(f *testing.F) {
	f.Add(providers.UserID("ionos", "u").String())
	f.Add("AXUFaW9ub3M\n")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := scalar.UnmarshalID(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if id.IsZero() {
			return
		}
		if got, want := marshalled(scalar.MarshalID(id)), `"`+text+`"`; got != want {
			t.Errorf("%q is written %s", text, got)
		}
	})
}

func TestASecretIsWrittenOutAndNeverRead(t *testing.T) {
	if got, want := marshalled(scalar.MarshalSecret(providers.NewSecret("a \"secret\""))), `"a \"secret\""`; got != want {
		t.Errorf("MarshalSecret = %s, want %s", got, want)
	}
	if got := scalar.MarshalSecret(providers.Secret{}); got != graphql.Null {
		t.Errorf("MarshalSecret of none = %s, want null", marshalled(got))
	}
	_, err := scalar.UnmarshalSecret("a secret")
	refused(t, err, providers.Invalid, "given out")
}
