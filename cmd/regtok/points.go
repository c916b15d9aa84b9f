package main

import (
	"fmt"
	"log/slog"
	"strconv"

	"regtok/auth"
	"regtok/metrics"
	"regtok/quota"
)

const (
	// defaultPoints is what a caller may spend in a minute: four of the most expensive operations, or one of a dashboard's
	// (815) every two and a half seconds.
	defaultPoints = 20_000
	// leastPoints and mostPoints are how far that can be changed.
	leastPoints, mostPoints = 100, 10_000_000
)

// points are a number of them, or one of two words.
type points int

const (
	noLimit    points = 0
	autoPoints points = -1
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *points) UnmarshalText(text []byte) error {
	switch string(text) {
	case "auto":
		*p = autoPoints
		return nil
	case "off":
		*p = noLimit
		return nil
	}
	parsed, err := strconv.ParseUint(string(text), 10, 31)
	if err != nil {
		return fmt.Errorf("%q is neither a number of points nor off", text)
	}
	*p = points(parsed)
	return nil
}

// allowance is what `points_per_minute` and `points_burst` say of callers; nil: nothing.
func (c *configFile) allowance(given map[string]entry) (*auth.Allowance, error) {
	perMinute, limited := given["points_per_minute"]
	burst, bursts := given["points_burst"]
	switch {
	case !limited && bursts:
		return nil, c.at(burst.value, "points_burst needs `points_per_minute` beside it")
	case !limited:
		return nil, nil
	}
	rate, err := c.points(perMinute)
	if err != nil {
		return nil, err
	}
	allowance := auth.Allowance{PerMinute: int(rate), Burst: int(rate)}
	if bursts {
		most, err := c.points(burst)
		if err != nil {
			return nil, err
		}
		if rate == noLimit || most == noLimit {
			return nil, c.at(burst.value, "points_burst makes no sense without a limit")
		}
		allowance.Burst = int(most)
	}
	return &allowance, nil
}

// points are those that a caller has.
func (c *configFile) points(e entry) (points, error) {
	text, err := c.scalar(e.key, e.value)
	if err != nil {
		return 0, err
	}
	var p points
	if p.UnmarshalText([]byte(text)) != nil || p == autoPoints || p != noLimit && (p < leastPoints || p > mostPoints) {
		return 0, c.at(e.value, fmt.Sprintf("%s is a number from %d to %d, or off", e.key, leastPoints, mostPoints))
	}
	return p, nil
}

// agree tells whether two viewers are not one with two allowances.
func agree(a, b auth.Viewer) bool {
	return a.Subject != b.Subject || a.Allowance.Equal(b.Allowance)
}

// quota is what keeps callers within their allowances.
func (a api) quota(callers bool, common shared, figures *metrics.Metrics, log *slog.Logger) *quota.Quota {
	return quota.New(quota.Config{Usual: a.Limit.allowance(callers), Shared: common.quota, Refused: figures.Overspent, Log: log})
}
