package rest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestTimesAreReadInEveryFormThatVendorsWrite(t *testing.T) {
	second := time.Date(2025, 7, 16, 6, 7, 42, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2025-07-16T06:07:42Z":           second,
		"2025-07-16T06:07:42.439Z":       second.Add(439 * time.Millisecond),
		"2025-07-16T06:07:42+00:00":      second,
		"2025-07-16T08:07:42.5+02:00":    second.Add(time.Second / 2),
		"2025-07-16T06:07:42":            second,
		"2025-07-16T06:07:42.000001":     second.Add(time.Microsecond),
		"2025-07-16 06:07:42 UTC":        second,
		"2025-07-16T06:07:42.123456789Z": second.Add(123456789),
	} {
		got, err := ParseTime(text)
		if err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("ParseTime(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestATimeThatIsNotUnderstoodIsAnErrorWithoutItsText(t *testing.T) {
	for _, text := range []string{
		"soon", "2025-07-16", "1752645662", "2025-07-16 06:07:42 PST", "2025-02-30T00:00:00Z",
		"9999-12-31T23:59:59-23:00", "0000-01-01T00:00:00+23:00", " 2025-07-16T06:07:42Z",
	} {
		got, err := ParseTime(text)
		if err == nil {
			t.Errorf("ParseTime(%q) = %v, want an error", text, got)
			continue
		}
		if strings.Contains(err.Error(), text) {
			t.Errorf("ParseTime(%q) quotes its input: %v", text, err)
		}
	}
}

func TestNoTimeIsTheZeroTime(t *testing.T) {
	for _, text := range []string{`{}`, `{"t":null}`, `{"t":""}`} {
		var got struct{ T Time }
		if err := json.Unmarshal([]byte(text), &got); err != nil || !got.T.IsZero() {
			t.Errorf("unmarshal %s = %v, %v, want the zero time", text, got.T, err)
		}
	}
	for _, text := range []string{`{"t":0}`, `{"t":1752645662}`, `{"t":{}}`, `{"t":"soon"}`} {
		var got struct{ T Time }
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("unmarshal %s = %v, want an error", text, got.T)
		}
	}
}

func FuzzATimeThatIsReadCanBeWrittenAndReadAgain(f *testing.F) {
	for _, seed := range []string{
		"2025-07-16T06:07:42Z", "2025-07-16T06:07:42", "2025-07-16 06:07:42 UTC", "2025-07-16T06:07:42,5+23:59", "",
		"9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := ParseTime(text)
		if err != nil {
			return
		}
		if first.Location() != time.UTC {
			t.Fatalf("ParseTime(%q) is in %v, want UTC", text, first.Location())
		}
		data, err := json.Marshal(first)
		if err != nil {
			t.Fatalf("ParseTime(%q) = %v cannot be written: %v", text, first, err)
		}
		var second Time
		if err := json.Unmarshal(data, &second); err != nil || !second.Equal(first) {
			t.Fatalf("%s was read as %v, %v, want %v", data, second, err, first)
		}
	})
}
