package budget

import (
	"time"

	"regtok/providers"
)

// snapshot is what can be said of each allowance.
func (s *state) snapshot(now moment, r rules, local func(moment) time.Time) []providers.Budget {
	s.roll(now)
	if s.manner != telling {
		return s.supposed(now, r, local)
	}
	var all []providers.Budget
	for i := range s.windows {
		w := &s.windows[i]
		ends := w.to.add(-rounding)
		switch {
		case w.over:
			ends = now.add(w.length) // as if the next one began now
		case ends <= now:
			ends = w.to // which is the latest that it can be
		}
		all = append(all, providers.Budget{
			Scope: w.scope, Of: w.of, Limit: w.limit, Remaining: max(w.limit-w.used-s.unsettled(w), 0),
			ResetsAt: local(ends), Window: w.length,
		})
	}
	return all
}

// supposed tells of what is assumed. It is whole again when all that counts now counts no more.
func (s *state) supposed(now moment, r rules, local func(moment) time.Time) []providers.Budget {
	s.suppose(now, r)
	var all []providers.Budget
	for i, start := range r.start {
		length := lengthOf(start.Reset)
		used, ends := 0, now
		for _, q := range s.sent {
			if q.underWay() {
				used, ends = used+1, now.add(length)
			}
		}
		for _, b := range s.log {
			if end := b.at.add(length); end > now {
				used += b.count
				ends = max(ends, end)
			}
		}
		if used == 0 {
			ends = now.add(length) // as if a window began now
		}
		all = append(all, providers.Budget{
			Scope: start.Scope, Limit: s.assumed[i].limit, Remaining: max(s.assumed[i].limit-used, 0),
			ResetsAt: local(ends), Window: length,
		})
	}
	return all
}
