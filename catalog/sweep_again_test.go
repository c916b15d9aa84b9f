package catalog

import (
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache/cachetest"
)

// TestWhatIsForgottenIsReadAgainFirst has the store that replicas share lose what it knew, while a sweep reads a list in a
// minute. What is old, or missing, until then is read at the pace of a first fill.
func TestWhatIsForgottenIsReadAgainFirst(t *testing.T) {
	for name, forget := range map[string]func(*cachetest.Memory){
		"it begins another run": (*cachetest.Memory).Restart,
		"it is flushed":         (*cachetest.Memory).Flush,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, o, s, j := cachetest.NewMemory(), newBureau(), newGrid("p", 60, 1), &journal{}
				var c [2]*Catalog
				for i := range c {
					c[i] = replica(t, m, Options{
						Accounts: []*Account{fingerprinted(s, "x")}, Ledger: o.desk(), SweepShare: 0.4, SweepEvery: time.Hour, Log: j.log(),
					})
				}
				sweeping(t, c[0])
				time.Sleep(3 * time.Minute)
				tokensOf(t, c[1], TokenFilter{})
				forget(m)
				s.requests()
				// Its turn is once in a minute, and then a list is read each second.
				time.Sleep(2*time.Minute + 10*time.Second)
				if sent := s.requests()["tokens"]; sent != 60 {
					t.Errorf("%d lists were read again, want each once", sent)
				}
				for i := range c {
					if list := tokensOf(t, c[i], TokenFilter{}); len(list.Items) != 60 || len(list.Unavailable) > 0 || !list.Items[0].StaleSince.IsZero() {
						t.Errorf("replica %d has %d tokens, since %v, and lacks %+v", i, len(list.Items), list.Items[0].StaleSince, list.Unavailable)
					}
				}
				if j.lines("the inventory is to be read again") != 1 || j.lines("the inventory is complete") != 2 {
					t.Errorf("the log says %s", j.text.String())
				}
				if more := s.requests(); len(more) > 0 {
					t.Errorf("readers sent %v", more)
				}
			})
		})
	}
}
