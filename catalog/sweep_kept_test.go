package catalog

import (
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache/cachetest"
)

// TestWhatIsForgottenIsReadAgainFirst has the store that replicas share lose what it knew, while a sweep has nothing to do
// for a minute, or is in the middle of a first fill. What is old, or missing, until then is read at that pace.
func TestWhatIsForgottenIsReadAgainFirst(t *testing.T) {
	for name, forget := range map[string]func(*cachetest.Memory){
		"it begins another run": (*cachetest.Memory).Restart,
		"it is flushed":         (*cachetest.Memory).Flush,
	} {
		t.Run(name, func(t *testing.T) {
			t.Run("at rest", func(t *testing.T) { forgetting(t, forget, 3*time.Minute, 2*time.Minute+10*time.Second, 60) })
			t.Run("in a first fill", func(t *testing.T) { forgetting(t, forget, 40*time.Second, 70*time.Second, 60) })
		})
	}
}

// forgetting has what replicas share forgotten after some time, and sees how many lists were read some time later, when
// all are there.
func forgetting(t *testing.T, forget func(*cachetest.Memory), after, later time.Duration, reads int) {
	synctest.Test(t, func(t *testing.T) {
		m, o, s, j := cachetest.NewMemory(), newBureau(), newGrid("p", 60, 1), &journal{}
		var c [2]*Catalog
		for i := range c {
			c[i] = replica(t, m, Options{
				Accounts: []*Account{fingerprinted(s, "x")}, Ledger: o.desk(), SweepShare: 0.4, SweepEvery: time.Hour, Log: j.log(),
			})
		}
		sweeping(t, c[0])
		time.Sleep(after)
		if after > time.Minute { // else they would read what the sweep has not
			tokensOf(t, c[1], TokenFilter{})
		}
		filled := s.requests()["tokens"]
		forget(m)
		time.Sleep(later)
		if sent := s.requests()["tokens"]; sent != reads {
			t.Errorf("%d lists were read again after %d, want %d", sent, filled, reads)
		}
		for i := range c {
			if list := tokensOf(t, c[i], TokenFilter{}); len(list.Items) != 60 || len(list.Unavailable) > 0 || !list.Items[0].StaleSince.IsZero() {
				t.Errorf("replica %d has %d tokens, since %v, and lacks %+v", i, len(list.Items), list.Items[0].StaleSince, list.Unavailable)
			}
		}
		if more := s.requests(); len(more) > 0 {
			t.Errorf("readers sent %v", more)
		}
		if (filled == 60) != (j.lines("the inventory is to be read again") == 1) || j.lines("the inventory is complete") == 0 {
			t.Errorf("the log says %s", j.text.String())
		}
	})
}

// TestWhatWritesEndedAndAShortSilenceAreNoReasonToReadEverythingAgain has a few lists ended, and what replicas share silent
// for a moment, while a sweep has nothing to do.
func TestWhatWritesEndedAndAShortSilenceAreNoReasonToReadEverythingAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s, j := cachetest.NewMemory(), newGrid("p", 10, 1), &journal{}
		c := replica(t, m, Options{Accounts: []*Account{fingerprinted(s, "x")}, SweepShare: 0.4, SweepEvery: time.Hour, Log: j.log()})
		sweeping(t, c)
		time.Sleep(3 * time.Minute)
		for _, registry := range []string{"r7", "r8", "r9"} {
			c.cache.Bump(t.Context(), c.seenBy(grid.r0.OfOrganization().RegistryID(registry))...)
		}
		s.requests()
		time.Sleep(2 * time.Minute)
		m.Fail(errDown)
		time.Sleep(90 * time.Second)
		m.Fail(nil)
		time.Sleep(5 * time.Minute)
		if sent := s.requests(); len(sent) > 0 || j.lines("to be read again") > 0 {
			t.Errorf("it sent %v; the log says %s", sent, j.text.String())
		}
	})
}
