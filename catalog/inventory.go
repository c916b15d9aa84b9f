package catalog

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"regtok/cache"
	"regtok/providers"
)

type leanKey struct{}

// leaning is a context for a list that spans registries: it leans on what the sweep keeps.
func leaning(ctx context.Context) context.Context { return context.WithValue(ctx, leanKey{}, true) }

// leans tells whether a list is to lean on the sweep, and there is one.
func (c *Catalog) leans(ctx context.Context) bool {
	leans, _ := ctx.Value(leanKey{}).(bool)
	return leans && c.sweep.share > 0 && !c.sweep.tells
}

// inventory reads lists of tokens of one account as the sweep keeps them. Where so many were never read that they cannot
// be read now, those are missing, and nothing is waited for.
func (c *Catalog) inventory(ctx context.Context, a *Account, keys []at) []cache.Entry[[]*Token] {
	ctx = c.tolerated(ctx, a, tokensFresh)
	_, kept := c.views.tokens.Look(ctx, keys)
	missing := 0
	for _, is := range kept {
		if !is {
			missing++
		}
	}
	affords := affordable(a, missing)
	if affords == missing {
		return c.views.tokens.GetMany(ctx, keys)
	}
	wanted, places := make([]at, 0, len(keys)), make([]int, 0, len(keys))
	for i, key := range keys {
		if !kept[i] {
			if affords == 0 {
				continue
			}
			affords--
		}
		wanted, places = append(wanted, key), append(places, i)
	}
	gap, _ := c.sweep.gap(a)
	left := len(keys) - len(wanted)
	filling := fillingOf(a, len(wanted), len(keys), time.Duration(left)*gap)
	entries := make([]cache.Entry[[]*Token], len(keys))
	for i := range entries {
		entries[i].Err = filling
	}
	for i, entry := range c.views.tokens.GetMany(ctx, wanted) {
		entries[places[i]] = entry
	}
	return entries
}

// fillingError says that a list was not read yet: the sweep will, and there is no allowance to do it now.
type fillingError struct {
	read, known int
	cause       *providers.Error
}

func fillingOf(a *Account, read, known int, left time.Duration) *fillingError {
	return &fillingError{read, known, &providers.Error{
		Kind: providers.RateLimited, Provider: a.Driver.Name, Op: "list tokens", RetryAfter: max(left, time.Second),
	}}
}

// Error implements error.
func (e *fillingError) Error() string { return e.message() }

// Unwrap returns what it means to a caller.
func (e *fillingError) Unwrap() error { return e.cause }

func (e *fillingError) message() string {
	return fmt.Sprintf("the inventory is being read: %d of %d registries so far, complete in %s", e.read, e.known, about(e.cause.RetryAfter))
}

// about is a length of time as people say it.
func about(d time.Duration) string {
	if d < time.Minute {
		return "less than a minute"
	}
	return fmt.Sprintf("about %d min", int(math.Ceil(d.Minutes())))
}

// unread tells whether a list is missing because the sweep has not read it yet.
func unread(err error) bool {
	_, filling := errors.AsType[*fillingError](err)
	return filling
}

// unreadOf is why some of an account's lists were not read yet; nil: none is missing for that.
func unreadOf[V any](entries []cache.Entry[V]) error {
	for _, entry := range entries {
		if unread(entry.Err) {
			return entry.Err
		}
	}
	return nil
}

// perAccount reads what each of several accounts is asked for, side by side, and returns it in the order of keys.
func perAccount[K, V any](keys []K, of func(K) *Account, read func(*Account, []K) []cache.Entry[V]) []cache.Entry[V] {
	entries := make([]cache.Entry[V], len(keys))
	places := map[*Account][]int{}
	for i, key := range keys {
		places[of(key)] = append(places[of(key)], i)
	}
	var reading sync.WaitGroup
	for a, own := range places {
		reading.Go(func() {
			wanted := make([]K, len(own))
			for i, place := range own {
				wanted[i] = keys[place]
			}
			for i, entry := range read(a, wanted) {
				entries[own[i]] = entry
			}
		})
	}
	reading.Wait()
	return entries
}
