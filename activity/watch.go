package activity

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"regtok/eventlog"
)

// See lets the trail know what was read of a registry's tokens. It waits for nothing, and is dropped when there is too much of it: the
// next list of that registry makes up for it.
func (t *Trail) See(list List) {
	t.mu.Lock()
	if !t.desk.put(list) {
		t.Dropped++
	}
	t.mu.Unlock()
	t.rouse()
}

// Run looks at lists and enters what waits, until ctx ends; nothing of it runs after it returned. Call it once.
func (t *Trail) Run(ctx context.Context) {
	for ctx.Err() == nil {
		pause := t.round(ctx)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-t.roused:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	if err := t.enterAll(ctx); err != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.logger.Error("events of tokens' activity are lost: they could not be told before the end", "count", len(t.unsaid), "err", err)
	}
}

// idle is how long a trail sleeps when nothing is to be done.
const idle = time.Hour

// round does all there is to do, and returns how long nothing else is.
func (t *Trail) round(ctx context.Context) (pause time.Duration) {
	defer t.survive()
	if !t.works(ctx) {
		return retryAfter
	}
	if err := t.enterAll(ctx); err != nil {
		return retryAfter
	}
	for ctx.Err() == nil {
		list, ripe := t.take()
		if list == nil {
			return t.rest()
		}
		if err := t.look(ctx, list, ripe); err != nil && t.trouble(err) {
			return retryAfter
		}
	}
	return retryAfter
}

// works tells whether log and index can be reached, as far as is known. When they can again, what was done meanwhile has to be
// entered, by all processes, before anything is noticed.
func (t *Trail) works(ctx context.Context) bool {
	t.mu.Lock()
	fails, left := t.Fails, retryAfter-time.Since(t.failed)
	t.mu.Unlock()
	if fails && left > 0 {
		return false
	}
	if fails {
		if _, _, err := t.log.Bounds(ctx); err != nil {
			return !t.trouble(err)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if fails {
		t.desk.delay(time.Now().Add(t.settle))
	}
	t.Fails = false
	t.report(nil)
	return true
}

func (t *Trail) take() (list *List, ripe bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.desk.take(time.Now())
}

// rest is how long there is nothing to do.
func (t *Trail) rest() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at := t.desk.wait(); !at.IsZero() {
		return time.Until(at)
	}
	return idle
}

// enterAll enters what could not be entered before.
func (t *Trail) enterAll(ctx context.Context) error {
	for {
		t.mu.Lock()
		if len(t.unsaid) == 0 {
			t.mu.Unlock()
			return nil
		}
		e := t.unsaid[0]
		t.mu.Unlock()
		if err := t.enter(ctx, e); err != nil && t.trouble(err) {
			return err
		}
		t.mu.Lock()
		t.unsaid = t.unsaid[1:]
		t.mu.Unlock()
	}
}

// look compares a list with what is known. What is new waits until it is ripe: it may have been done through this server, by
// somebody who has not entered it yet.
func (t *Trail) look(ctx context.Context, list *List, ripe bool) (err error) {
	park := time.Time{}
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if err != nil {
			park = time.Now().Add(t.settle) // what was done meanwhile has to be entered first
		}
		if !park.IsZero() {
			t.desk.park(list, park)
		}
		t.desk.done(list.Registry)
	}()
	faces := list.faces()
	before, err := t.index.Digest(ctx, list.Registry)
	if err != nil || before == digest(faces) {
		return err
	}
	for range mostTries {
		known, err := t.index.Roster(ctx, list.Registry)
		if err != nil {
			return err
		}
		news := notice(known, *list, faces)
		switch {
		case news.same:
			return nil
		case news.otherwise() && !ripe && !known.Listed.IsZero():
			park = time.Now().Add(t.settle)
			return nil
		}
		done, err := t.notice(ctx, list, news)
		if err != nil || done {
			return err
		}
	}
	return nil // others change it all the time: the next list does
}

// mostTries is how often a list is compared anew because others have changed the roster meanwhile.
const mostTries = 3

// notice tells what is new and keeps it.
func (t *Trail) notice(ctx context.Context, list *List, news noticed) (done bool, err error) {
	if len(news.events) > 0 {
		fresh, err := t.log.Append(ctx, news.events)
		if err != nil {
			return false, err
		}
		for i, e := range news.events {
			if fresh[i] {
				t.told(e)
			}
		}
	}
	return t.index.Change(ctx, list.Registry, news.change)
}

// trouble takes note of a failure; again: it may be over soon.
func (t *Trail) trouble(err error) (again bool) {
	switch {
	case errors.Is(err, context.Canceled): // whoever wanted it has ended, which tells nothing of the log and the index
		return true
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, eventlog.ErrClosed):
		err = fmt.Errorf("%w: %w", eventlog.ErrUnavailable, err)
	case !errors.Is(err, eventlog.ErrUnavailable):
		t.logger.Error("a token's activity cannot be told", "err", err)
		return false
	}
	t.mu.Lock()
	t.failed, t.Fails = time.Now(), true
	t.mu.Unlock()
	t.report(err)
	return true
}

// survive keeps a fault of this program to itself.
func (t *Trail) survive() {
	if p := recover(); p != nil {
		t.logger.Error("the trail of tokens' activity panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	}
}
