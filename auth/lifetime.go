package auth

import (
	"context"
	"slices"
	"time"
)

// lifetime lasts until a key is taken back, or holds something else. Its sockets and streams end then.
type lifetime struct {
	over context.Context
	end  context.CancelFunc
}

func newLifetime() *lifetime {
	over, end := context.WithCancel(context.Background())
	return &lifetime{over, end}
}

// AtEnd calls do, in a goroutine of its own, when the viewer's credential ends: at Until, or when the server no longer knows it
// as it was admitted (see Callers.Renew), whichever is first. It is called at once if that was before. Who may do so for ever is
// never told. stop keeps do from being called, unless it was already.
func (v Viewer) AtEnd(do func()) (stop func()) {
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	if v.life != nil {
		ctx = v.life.over
	}
	if !v.Until.IsZero() {
		ctx, cancel = context.WithDeadline(ctx, v.Until)
	}
	unhook := context.AfterFunc(ctx, do)
	return func() {
		unhook()
		cancel()
	}
}

// Ended tells whether the viewer's credential has ended: what AtEnd waits for has been.
func (v Viewer) Ended() bool {
	return v.life != nil && v.life.over.Err() != nil || !v.Until.IsZero() && !time.Now().Before(v.Until)
}

// Renewal is what has become of callers with keys. Each caller stands there by name, once for each of their keys.
type Renewal struct {
	// Added have keys that were not known.
	Added []string
	// Changed have a key that they had, and may now do something else with it, or for another time.
	Changed []string
	// Gone had keys that are not known any more.
	Gone []string
}

// Empty tells whether nothing has changed.
func (r Renewal) Empty() bool { return len(r.Added)+len(r.Changed)+len(r.Gone) == 0 }

// Renew puts keys in the place of those that are known; callers with tokens of an issuer are not touched. From its return nobody is
// admitted as before. Sockets and streams of a key that is gone, or whose viewer is another one now, end (Viewer.AtEnd), and
// what was asked before is answered. With no keys at all nobody is admitted by one. One goroutine at a time.
func (c *Callers) Renew(keys []Caller) Renewal {
	before := *c.keys.Load()
	after := make(map[string]Caller, len(keys))
	var renewal Renewal
	for _, caller := range keys {
		old, known := before[caller.Key.ID()]
		same := known && old.Key.equal(caller.Key)
		switch {
		case same && old.Viewer.Equal(caller.Viewer):
			after[caller.Key.ID()] = old
			continue
		case same:
			renewal.Changed = append(renewal.Changed, caller.Viewer.Subject)
		default:
			renewal.Added = append(renewal.Added, caller.Viewer.Subject)
		}
		after[caller.Key.ID()] = caller.alive()
	}
	c.keys.Store(&after)
	for id, old := range before {
		now, there := after[id]
		if !there || !now.Key.equal(old.Key) {
			renewal.Gone = append(renewal.Gone, old.Viewer.Subject)
		}
		if now.Viewer.life != old.Viewer.life {
			old.Viewer.life.end()
		}
	}
	for _, names := range [][]string{renewal.Added, renewal.Changed, renewal.Gone} {
		slices.Sort(names)
	}
	return renewal
}

// alive is the caller with a lifetime of their own.
func (c Caller) alive() Caller {
	c.Viewer.life = newLifetime()
	return c
}
