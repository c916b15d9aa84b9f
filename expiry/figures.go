package expiry

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"regtok/eventlog"
	"regtok/providers"
)

// Figures are what a [Watcher] tells of itself. What counts, counts from its start.
type Figures struct {
	// Watched is how many tokens the index has, about; -1: not known yet.
	Watched int
	// Told is how many events this watcher told first, by kind, as far as is known.
	Told map[Kind]uint64
	// Unconfirmed of these were told although the provider could not be asked.
	Unconfirmed uint64
	// Lag is how much later than due the last step was told.
	Lag time.Duration
	// Looks are at registries, because a step was near and the last reading old; LookErrors of them failed.
	Looks, LookErrors uint64
	// Waiting is how many registries there is something to do in.
	Waiting int
	// Dropped is how many lists there was no room for.
	Dropped uint64
	// Fails tells whether the index or the log cannot be reached. Then nothing is told, and all is later.
	Fails bool
	// Faults are failures that must not be, of this program: the log has them.
	Faults uint64
}

// figures are those of a watcher, as it goes along.
type figures struct {
	mu sync.Mutex
	Figures
	counted time.Time // when Watched was counted
	failed  time.Time // when the index or the log last could not be reached
	cried   time.Time // when the last fault was logged
}

// cryEvery is how often faults are logged at most: what fails once may fail again every other second.
const cryEvery = time.Minute

// Figures returns them as they are now. It waits for nothing.
func (w *Watcher) Figures() Figures {
	w.figures.mu.Lock()
	defer w.figures.mu.Unlock()
	now := w.figures.Figures
	now.Told = maps.Clone(now.Told)
	if w.figures.counted.IsZero() {
		now.Watched = -1
	}
	now.Waiting, now.Dropped = w.desk.waiting()
	return now
}

// count counts states now and then.
func (w *Watcher) count(ctx context.Context) {
	w.figures.mu.Lock()
	due := time.Since(w.figures.counted) >= countEvery
	w.figures.mu.Unlock()
	if !due {
		return
	}
	watched, err := w.index.Count(ctx)
	if err != nil {
		return // taking fails as well, and tells
	}
	w.figures.mu.Lock()
	defer w.figures.mu.Unlock()
	w.figures.Watched, w.figures.counted = watched, time.Now()
}

// told counts what was told of states, but for those that were lost.
func (w *Watcher) told(states []State, lost []providers.ID) {
	now := w.now()
	w.figures.mu.Lock()
	defer w.figures.mu.Unlock()
	for _, s := range states {
		if len(s.Untold) == 0 || slices.Contains(lost, s.Subject.Token) {
			continue
		}
		if w.figures.Told == nil {
			w.figures.Told = map[Kind]uint64{}
		}
		for _, e := range s.Untold {
			w.figures.Told[e.Kind]++
			w.figures.Lag = now.Sub(e.OccurredAt)
		}
		if !s.Tried.IsZero() {
			w.figures.Unconfirmed += uint64(len(s.Untold))
		}
	}
}

// looked counts a look at a registry.
func (w *Watcher) looked(err error) {
	w.figures.mu.Lock()
	defer w.figures.mu.Unlock()
	w.figures.Looks++
	if err != nil {
		w.figures.LookErrors++
	}
}

// failed reports a failure; again: it may be over soon.
func (w *Watcher) failed(ctx context.Context, err error) (again bool) {
	if ctx.Err() != nil || errors.Is(err, eventlog.ErrClosed) {
		return false
	}
	if !errors.Is(err, ErrUnavailable) {
		w.fault("the events' watcher failed", "err", err)
		return false
	}
	w.figures.mu.Lock()
	w.figures.Fails, w.figures.failed = true, time.Now()
	w.figures.mu.Unlock()
	w.report(err)
	return true
}

// recovered reports that all works, once nothing has failed for a while.
func (w *Watcher) recovered() bool {
	w.figures.mu.Lock()
	works := !w.figures.Fails || time.Since(w.figures.failed) > retryAfter
	w.figures.Fails = !works
	w.figures.mu.Unlock()
	if works {
		w.report(nil)
	}
	return works
}

func (w *Watcher) panicked(what string, stack []byte) {
	w.fault("the events' watcher panicked", "panic", what, "stack", string(stack))
}

// fault counts what must not be, and logs it now and then.
func (w *Watcher) fault(message string, facts ...any) {
	w.figures.mu.Lock()
	w.figures.Faults++
	tells := time.Since(w.figures.cried) >= cryEvery
	if tells {
		w.figures.cried = time.Now()
	}
	w.figures.mu.Unlock()
	if tells {
		w.logger.Error(message, facts...) //nolint:sloglint // one of the two constant messages of its callers
	}
}
