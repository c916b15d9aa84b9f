package budget

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatReplicasShareStaysSmallHoweverLongTheyUseIt(t *testing.T) {
	for _, of := range []struct {
		name  string
		tells bool
		most  int
	}{{"told", true, 500}, {"nothing is told", false, 6000}} {
		t.Run(of.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := share(t, 4, 600, of.tells)
				largest := 0
				for range int(10 * time.Minute / time.Second) { // nothing counts for longer than a minute and a little
					for who := range c.all {
						c.try(who, 0, 0)
					}
					largest = max(largest, len(c.shared.copy()["account"]))
					time.Sleep(time.Second)
				}
				if c.up.served < 1_500 {
					t.Errorf("%d requests were served, want 4 a second", c.up.served)
				}
				if largest > of.most {
					t.Errorf("what is shared was up to %d bytes, want %d", largest, of.most)
				}
			})
		})
	}
}
