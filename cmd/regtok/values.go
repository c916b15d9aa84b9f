package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/units"
	"github.com/sosodev/duration"
)

// span is a length of time as people write it: 30s.
type span time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *span) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil || parsed <= 0 {
		return fmt.Errorf("%q is not a length of time like 30s or 2m", text)
	}
	*s = span(parsed)
	return nil
}

// redisTime is how long a call of Redis may take.
type redisTime time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *redisTime) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil || parsed < 10*time.Millisecond || parsed > 2*time.Second {
		return fmt.Errorf("%q is not a length of time from 10ms to 2s", text)
	}
	*t = redisTime(parsed)
	return nil
}

// size is a number of bytes: 64MiB.
type size int64

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *size) UnmarshalText(text []byte) error {
	parsed, err := units.ParseBase2Bytes(string(text))
	if err != nil || parsed <= 0 {
		return fmt.Errorf("%q is not a size like 64MiB", text)
	}
	*s = size(parsed)
	return nil
}

// most is how many of something there may be: at least one.
type most int

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *most) UnmarshalText(text []byte) error {
	parsed, err := strconv.ParseUint(string(text), 10, 31)
	if err != nil || parsed == 0 {
		return fmt.Errorf("%q is not a number of at least 1", text)
	}
	*m = most(parsed)
	return nil
}

// percent is a part of a whole: 40%.
type percent int

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *percent) UnmarshalText(text []byte) error {
	digits, _ := strings.CutSuffix(string(text), "%")
	parsed, err := strconv.Atoi(digits)
	if err != nil || parsed < 1 || parsed > 90 {
		return fmt.Errorf("%q is not a whole number of percent from 1%% to 90%%", text)
	}
	*p = percent(parsed)
	return nil
}

// part is 0.4 of 40%.
func (p percent) part() float64 { return float64(p) / 100 }

// isoDuration is a length of time in ISO 8601: P90D.
type isoDuration time.Duration

// longestDuration keeps sums with dates within what they can hold.
const longestDuration = 100 * 365 * 24 * time.Hour

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *isoDuration) UnmarshalText(text []byte) error {
	parsed, err := duration.Parse(string(text))
	if err != nil || parsed.Years != 0 || parsed.Months != 0 {
		return fmt.Errorf("%q is not an ISO 8601 duration in days, hours, minutes and seconds, like P90D or PT12H", text)
	}
	days := parsed.Weeks*7 + parsed.Days + (parsed.Hours+(parsed.Minutes+parsed.Seconds/60)/60)/24
	if days <= 0 || parsed.Negative || days > longestDuration.Hours()/24 {
		return fmt.Errorf("%q has to be longer than nothing, and no longer than 100 years", text)
	}
	*d = isoDuration(parsed.ToTimeDuration())
	return nil
}

// thresholds are durations, separated by commas.
type thresholds []isoDuration

// UnmarshalText implements encoding.TextUnmarshaler. It adds: a flag may be given more than once.
func (t *thresholds) UnmarshalText(text []byte) error {
	for part := range strings.SplitSeq(string(text), ",") {
		var threshold isoDuration
		if err := threshold.UnmarshalText([]byte(strings.TrimSpace(part))); err != nil {
			return err
		}
		*t = append(*t, threshold)
	}
	return nil
}

// maxAges are the ages that tokens may reach, by provider: PROVIDER=P90D, separated by commas.
type maxAges map[string]isoDuration

// UnmarshalText implements encoding.TextUnmarshaler. It adds: a flag may be given more than once.
func (m *maxAges) UnmarshalText(text []byte) error {
	if *m == nil {
		*m = maxAges{}
	}
	for part := range strings.SplitSeq(string(text), ",") {
		provider, given, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			return fmt.Errorf("%q is not PROVIDER=DURATION", part)
		}
		if _, err := driverNamed(provider); err != nil {
			return err
		}
		var age isoDuration
		if err := age.UnmarshalText([]byte(given)); err != nil {
			return err
		}
		(*m)[provider] = age
	}
	return nil
}

// hostNames are names of this server, separated by commas.
type hostNames []string

var hostName = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// UnmarshalText implements encoding.TextUnmarshaler. It adds: a flag may be given more than once.
func (h *hostNames) UnmarshalText(text []byte) error {
	for part := range strings.SplitSeq(string(text), ",") {
		name := strings.TrimSpace(part)
		if !hostName.MatchString(name) {
			return fmt.Errorf("%q is not a host's name alone, like tokens.example.com", name)
		}
		*h = append(*h, name)
	}
	return nil
}
