package scalar_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"regtok/graph/internal/scalar"
)

const day = 24 * time.Hour

func TestADurationIsReadInUnitsOfFixedLength(t *testing.T) {
	tests := []struct {
		text string
		want time.Duration
	}{
		{"P30D", 30 * day},
		{"PT12H", 12 * time.Hour},
		{"P1W", 7 * day},
		{"P1W2DT3H4M5S", 9*day + 3*time.Hour + 4*time.Minute + 5*time.Second},
		{"PT36H", 36 * time.Hour},
		{"PT90M", 90 * time.Minute},
		{"PT0S", 0},
		{"P0D", 0},
		{"-PT0S", 0},
		{"-P1D", -day},
		{"-P1DT1S", -day - time.Second},
		{"PT0.5S", 500 * time.Millisecond},
		{"PT1.000000001S", time.Second + 1},
		{"P007D", 7 * day},
		{"P36500D", 36500 * day},
		{"-P36500D", -36500 * day},
	}
	for _, test := range tests {
		got, err := scalar.UnmarshalDuration(test.text)
		if err != nil || got != test.want {
			t.Errorf("UnmarshalDuration(%q) = %v, %v, want %v", test.text, got, err, test.want)
		}
	}
}

func TestWhatIsNoDurationIsRefusedWithAnExample(t *testing.T) {
	for _, v := range []any{
		"", "P", "PT", "-P", "-PT", "P1DT", "1D", "P1", "PT1", "P-1D", "-P-1D", "--P1D", "+P1D", "-", "p1d", "P1d",
		"P1Y", "P1M", "P1Y2M3D", "P1D1W", "PT1S1M", "P1DP1D", "PP1D", "PTT1H", "P1D2D", "P1H", "PT1D", "P1.5D", "PT.5S",
		"PT1.S", "PT1.0000000001S", "PT1,5S", " P1D", "P1D ", "P1D\n", "P１D", "P1D\x00",
		"P36501D", "P36500DT1S", "P36500DT0.1S", "P99999999999D", "P9223372036854775807W", "P99999999999999999999999D", "PT9223372036854775807S",
		"-P99999999999D", "P" + strings.Repeat("0", 70) + "D",
		30, 30.0, true, nil, []any{"P1D"},
	} {
		got, err := scalar.UnmarshalDuration(v)
		if err == nil {
			t.Errorf("UnmarshalDuration(%#v) = %v, want an error", v, got)
			continue
		}
		refused(t, err, "INVALID", "P30D")
	}
}

func TestADurationIsWrittenInDaysAndLess(t *testing.T) {
	tests := []struct {
		d    time.Duration
		want string
	}{
		{0, "PT0S"},
		{30 * day, "P30D"},
		{400 * day, "P400D"},
		{time.Hour, "PT1H"},
		{90 * time.Minute, "PT1H30M"},
		{day + time.Second, "P1DT1S"},
		{-329*day - 21*time.Hour, "-P329DT21H"},
		{-time.Nanosecond, "-PT0.000000001S"},
		{1500 * time.Millisecond, "PT1.5S"},
		{time.Minute + 10*time.Millisecond, "PT1M0.01S"},
		{math.MaxInt64, "P106751DT23H47M16.854775807S"},
		{math.MinInt64, "-P106751DT23H47M16.854775808S"},
	}
	for _, test := range tests {
		if got := scalar.FormatDuration(test.d); got != test.want {
			t.Errorf("FormatDuration(%d) = %q, want %q", test.d, got, test.want)
		}
		if got := marshalled(scalar.MarshalDuration(test.d)); got != `"`+test.want+`"` {
			t.Errorf("MarshalDuration(%d) = %s, want %q", test.d, got, test.want)
		}
	}
}

func FuzzDuration(f *testing.F) {
	for _, text := range []string{"P30D", "PT12H", "P1W", "-P1DT2H3M4.5S", "P1Y", "PT0S", "P99999999999D", "-P-1D", "P1DT"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := scalar.UnmarshalDuration(text)
		if err != nil {
			return
		}
		if d.Abs() > 36500*day {
			t.Errorf("UnmarshalDuration(%q) = %v, more than 100 years", text, d)
		}
		if negative := strings.HasPrefix(text, "-"); d != 0 && d < 0 != negative {
			t.Errorf("UnmarshalDuration(%q) = %v, of the wrong sign", text, d)
		}
		once := scalar.FormatDuration(d)
		again, err := scalar.UnmarshalDuration(once)
		if err != nil || again != d {
			t.Errorf("%q is %v, written %q, read back %v, %v", text, d, once, again, err)
		}
	})
}
