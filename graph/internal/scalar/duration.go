package scalar

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
	// maxDuration keeps sums with dates of our time within what time.Duration and RFC 3339 can hold.
	maxDuration = 36500 * day
)

// written is ISO 8601 with a sign in front and without years and months. Each unit comes once, the largest first.
var written = regexp.MustCompile(`^(-?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,9}))?S)?)?$`)

// MarshalDuration writes a span of time in days of 24 hours, hours, minutes and seconds.
func MarshalDuration(d time.Duration) graphql.Marshaler {
	return graphql.MarshalString(FormatDuration(d))
}

// FormatDuration is what MarshalDuration writes, without the quotes. The same span is always the same text.
func FormatDuration(d time.Duration) string {
	var text strings.Builder
	left := uint64(d)
	if d < 0 {
		text.WriteByte('-')
		left = -left
	}
	text.WriteByte('P')
	take := func(unit time.Duration, letter byte) {
		if n := left / uint64(unit); n > 0 {
			text.WriteString(strconv.FormatUint(n, 10))
			text.WriteByte(letter)
			left %= uint64(unit)
		}
	}
	take(day, 'D')
	if left == 0 && d != 0 {
		return text.String()
	}
	text.WriteByte('T')
	take(time.Hour, 'H')
	take(time.Minute, 'M')
	if left > 0 || d == 0 {
		text.WriteString(strconv.FormatUint(left/uint64(time.Second), 10))
		if fraction := left % uint64(time.Second); fraction > 0 {
			digits := strconv.FormatUint(uint64(time.Second)+fraction, 10)[1:]
			text.WriteString("." + strings.TrimRight(digits, "0"))
		}
		text.WriteByte('S')
	}
	return text.String()
}

// UnmarshalDuration reads ISO 8601. Years and months are refused, because their length varies.
func UnmarshalDuration(v any) (time.Duration, error) {
	if text, ok := v.(string); ok && len(text) <= 64 {
		if d, ok := parseDuration(text); ok {
			return d, nil
		}
	}
	return 0, invalid(`a Duration is ISO 8601 in weeks, days, hours, minutes and seconds, for example "P30D" or "PT12H", and at most 100 years of 365 days`)
}

func parseDuration(text string) (time.Duration, bool) {
	parts := written.FindStringSubmatch(text)
	if parts == nil || strings.HasSuffix(text, "P") || strings.HasSuffix(text, "T") {
		return 0, false
	}
	var sum time.Duration
	for i, unit := range []time.Duration{week, day, time.Hour, time.Minute, time.Second, time.Nanosecond} {
		digits := parts[2+i]
		if unit == time.Nanosecond {
			digits = (digits + "000000000")[:9]
		}
		if digits == "" {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n > int64((maxDuration-sum)/unit) {
			return 0, false
		}
		sum += time.Duration(n) * unit
	}
	if parts[1] != "" {
		sum = -sum
	}
	return sum, true
}
