package budget

import (
	"slices"
	"time"
)

// assumed is an allowance that nobody tells of, as it is taken to be now.
type assumed struct {
	scope        string
	start, limit int
	// cut is when it was last lessened; grown is from when on it has grown to what it is.
	cut, grown moment
}

// bucket is how many requests were settled by the same moment.
type bucket struct {
	at           moment
	count, swept int
}

const (
	// fewest is what an assumed allowance is not lessened below.
	fewest = 5
	// growEvery is how often an allowance that was lessened grows by a tenth of what it began with.
	growEvery = 3 * time.Minute
	// grain is how exactly the moments of settled requests are remembered, so that many take little room.
	grain = 500 * time.Millisecond
)

// suppose makes what is assumed agree with what was set up, and lets it grow.
func (s *state) suppose(now moment, r rules) {
	if len(s.assumed) != len(r.start) {
		s.assumed = make([]assumed, len(r.start))
	}
	for i, start := range r.start {
		a := &s.assumed[i]
		if a.scope != start.Scope || a.start != start.Limit {
			*a = assumed{scope: start.Scope, start: start.Limit, limit: start.Limit}
		}
		for a.limit < a.start && now.since(a.grown) >= growEvery {
			a.limit = min(a.limit+max(1, a.start/10), a.start)
			a.grown = a.grown.add(growEvery)
		}
	}
}

// cut halves what is assumed. Requests that were under way at the last time were refused for the same reason.
func (s *state) cut(now moment, q sent, r rules) {
	s.suppose(now, r)
	for i := range s.assumed {
		a := &s.assumed[i]
		a.grown = now
		if q.taken <= a.cut {
			continue
		}
		a.cut = now
		a.limit = min(a.limit, max(a.limit/2, fewest))
	}
}

// note remembers a request that may have been counted at any time from when it was taken until then.
func (s *state) note(until moment, q sent) {
	if s.manner == telling {
		return
	}
	at := roundUp(until)
	place, found := slices.BinarySearchFunc(s.log, at, func(b bucket, at moment) int { return int(b.at - at) })
	if !found {
		s.log = slices.Insert(s.log, place, bucket{at: at})
	}
	s.log[place].count++
	s.log[place].swept += sweep(q)
}

// roundUp to a whole grain.
func roundUp(m moment) moment {
	const step = moment(grain / time.Microsecond)
	return (m + step - 1) / step * step
}

// forget drops what was settled longer ago than any window is long.
func (s *state) forget(now moment) {
	if s.manner == telling {
		s.log, s.assumed = nil, nil
		return
	}
	keep := slices.IndexFunc(s.log, func(b bucket) bool { return b.at > now.add(-longestWait) })
	if keep < 0 {
		keep = len(s.log)
	}
	s.log = slices.Delete(s.log, 0, keep)
}

// waitAssumed is how long a request has to wait until so few were counted that it fits, however the provider's windows
// lie: whatever was not settled a window's length ago may be in the same one.
func (s *state) waitAssumed(now moment, q question, r rules) (wait time.Duration) {
	s.suppose(now, r)
	for i, start := range r.start {
		length := lengthOf(start.Reset)
		limit := s.assumed[i].limit
		room := limit - r.reserve - spared(q, limit) // it takes one itself
		sweeps := r.sweeps(limit)
		wait = max(wait, s.waitLog(now, length, room, func(b bucket) int { return b.count }, func(sent) int { return 1 }))
		if sweep(sent{priority: q.Priority}) == 1 {
			wait = max(wait, s.waitLog(now, length, sweeps, func(b bucket) int { return b.swept }, sweep))
		}
	}
	return wait
}

// waitLog is when less than room of what is counted is left.
func (s *state) waitLog(now moment, length time.Duration, room int, settled func(bucket) int, underWay func(sent) int) time.Duration {
	n := 0
	for _, q := range s.sent {
		if q.underWay() {
			n += underWay(q)
		}
	}
	for i := len(s.log) - 1; i >= 0; i-- {
		b := s.log[i]
		if b.at.add(length) <= now {
			break
		}
		if n += settled(b); n >= room {
			return max(b.at.add(length).since(now), soon)
		}
	}
	if n >= room {
		return soon
	}
	return 0
}

// lengthOf is the length of a window that is assumed.
func lengthOf(reset time.Duration) time.Duration {
	if reset <= 0 {
		return usualLength
	}
	return min(reset, longestWait)
}
