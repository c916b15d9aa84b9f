package budget

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

// burst lets one take all that it may before any of it is answered, as often as it may within that time, and returns how
// many requests it sent.
func (c *cast) burst(who int, d time.Duration) int {
	c.t.Helper()
	n := 0
	for end := time.Now().Add(d); time.Now().Before(end); {
		var held []*Ticket
		ticket, wait := c.all[who].Take(c.t.Context(), Request{Priority: providers.Writing})
		for ; ticket != nil; ticket, wait = c.all[who].Take(c.t.Context(), Request{Priority: providers.Writing}) {
			held = append(held, ticket)
		}
		for _, ticket := range held {
			ticket.Settle(c.up.count(Request{}, false))
		}
		n += len(held)
		time.Sleep(min(wait, time.Second))
	}
	return n
}

// isAlone tells whether one cannot reach the others.
func (c *cast) isAlone(who int) bool {
	b := c.all[who]
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state.alone != nil
}

// promised is how many requests one may send without a word.
func (c *cast) promised(who int) int {
	b := c.all[who]
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.peers.promised
}

// returns lets one reach the others again, and waits until it has.
func (c *cast) returns(who int) {
	c.t.Helper()
	c.cut(who, false)
	for tries := 0; c.isAlone(who); tries++ {
		if tries > 100 {
			c.t.Fatal("one that can reach the others again is still alone after 10 s")
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// begin lets all spend so much, and waits until each has heard of it.
func (c *cast) begin(used int) {
	c.t.Helper()
	c.spend(used)
	time.Sleep(2 * beatEvery)
}

func (c *cast) wantNoneRefused() {
	c.t.Helper()
	if c.up.refused > 0 {
		c.t.Errorf("%d requests were refused", c.up.refused)
	}
}

func TestWhatOneSentAloneCountsForTheOthersWhenItIsBack(t *testing.T) {
	for name, of := range map[string]struct {
		tells bool
		lose  bool // no answer comes to what is sent alone
	}{"told": {true, false}, "told, and lost": {true, true}, "not told": {false, false}, "not told, and lost": {false, true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := share(t, 2, 50, of.tells)
				c.begin(4)
				c.cut(0, true)
				sent := 0
				for end := time.Now().Add(3 * time.Second); time.Now().Before(end); {
					ticket, wait := c.all[0].Take(t.Context(), Request{Priority: providers.Writing})
					if ticket == nil {
						time.Sleep(min(wait, time.Second))
						continue
					}
					a := c.up.count(Request{}, false)
					if sent++; of.lose {
						ticket.Lost()
						continue
					}
					ticket.Settle(a)
				}
				if sent == 0 {
					t.Error("one that is alone sent nothing")
				}
				c.returns(0)
				c.burst(1, 20*time.Second)
				c.wantNoneRefused()
			})
		})
	}
}

func TestOneThatIsBackTellsOfItsOwnRequestsOnly(t *testing.T) {
	known := sent{origin: 1, id: 1, until: 70 * second}
	lost, others := sent{origin: 1, id: 2, until: 70 * second}, sent{origin: 2, id: 3}
	s := &state{sent: []sent{known}}
	s.rejoin(&state{sent: []sent{known, lost, others}}, 1) // what the others had under way may be settled by now
	if diff := cmp.Diff([]sent{known, lost}, s.sent, cmp.AllowUnexported(sent{})); diff != "" {
		t.Errorf("requests that count (-want +got):\n%s", diff)
	}
}

func TestOneThatIsAloneSendsNoMoreAtFirstThanItWasPromised(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := assemble(t, 2)
		c.begin(4)
		c.cut(0, true)
		time.Sleep(10 * time.Millisecond) // for what was on its way
		most := c.promised(0)
		if got := c.burst(0, quietFor-beatEvery-time.Second); got > most || got == 0 {
			t.Errorf("%d requests were sent, want some and no more than the %d that were promised", got, most)
		}
		c.burst(1, time.Second)
		c.wantNoneRefused()
	})
}

func TestOneThatIsAloneHasAPartOnceTheOthersHaveNoticed(t *testing.T) {
	p := &peers{synced: 10 * second, base: &state{members: make([]member, 4)}}
	for taken, want := range map[moment]int{16 * second: 0, 17 * second: (50-10)/4 - 1} {
		s := &state{alone: p.begin(12 * second)}
		s.settle(18*second, sent{id: 1, taken: taken}, tell(10, time.Minute), rules{})
		if got := s.windows[0].part; got != want {
			t.Errorf("told by a request of %v: its part is %d, want %d", time.Duration(taken), got, want)
		}
	}
}

func TestOneThatIsMissingIsLeftWhatItMaySend(t *testing.T) {
	m := member{seen: 10 * second, may: 8, among: 4}
	for _, test := range []struct {
		now, asked moment
		want       int
	}{
		{14 * second, 14 * second, 8},
		{15 * second, 14 * second, 8 + 9}, // what it was promised, and its part
		{20 * second, 16 * second, 8 + 9},
		{20 * second, 17 * second, 10}, // what it was promised is told, or void
	} {
		w := window{limit: 50, used: 10, asked: test.asked}
		if got := m.keeps(test.now, &w); got != test.want {
			t.Errorf("at %v, told at %v: %d are left to it, want %d",
				time.Duration(test.now), time.Duration(test.asked), got, test.want)
		}
	}
}

func TestOneThatWasAloneForLongAsksBeforeItGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := assemble(t, 2)
		c.begin(4)
		c.cut(0, true)
		c.cut(1, true)
		time.Sleep(goneAfter + 5*time.Second)
		if got, want := c.burst(1, 5*time.Second), 10; got < want {
			t.Errorf("one that is alone sent %d requests, want %d", got, want)
		}
		c.returns(0)
		if got, want := c.burst(0, 5*time.Second), 10; got < want {
			t.Errorf("one that is back sent %d requests, want %d", got, want)
		}
		c.wantNoneRefused()
	})
}

func TestAnOlderStateIsNotBelieved(t *testing.T) {
	for _, test := range []struct {
		name, server string
		writes       uint64
		want         bool
	}{
		{"as new", "a", 11, true},
		{"older", "a", 10, false},
		{"another server's", "b", 11, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := New(Config{Key: "account", Shared: newMemory()})
			defer b.Close()
			b.mu.Lock()
			defer b.mu.Unlock()
			p := b.peers
			p.base = &state{server: "a", lineage: 1, writes: 11, verified: true}
			found := &state{server: "a", lineage: 1, writes: test.writes, verified: true}
			p.meet(Present{Value: p.write(found), Server: test.server, Now: time.Now()}, time.Now())
			if got := p.base.verified; got != test.want {
				t.Errorf("%s: believed = %v, want %v", test.name, got, test.want)
			}
		})
	}
}
