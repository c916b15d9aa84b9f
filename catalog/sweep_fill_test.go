package catalog

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

// TestReadersWhoHaveOldDataDoNotHoldUpAFirstFill: 120 lists at a share of 20 requests a minute take six minutes, though
// each list that is kept is read all the time, and older than it is to be.
func TestReadersWhoHaveOldDataDoNotHoldUpAFirstFill(t *testing.T) {
	took := map[int]time.Duration{}
	for _, readers := range []int{0, 3} {
		t.Run(fmt.Sprint(readers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u, j := strict(t, 120), &journal{}
				c := newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}, SweepShare: 0.4, Log: j.log()})
				began := time.Now()
				sweeping(t, c)
				ctx, stop := context.WithCancel(t.Context())
				var reading sync.WaitGroup
				for range readers {
					reading.Go(func() { readOnes(ctx, t, c) })
				}
				for j.lines("the inventory is complete") == 0 && time.Since(began) < time.Hour {
					time.Sleep(time.Second)
				}
				took[readers] = time.Since(began)
				renewed := u.requests() - 122 // one for each list
				stop()
				reading.Wait()
				if readers > 0 && renewed <= 0 {
					t.Error("nothing was renewed for readers")
				}
			})
		})
	}
	if took[3] > took[0]+took[0]/20 {
		t.Errorf("the first fill took %v, and %v with readers", took[0], took[3])
	}
}

// readOnes reads lists of single registries that are kept, as whoever looks at one does, until ctx ends.
func readOnes(ctx context.Context, t *testing.T, c *Catalog) {
	for paused(ctx, time.Duration(rand.IntN(1000))*time.Millisecond) {
		kept := map[providers.ID]bool{}
		for _, token := range tokensOf(t, c, TokenFilter{}).Items {
			kept[token.ID.OfRegistry()] = true
		}
		for registry := range kept {
			c.TokenLists(ctx, []providers.ID{registry})
		}
	}
}
