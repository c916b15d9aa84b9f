package soak

import (
	"slices"
	"sync"
	"time"
)

// figures are what was measured of the clients. Safe for concurrent use.
type figures struct {
	mu     sync.Mutex
	start  time.Time
	reads  map[string]*figure // by query
	writes map[string]*figure // by account and kind
	first  time.Duration      // from the start to the first answer over everything that lacks nothing; 0: none yet
	ages   []time.Duration    // of the oldest token on each first page by due date that does not say to be old
	found  []Stale            // the first of them
	stales int
}

// figure is of one kind of question.
type figure struct {
	took    []time.Duration
	whole   int            // answers without a note or an error
	old     int            // answers that say that some of it is old
	missing int            // answers that say that some of it is missing
	codes   map[string]int // of errors
	notes   map[string]int // answers that have such a note
}

// mostFound is how many stale reads are told with their evidence.
const mostFound = 10

func newFigures() *figures {
	return &figures{start: time.Now(), reads: map[string]*figure{}, writes: map[string]*figure{}}
}

func of(figures map[string]*figure, kind string) *figure {
	f := figures[kind]
	if f == nil {
		f = &figure{codes: map[string]int{}, notes: map[string]int{}}
		figures[kind] = f
	}
	return f
}

func (f *figure) add(took time.Duration, codes []string) {
	f.took = append(f.took, took)
	for _, code := range codes {
		f.codes[code]++
	}
}

// heard counts the reasons of an answer's notes, each once.
func (f *figure) heard(notes []Note) {
	reasons := map[string]bool{}
	for _, note := range notes {
		reasons[note.String()] = true
	}
	for reason := range reasons {
		f.notes[reason]++
	}
}

// read takes note of an answer to a query.
func (f *figures) read(r Read, codes ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one := of(f.reads, r.Of)
	one.add(r.End.Sub(r.Begin), codes)
	one.heard(r.Notes)
	old, missing := r.admits()
	switch {
	case len(codes) > 0:
		return
	case old:
		one.old++
	case missing:
		one.missing++
	default:
		one.whole++
	}
	if f.first == 0 && r.Of == search && !missing {
		f.first = r.End.Sub(f.start)
	}
	if r.Of == dashboard && !old {
		f.ages = append(f.ages, r.age())
	}
}

// age is that of the oldest token in the answer.
func (r Read) age() (oldest time.Duration) {
	for _, token := range r.Shown {
		oldest = max(oldest, r.End.Sub(token.Observed))
	}
	return oldest
}

// wrote takes note of a mutation.
func (f *figures) wrote(account, kind string, took time.Duration, codes ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one := of(f.writes, account+" "+kind)
	one.add(took, codes)
	if len(codes) == 0 {
		one.whole++
	}
}

// stale takes note of reads that were judged stale.
func (f *figures) stale(found ...Stale) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stales += len(found)
	f.found = append(f.found, found[:min(len(found), mostFound-len(f.found))]...)
}

// percentile is the duration that a share of those, which it sorts, does not exceed.
func percentile(took []time.Duration, share float64) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[int(share*float64(len(took)-1))].Round(100 * time.Microsecond)
}
