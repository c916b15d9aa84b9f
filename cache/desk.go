package cache

import (
	"context"
	"sync"
	"time"
)

// desk is where rights to load are asked for: what is claimed while a call is under way goes together in the next, so that
// a hundred lists that nobody has read yet are a few calls, and all in time.
type desk struct {
	mu      sync.Mutex
	waiting []*claim
	manned  bool // somebody makes the calls
}

// claim is a Claim that a flight waits for.
type claim struct {
	Claim
	claimed Claimed
	asked   bool
	done    chan struct{} // closed when the rest is there
}

// lease tells what there is of the key, and who is to load it. asked is false when the Store could not say. It is called
// by a goroutine that Close waits for.
func (c *Cache) lease(key Key, under Generation, life time.Duration) (found answer, mine bool) {
	began := time.Now()
	claim := &claim{Claim: Claim{Key: key, Generation: under, For: life}, done: make(chan struct{})}
	if manned := c.far.desk.add(claim); !manned {
		c.work.Go(c.claim)
	}
	<-claim.done
	return answer{Found: claim.claimed.Found, asked: claim.asked, at: began}, claim.claimed.Mine
}

// claim asks for what is wanted at the desk, until nothing is.
func (c *Cache) claim() {
	ctx := context.WithoutCancel(c.ctx)
	for {
		claims := c.far.desk.take()
		if len(claims) == 0 {
			return
		}
		c.far.claim(ctx, claims)
	}
}

func (f *far) claim(ctx context.Context, claims []*claim) {
	asked := make([]Claim, len(claims))
	for i, claim := range claims {
		asked[i] = claim.Claim
	}
	var claimed []Claimed
	done := f.call(ctx, f.timeout, f.leases, func(ctx context.Context) (err error) {
		claimed, err = f.store.LeaseMany(ctx, asked)
		return err
	})
	for i, claim := range claims {
		if done && len(claimed) == len(claims) {
			claim.claimed = claimed[i]
			claim.asked = !claimed[i].Away
		}
		close(claim.done)
	}
}

// add tells whether somebody makes the calls; if not, that is the caller's to do.
func (d *desk) add(c *claim) (manned bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting = append(d.waiting, c)
	manned, d.manned = d.manned, true
	return manned
}

// take returns what goes into the next call. When there is nothing, nobody makes calls any more.
func (d *desk) take() []*claim {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := min(len(d.waiting), mostQuestions)
	claims := d.waiting[:n:n]
	d.waiting = d.waiting[n:]
	d.manned = n > 0
	return claims
}
