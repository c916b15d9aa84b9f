package catalog

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"regtok/activity"
	"regtok/ledger"
	"regtok/providers"
)

const (
	mostDeletions = 8                // of one process at the same time
	lookAgain     = 5 * time.Second  // at what other processes promised
	longestPause  = 30 * time.Second // while the ledger cannot be reached
	leastPause    = 50 * time.Millisecond
	firstPause    = time.Second // when the ledger cannot be reached; it doubles up to longestPause
	mostTold      = 1000
)

// PromisedDeletions is what [Options] Report calls what KeepSchedule does.
const PromisedDeletions = "promised deletions"

const opPromised = "delete token as promised"

// schedule promises a deletion, and wakes who keeps the schedule.
func (c *Catalog) schedule(ctx context.Context, deletion ledger.Deletion) error {
	if err := c.ledger.Schedule(ctx, deletion); err != nil {
		return err
	}
	select {
	case c.scheduled <- struct{}{}:
	default: // who keeps it is awake already
	}
	return nil
}

// unpromise takes back a deletion that was promised of a token which is gone, as far as the ledger can be told.
func (c *Catalog) unpromise(ctx context.Context, token providers.ID) {
	if !c.ledger.Durable() {
		return // then nothing was promised
	}
	err := c.aside(ctx, func(ctx context.Context) error { return c.ledger.Unschedule(ctx, token) })
	if err != nil {
		c.log.Warn("a deletion that was promised is not taken back; it will find nothing, unless a token is made under that id again",
			"provider", token.Provider, "err", err)
	}
}

// KeepSchedule deletes tokens when their time has come, as this server promised, until ctx ends; nothing of it runs after
// it returned. What fails is tried again every few minutes, however long that takes. Every process that shares a ledger
// may keep its schedule; call it once in each.
func (c *Catalog) KeepSchedule(ctx context.Context) {
	k := &keeper{c: c, told: map[providers.ID]providers.Kind{}}
	for ctx.Err() == nil {
		timer := time.NewTimer(k.keep(ctx))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-c.scheduled:
		}
		timer.Stop()
	}
}

// keeper does what is due, and says once what stands in the way.
type keeper struct {
	c     *Catalog
	pause time.Duration // while the ledger cannot be reached; 0: it can

	mu   sync.Mutex
	told map[providers.ID]providers.Kind // the failures that the log has
}

// lease is how long a deletion that was taken is left to this process: longer than it tries.
func (k *keeper) lease() time.Duration { return max(time.Minute, 2*k.c.writeTimeout) }

// keep does what is due and returns how long nothing else is.
func (k *keeper) keep(ctx context.Context) time.Duration {
	due, next, err := k.c.ledger.TakeDue(ctx, time.Now(), mostDeletions, k.lease())
	if err != nil {
		return k.unreachable(ctx, err)
	}
	k.pause = 0
	k.c.report(PromisedDeletions, nil)
	var all sync.WaitGroup
	for _, d := range due {
		all.Go(func() {
			asked := As(ctx, d.By)
			k.note(asked, d, survived(func() error { return k.delete(asked, d.Token) }))
		})
	}
	all.Wait()
	switch wait := min(time.Until(next), lookAgain); {
	case next.IsZero():
		return lookAgain
	case len(due) == 0: // whatever the ledger takes for soon
		return max(wait, leastPause)
	default:
		return max(wait, 0)
	}
}

// unreachable reports that the ledger cannot be read, and returns how long to leave it alone.
func (k *keeper) unreachable(ctx context.Context, err error) time.Duration {
	if ctx.Err() == nil {
		k.c.report(PromisedDeletions, err)
	}
	k.pause = min(max(2*k.pause, firstPause), longestPause)
	return k.pause
}

// delete deletes a token whose time has come. One that is gone is as good.
func (k *keeper) delete(ctx context.Context, token providers.ID) error {
	ctx, cancel := context.WithTimeout(providers.WithPriority(ctx, providers.Writing), k.c.writeTimeout)
	defer cancel()
	// Here NotFound does not mean that the token is gone: only that no account can tell.
	accounts, errs := k.c.owners(ctx, []providers.ID{token})
	if errs[0] != nil {
		return errs[0]
	}
	defer k.c.lock(ctx, token)()
	_, err := k.c.sent(ctx, accounts[0], token.OfRegistry(), deed{kind: activity.Deleted, token: token}, func() (providers.Created, error) {
		return providers.Created{}, accounts[0].Provider.DeleteToken(ctx, token)
	})
	if err = unlessGone(err); err != nil {
		return err
	}
	k.c.tellDeleted(token)
	return k.c.ledger.Unschedule(ctx, token)
}

// note tells the log what became of a deletion, and the same failure of one token once.
func (k *keeper) note(ctx context.Context, d ledger.Deletion, err error) {
	if err != nil && ctx.Err() != nil {
		return // who stops the server has stopped the deletion: another process, or the next start, does it
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil {
		delete(k.told, d.Token)
		k.c.line(ctx, opPromised, d.Token, outcomeDone)
		k.c.log.Info("a token is deleted, as promised when it was rotated",
			"provider", d.Token.Provider, "token", d.Token.String(), "due", d.At)
		return
	}
	kind := providers.KindOf(err)
	if before, told := k.told[d.Token]; told && before == kind {
		return
	}
	if len(k.told) >= mostTold {
		clear(k.told)
	}
	k.told[d.Token] = kind
	k.c.line(ctx, opPromised, d.Token, cmp.Or(string(kind), outcomeFault))
	if errors.Is(err, ledger.ErrUnavailable) {
		k.c.log.Warn("a token is deleted, as promised when it was rotated, and the ledger cannot be told; it is tried again",
			"provider", d.Token.Provider, "token", d.Token.String(), "due", d.At, "err", err)
		return
	}
	k.c.log.Warn("a token whose time has come is not deleted; it is tried again",
		"provider", d.Token.Provider, "token", d.Token.String(), "due", d.At, "err", err)
}
