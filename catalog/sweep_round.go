package catalog

import (
	"cmp"
	"slices"
	"time"

	"regtok/providers"
)

// station is one list that a sweep keeps fresh: of tokens, of registries or of organizations, by what holds it.
type station struct {
	list     at
	order    int       // in which it became known
	seen     time.Time // when what is kept of it was observed; zero: nothing is
	tried    time.Time // when it was last asked for in vain
	due      time.Time // the soonest end of one of its tokens; zero: none is near
	requests int       // that reading it takes
	wanted   bool      // at once: something of it is gone
	gone     bool      // what was kept of it is not any more, or does not count
	lost     bool      // and so is most of the rest: it goes first
}

// overdue is how long a token that is due is looked for: some providers delete it then.
const overdue = 10 * time.Minute

// weight is how many times sooner than others it has its turn.
func (s *station) weight(now time.Time) float64 {
	switch left := s.due.Sub(now); {
	case s.due.IsZero(), left > 24*time.Hour, left < -overdue:
		return 1
	case left > time.Hour:
		return 2
	}
	return 4
}

// last is when it was last read, or tried.
func (s *station) last() time.Time {
	if s.tried.After(s.seen) {
		return s.tried
	}
	return s.seen
}

// dueIn is the end of a list's token that is next, or that has just been.
func dueIn(tokens []*Token, now time.Time) (soonest time.Time) {
	for _, t := range tokens {
		if t.DueAt.Before(now.Add(-overdue)) {
			continue // never due, or long ago
		}
		if soonest.IsZero() || t.DueAt.Before(soonest) {
			soonest = t.DueAt
		}
	}
	return soonest
}

// round is all that a sweep of an account keeps fresh, and in which order.
type round struct {
	every    time.Duration
	stations map[providers.ID]*station // by the id of what holds the list
	made     int
}

func newRound(a *Account, every time.Duration) *round {
	r := &round{every: every, stations: map[providers.ID]*station{}}
	r.add(at{a, a.ID()})
	return r
}

// add makes a station, unless there is one.
func (r *round) add(list at) {
	if r.stations[list.id] == nil {
		r.stations[list.id] = &station{list: list, order: r.made, requests: 1}
		r.made++
	}
}

// keepOnly has a station for each of the things that a list holds, and none for what is not in it any more, which it returns.
func (r *round) keepOnly(a *Account, there []providers.ID, within func(providers.ID) bool) (gone []providers.ID) {
	known := map[providers.ID]bool{}
	for _, id := range there {
		known[id] = true
		r.add(at{a, id})
	}
	for id := range r.stations {
		if within(id) && !known[id] {
			gone = append(gone, id)
			delete(r.stations, id)
		}
	}
	return gone
}

// missing tells whether there is nothing of it to lean on, and nobody knows yet whether it can be read.
func (s *station) missing() bool { return s.lost || s.last().IsZero() }

// missing counts what is.
func (r *round) missing() (n int) {
	for _, s := range r.stations {
		if s.missing() {
			n++
		}
	}
	return n
}

// filling tells whether something is missing.
func (r *round) filling() bool { return r.missing() > 0 }

// gone counts what is not kept any more, and how much of that is not known to be lost.
func (r *round) gone() (all, news int) {
	for _, s := range r.stations {
		if s.gone {
			all++
		}
		if s.gone && !s.lost {
			news++
		}
	}
	return all, news
}

// newest is the list that was read last of those that are kept; that one, where none is.
func (r *round) newest(turn *station) *station {
	newest := turn
	for _, s := range r.stations {
		if s.last().After(newest.last()) && !s.gone {
			newest = s
		}
	}
	return newest
}

// weights are those of all stations at a moment. What is urgent goes first, but takes no more than half of all turns.
type weights struct {
	of    func(*station) float64
	total float64 // in requests of one turn of what is not urgent
}

func (r *round) weigh(now time.Time) weights {
	plain, weighed := 0.0, 0.0
	for _, s := range r.stations {
		plain += float64(s.requests)
		weighed += float64(s.requests) * s.weight(now)
	}
	extra := 1.0 // of what is above a weight of 1
	if weighed > spread*plain {
		extra = (spread - 1) * plain / (weighed - plain)
	}
	return weights{
		of:    func(s *station) float64 { return 1 + (s.weight(now)-1)*extra },
		total: plain + (weighed-plain)*extra,
	}
}

// next is the station whose turn it is, or will be after wait. gap is the least time between two requests, pace what
// they are apart when they are spread evenly.
func (r *round) next(now time.Time, gap time.Duration) (turn *station, wait, pace time.Duration) {
	w := r.weigh(now)
	interval := max(r.every, time.Duration(w.total*float64(gap)))
	pace = time.Duration(float64(interval) / w.total)
	if r.filling() {
		pace = gap
	}
	at := func(s *station) time.Time {
		own := time.Duration(float64(interval) / w.of(s))
		if s.list.id.Kind == providers.AccountKind {
			own = max(interval, organizationsFresh)
		}
		if s.wanted || s.missing() {
			return time.Time{}
		}
		return s.last().Add(own)
	}
	// Of what is behind its time, that goes first which is behind by most of its own interval.
	late := func(s *station) float64 { return float64(now.Sub(s.last())) * w.of(s) }
	for _, s := range r.stations {
		if turn == nil || precedes(s, turn, at, late, now) {
			turn = s
		}
	}
	return turn, max(at(turn).Sub(now), 0), pace
}

// precedes tells whether the turn of s comes before that of t.
func precedes(s, t *station, at func(*station) time.Time, late func(*station) float64, now time.Time) bool {
	when, other := at(s), at(t)
	if when.IsZero() && other.IsZero() { // what was never read goes before what is known, though old
		return cmp.Or(s.last().Compare(t.last()), cmp.Compare(s.order, t.order)) < 0
	}
	if when.After(now) || other.After(now) || when.IsZero() || other.IsZero() {
		return cmp.Or(when.Compare(other), cmp.Compare(s.order, t.order)) < 0
	}
	return cmp.Or(cmp.Compare(late(t), late(s)), cmp.Compare(s.order, t.order)) < 0
}

// lists are the stations of one kind, in the order in which they became known.
func (r *round) lists(kind providers.IDKind) []*station {
	var found []*station
	for _, s := range r.stations {
		if s.list.id.Kind == kind {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b *station) int { return cmp.Compare(a.order, b.order) })
	return found
}
