package budget

import (
	"slices"
	"time"

	"regtok/providers"
)

// waiting are those of this process who were told to wait and will be back, so that a lower priority does not take what
// they wait for.
type waiting []waiter

type waiter struct {
	priority providers.Priority
	back     moment
}

const (
	// grace is how much later than told they may come back.
	grace = 200 * time.Millisecond
	// mostWaiting bounds how many are remembered.
	mostWaiting = 1000
)

// ahead is how many of a higher priority are waiting. Who asks is one that comes back, if one is due.
func (w *waiting) ahead(now moment, p providers.Priority) int {
	*w = slices.DeleteFunc(*w, func(one waiter) bool { return one.back.add(grace) <= now })
	back := slices.IndexFunc(*w, func(one waiter) bool { return one.priority == p && one.back <= now })
	if back >= 0 {
		*w = slices.Delete(*w, back, back+1)
	}
	n := 0
	for _, one := range *w {
		if one.priority > p {
			n++
		}
	}
	return n
}

// add remembers one that was told to wait so long.
func (w *waiting) add(now moment, p providers.Priority, wait time.Duration) {
	if wait == Never || len(*w) >= mostWaiting {
		return
	}
	*w = append(*w, waiter{p, now.add(wait)})
}
