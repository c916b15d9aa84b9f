package eventlog

import "slices"

// tail is the end of a log, as the process has it. It never changes.
type tail[E any] struct {
	from, newest position // it has all that is after from, up to newest
	entries      []*Entry[E]
}

// reaches tells whether the tail has all that is after p, as far as it was told.
func (t *tail[E]) reaches(p position) bool {
	return t != nil && p.epoch == t.newest.epoch && !p.before(t.from) && !t.newest.before(p)
}

// passed tells whether the tail may have something that is after p.
func (t *tail[E]) passed(p position) bool {
	return t != nil && p.epoch == t.newest.epoch && p.before(t.newest)
}

// after are the entries after p, which the tail reaches.
func (t *tail[E]) after(p position) []*Entry[E] {
	i, _ := slices.BinarySearchFunc(t.entries, p, func(entry *Entry[E], p position) int {
		if p.before(entry.at) {
			return 1
		}
		return -1
	})
	return t.entries[i:]
}
