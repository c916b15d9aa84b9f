package cache

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// deliverWithin is how long the Store may take for values that nobody waits for.
	deliverWithin = 2 * time.Second
	// mostSent and mostWaiting are bytes, of what one call brings to the Store and of what waits for the next.
	mostSent    = 1 << 20
	mostWaiting = 16 << 20
	// parcelBytes is about what a parcel costs beside its value.
	parcelBytes = 320
)

// outbox is what was loaded and is not in the Store yet. Nobody waits for it, so it goes there in few calls that may take
// their time: one after the other, each with what has come up since. When the Store is too slow for that, the oldest is
// left out.
type outbox struct {
	mu      sync.Mutex
	waiting []*parcel
	bytes   int
	leaving []*parcel // in a call that is under way
	manned  bool      // somebody delivers
}

// parcel is a value for the Store.
type parcel struct {
	Item
	scope  *scope
	moment Moment
	goneAt time.Time
	leased time.Time // until when the right to load it is this process's; zero: it is not
	// withdrawn tells that it is not to be in the Store any more. It is guarded by the outbox.
	withdrawn bool
}

func (p *parcel) weight() int { return len(p.Value) + parcelBytes }

// send brings a parcel to the Store, soon. It is called by a goroutine that Close waits for.
func (c *Cache) send(p *parcel) {
	left, manned := c.far.outbox.add(p)
	c.far.errors.Add(uint64(left))
	if !manned {
		c.work.Go(c.deliver)
	}
}

// deliver empties the outbox. A cache that is being closed tries no longer than a Store that works needs.
func (c *Cache) deliver() {
	ctx := context.WithoutCancel(c.ctx)
	for {
		parcels := c.far.outbox.take()
		if len(parcels) == 0 {
			return
		}
		within := max(deliverWithin, c.far.timeout)
		if c.ctx.Err() != nil {
			within = c.far.timeout
		}
		c.far.deliver(ctx, within, parcels)
	}
}

// deliver has the Store take those parcels that are still worth it.
func (f *far) deliver(ctx context.Context, within time.Duration, parcels []*parcel) {
	now := time.Now()
	items := make([]Item, 0, len(parcels))
	for _, p := range parcels {
		if p.For = p.goneAt.Sub(now); p.For > 0 && p.scope.holds(p.moment) {
			p.Leased = now.Before(p.leased) // else the right may be another's by now
			items = append(items, p.Item)
		}
	}
	if len(items) > 0 {
		f.call(ctx, within, f.writes, func(ctx context.Context) error { return f.store.SetMany(ctx, items) })
	}
	if withdrawn := f.outbox.arrived(); len(withdrawn) > 0 {
		f.deleteMany(ctx, withdrawn...)
	}
}

// add returns how many were left out for it, and whether somebody delivers; if not, that is the caller's to do.
func (o *outbox) add(p *parcel) (left int, manned bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = append(o.waiting, p)
	o.bytes += p.weight()
	for o.bytes > mostWaiting && len(o.waiting) > 1 {
		o.drop()
		left++
	}
	manned, o.manned = o.manned, true
	return left, manned
}

// drop removes the oldest. The outbox is locked.
func (o *outbox) drop() *parcel {
	oldest := o.waiting[0]
	o.waiting[0] = nil
	o.waiting = o.waiting[1:]
	o.bytes -= oldest.weight()
	return oldest
}

// take returns what goes next. When there is nothing, nobody delivers any more.
func (o *outbox) take() []*parcel {
	o.mu.Lock()
	defer o.mu.Unlock()
	for sent := 0; len(o.waiting) > 0; {
		if sent += o.waiting[0].weight(); sent > mostSent && len(o.leaving) > 0 {
			break
		}
		o.leaving = append(o.leaving, o.drop())
	}
	o.manned = len(o.leaving) > 0
	return o.leaving
}

// arrived ends a call, and returns what was withdrawn while it was under way.
func (o *outbox) arrived() (withdrawn []Key) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range o.leaving {
		if p.withdrawn {
			withdrawn = append(withdrawn, p.Key)
		}
	}
	o.leaving = nil
	return withdrawn
}

// withdraw takes back what is on its way under keys, because they are about to be deleted.
func (o *outbox) withdraw(keys []Key) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = slices.DeleteFunc(o.waiting, func(p *parcel) bool {
		ends := slices.Contains(keys, p.Key)
		if ends {
			o.bytes -= p.weight()
		}
		return ends
	})
	for _, p := range o.leaving {
		p.withdrawn = p.withdrawn || slices.Contains(keys, p.Key)
	}
}
