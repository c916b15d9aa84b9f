package activity

import (
	"time"

	"regtok/providers"
)

// mostJobs bounds of how many registries lists wait to be looked at.
const mostJobs = 10_000

// desk is what a trail has to look at, by registry.
type desk struct {
	jobs  map[providers.ID]*job
	fresh []providers.ID // jobs with a list that was not looked at yet, and none that is parked
}

// job is the lists of a registry.
type job struct {
	parked *List // it shows something new, which is told at ripe
	ripe   time.Time
	next   *List // the newest that was not looked at
}

func newDesk() desk { return desk{jobs: map[providers.ID]*job{}} }

// put adds a list; !ok: there are too many.
func (d *desk) put(list List) (ok bool) {
	j := d.jobs[list.Registry]
	switch {
	case j == nil && len(d.jobs) >= mostJobs:
		return false
	case j == nil:
		d.jobs[list.Registry] = &job{next: &list}
		d.fresh = append(d.fresh, list.Registry)
	case j.next == nil || list.At.After(j.next.At):
		j.next = &list
	}
	return true
}

// take is the list to be looked at next. One that is ripe is to be told.
func (d *desk) take(now time.Time) (list *List, ripe bool) {
	if len(d.fresh) > 0 {
		j := d.jobs[d.fresh[0]]
		d.fresh = d.fresh[1:]
		list, j.next = j.next, nil
		return list, false
	}
	for _, j := range d.jobs {
		if j.parked != nil && !j.ripe.After(now) {
			list, j.parked = j.parked, nil
			return list, true
		}
	}
	return nil, false
}

// park lets a list wait until it is ripe.
func (d *desk) park(list *List, ripe time.Time) {
	j := d.jobs[list.Registry]
	j.parked, j.ripe = list, ripe
}

// done puts away what was looked at, and has a newer list looked at if there is one.
func (d *desk) done(registry providers.ID) {
	j := d.jobs[registry]
	switch {
	case j.parked != nil:
	case j.next != nil:
		d.fresh = append(d.fresh, registry)
	default:
		delete(d.jobs, registry)
	}
}

// delay lets no list be ripe before then.
func (d *desk) delay(until time.Time) {
	for _, j := range d.jobs {
		if j.parked != nil && j.ripe.Before(until) {
			j.ripe = until
		}
	}
}

// wait is when there is something to do by itself; zero: never.
func (d *desk) wait() (at time.Time) {
	for _, j := range d.jobs {
		if j.parked != nil && (at.IsZero() || j.ripe.Before(at)) {
			at = j.ripe
		}
	}
	return at
}
