package budget

import (
	"cmp"
	"slices"
	"time"

	"regtok/providers"
)

// assumed is an allowance that nobody tells of, as it is taken to be now.
type assumed struct {
	scope        string
	start, limit int
	// cut is when it was last lessened; grown is from when on it has grown to what it is.
	cut, grown moment
}

// bucket is how many requests of one process were settled by the same moment.
type bucket struct {
	at           moment
	origin       uint64
	count, swept int
}

const (
	// fewest is what an assumed allowance is not lessened below.
	fewest = 5
	// growEvery is how often an allowance that was lessened grows by a tenth of what it began with.
	growEvery = 3 * time.Minute
	// grain is how exactly the moments of settled requests are remembered, so that many take little room.
	grain = time.Second
)

// suppose makes what is assumed agree with what was set up, and lets it grow. What counts in no window is dropped, since
// all that is remembered is written at each request.
func (s *state) suppose(now moment, r rules) {
	if len(s.assumed) != len(r.start) {
		s.assumed = make([]assumed, len(r.start))
	}
	longest := time.Duration(0)
	for i, start := range r.start {
		longest = max(longest, lengthOf(start.Reset))
		a := &s.assumed[i]
		if a.scope != start.Scope || a.start != start.Limit {
			*a = assumed{scope: start.Scope, start: start.Limit, limit: start.Limit}
		}
		for a.limit < a.start && now.since(a.grown) >= growEvery {
			a.limit = min(a.limit+max(1, a.start/10), a.start)
			a.grown = a.grown.add(growEvery)
		}
	}
	s.drop(now.add(-longest - late))
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
	b := s.bucket(roundUp(until), q.origin)
	b.count++
	b.swept += sweep(q)
}

// bucket is the one of a moment and a process.
func (s *state) bucket(at moment, origin uint64) *bucket {
	wanted := bucket{at: at, origin: origin}
	place, found := s.findBucket(wanted)
	if !found {
		s.log = slices.Insert(s.log, place, wanted)
	}
	return &s.log[place]
}

func (s *state) findBucket(wanted bucket) (place int, found bool) {
	return slices.BinarySearchFunc(s.log, wanted, func(a, b bucket) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.origin, b.origin))
	})
}

// roundUp to a whole grain.
func roundUp(m moment) moment {
	const step = moment(grain)
	return (m + step - 1) / step * step
}

// forget drops what was settled longer ago than any window is long.
func (s *state) forget(now moment) {
	if s.manner == telling {
		s.log, s.assumed = nil, nil
		return
	}
	s.drop(now.add(-longestWait))
}

// drop drops what was settled before.
func (s *state) drop(before moment) {
	old, _ := s.findBucket(bucket{at: before})
	s.log = slices.Delete(s.log, 0, old)
}

// waitAssumed is how long a request has to wait until so few were counted that it fits, however the provider's windows
// lie: whatever was not settled a window's length ago may be in the same one.
func (s *state) waitAssumed(now moment, q question, r rules) (wait time.Duration) {
	s.suppose(now, r)
	for i, start := range r.start {
		length, limit := lengthOf(start.Reset), s.assumed[i].limit
		if s.alone != nil {
			wait = max(wait, s.waitAssumedPart(now, q, length, limit))
			continue
		}
		reserve := s.reserve(now, q.origin, limit, nil)
		room := limit - reserve - spared(q, limit) // it takes one itself
		need := until(now, length, s.log, bucketCount, room-s.underWay(every))
		if need > beatEvery && until(now, length, s.log, bucketCount, room+reserve-len(s.members)-s.underWay(every)) == 0 {
			need = beatEvery // the others give back what they do not need
		}
		wait = max(wait, need)
		if q.Priority == providers.Sweeping {
			wait = max(wait, until(now, length, s.log, bucketSwept, r.sweeps(limit)-s.underWay(isSweep)))
		}
	}
	return wait
}

// waitAssumedPart is how long a request of a process has to wait that is alone. Only a window's length after the last word
// can nothing count that others sent before.
func (s *state) waitAssumedPart(now moment, q question, length time.Duration, limit int) time.Duration {
	if others := s.alone.since.add(length + late); now < others {
		if q.promised <= 0 {
			return others.since(now)
		}
		return 0
	}
	part := max(limit/s.alone.among, 1)
	own := func(b bucket) int {
		if b.origin != q.origin {
			return 0
		}
		return b.count
	}
	return until(now, length, s.log, own, part-min(spared(q, part), 1))
}

// freeAssumed is how many more requests fit.
func (s *state) freeAssumed(now moment, origin uint64, r rules) int {
	s.suppose(now, r)
	least := 0
	for i, start := range r.start {
		free := s.assumed[i].limit - s.promises(now, origin, nil) - s.underWay(every)
		for _, b := range s.log {
			if b.at.add(lengthOf(start.Reset)) > now {
				free -= b.count
			}
		}
		if i == 0 || free < least {
			least = free
		}
	}
	return least
}

// until is when less than room of what the log has is left.
func until(now moment, length time.Duration, log []bucket, count func(bucket) int, room int) time.Duration {
	if room <= 0 {
		return soon // those that are under way will tell
	}
	for i := len(log) - 1; i >= 0; i-- {
		end := log[i].at.add(length)
		if end <= now {
			break
		}
		if room -= count(log[i]); room <= 0 {
			return max(end.since(now), soon)
		}
	}
	return 0
}

func bucketCount(b bucket) int { return b.count }
func bucketSwept(b bucket) int { return b.swept }

// underWay counts requests of a kind.
func (s *state) underWay(kind func(sent) bool) int {
	n := 0
	for _, q := range s.sent {
		if q.underWay() && kind(q) {
			n++
		}
	}
	return n
}

func every(sent) bool { return true }

func isSweep(q sent) bool { return q.priority == providers.Sweeping }

// lengthOf is the length of a window that is assumed.
func lengthOf(reset time.Duration) time.Duration {
	if reset <= 0 {
		return usualLength
	}
	return min(reset, longestWait)
}
