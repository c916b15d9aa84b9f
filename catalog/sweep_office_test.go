package catalog

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache/cachetest"
	"regtok/ledger"
	"regtok/providers"
)

// bureau has the offices of a ledger that several processes share.
type bureau struct {
	mu     sync.Mutex
	holder map[string]*desk
	until  map[string]time.Time
	last   uint64 // term
}

func newBureau() *bureau {
	return &bureau{holder: map[string]*desk{}, until: map[string]time.Time{}}
}

// desk is that ledger as one process reaches it, or does not.
type desk struct {
	*ledger.Memory
	all *bureau

	mu  sync.Mutex
	err error // of every call
}

func (o *bureau) desk() *desk { return &desk{Memory: ledger.NewMemory(), all: o} }

// cut makes every call fail; nil: no more.
func (d *desk) cut(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func (d *desk) failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// Lead implements ledger.Ledger.
func (d *desk) Lead(_ context.Context, office string, life time.Duration) (uint64, bool, error) {
	if err := d.failure(); err != nil {
		return 0, false, err
	}
	return d.all.lead(d, office, life)
}

func (o *bureau) lead(d *desk, office string, life time.Duration) (uint64, bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	switch held := now.Before(o.until[office]); {
	case held && o.holder[office] != d:
		return 0, false, nil
	case !held:
		o.last++
	}
	o.holder[office], o.until[office] = d, now.Add(life)
	return o.last, true, nil
}

// Resign implements ledger.Ledger.
func (d *desk) Resign(_ context.Context, office string, term uint64) error {
	if err := d.failure(); err != nil {
		return err
	}
	d.all.mu.Lock()
	defer d.all.mu.Unlock()
	if d.all.holder[office] == d && d.all.last == term {
		delete(d.all.until, office)
	}
	return nil
}

// witness sees whose requests come to a provider.
type witness struct {
	providers.Provider
	mu    sync.Mutex
	terms map[uint64]int // requests for tokens
	odd   int            // of no sweep
}

// Tokens implements providers.Provider.
func (w *witness) Tokens(ctx context.Context, registry providers.ID, page providers.PageRequest) (providers.Page[providers.Token], error) {
	w.mu.Lock()
	if providers.PriorityOf(ctx) == providers.Sweeping && providers.Covered(ctx) {
		w.terms[providers.TermOf(ctx)]++
	} else {
		w.odd++
	}
	w.mu.Unlock()
	return w.Provider.Tokens(ctx, registry, page)
}

func (w *witness) of(term uint64) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.terms[term]
}

// twins are two replicas that sweep a provider of 60 registries, and what each of their requests belongs to.
func twins(t *testing.T) (c [2]*Catalog, d [2]*desk, j [2]*journal, w *witness) {
	t.Helper()
	m, o, s := cachetest.NewMemory(), newBureau(), newGrid("p", 60, 1)
	w = &witness{Provider: s, terms: map[uint64]int{}}
	for i := range c {
		d[i], j[i] = o.desk(), &journal{}
		a := fingerprinted(s, "x")
		a.Provider = w
		c[i] = replica(t, m, Options{Accounts: []*Account{a}, Ledger: d[i], SweepShare: 0.4, SweepEvery: time.Hour, Log: j[i].log()})
	}
	return c, d, j, w
}

func TestOneOfTwoReplicasSweepsAndTheOtherGoesOnWhereItStopped(t *testing.T) {
	for name, end := range map[string]func(stop func(), d *desk){
		"it is stopped": func(stop func(), _ *desk) { stop() },
		"it is cut off": func(_ func(), d *desk) { d.cut(ledger.ErrUnavailable) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, d, j, w := twins(t)
				stops := [2]func(){sweeping(t, c[0]), nil}
				time.Sleep(officeLook)
				stops[1] = sweeping(t, c[1])
				time.Sleep(30 * time.Second)
				first := w.of(1)
				if first < 20 || w.of(2) > 0 || w.odd > 0 || c[0].Swept()[0].Term != 1 || c[1].Swept()[0].Term != 0 {
					t.Fatalf("the terms sent %v, and %d requests were of none", w.terms, w.odd)
				}
				end(stops[0], d[0])
				time.Sleep(15 * time.Second)
				if w.of(2) == 0 || c[1].Swept()[0].Term != 2 {
					t.Errorf("15 s later the other one has sent nothing: %v", w.terms)
				}
				first = w.of(1)
				time.Sleep(time.Minute)
				if w.of(1) != first {
					t.Error("the first one goes on, though it is not its office any more")
				}
				if sent := w.of(1) + w.of(2); sent != 60 {
					t.Errorf("both sent %d requests for the tokens of 60 registries: %v", sent, w.terms)
				}
				if status := c[1].Swept()[0]; status.Registries != 60 || status.Read != 60 || status.Account != c[1].all()[0] || status.Requests >= 60 {
					t.Errorf("the other one is at %+v", status)
				}
				for i := range j {
					if j[i].lines("msg=sweeping") != 1 {
						t.Errorf("replica %d says %s", i, j[i].text.String())
					}
				}
				if j[0].lines("no longer sweeping") != 1 || j[1].lines("the inventory is complete") != 1 {
					t.Errorf("they say %s, %s", j[0].text.String(), j[1].text.String())
				}
			})
		})
	}
}

// slowDesk is a ledger that is silent for as long as a process is paused.
type slowDesk struct {
	*desk
	silent chan struct{} // closed: it speaks
}

// Lead implements ledger.Ledger.
func (d slowDesk) Lead(ctx context.Context, office string, life time.Duration) (uint64, bool, error) {
	if d.failure() != nil {
		<-d.silent
	}
	return d.desk.Lead(ctx, office, life)
}

func TestASweeperWhoseOfficeRanOutSpendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newGrid("p", 600, 1), newBureau()
		d := slowDesk{o.desk(), make(chan struct{})}
		w := &witness{Provider: s, terms: map[uint64]int{}}
		a := s.account("a")
		a.Provider = w
		c := newCatalog(t, Options{Accounts: []*Account{a}, Ledger: d, SweepShare: 0.4})
		sweeping(t, c)
		time.Sleep(time.Minute)
		d.cut(ledger.ErrUnavailable)
		time.Sleep(officeLife + soon)
		sent := w.of(1)
		time.Sleep(time.Minute)
		if sent < 50 || w.of(1) != sent {
			t.Errorf("%d requests were sent after the office ran out", w.of(1)-sent)
		}
		d.cut(nil)
		close(d.silent)
		time.Sleep(10 * time.Second)
		if w.of(1) != sent || w.of(2) == 0 {
			t.Errorf("later the terms have sent %v, want the second to go on", w.terms)
		}
	})
}

func TestNobodySweepsWhileTheLedgerCannotBeReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d, j := newGrid("p", 3, 1), newBureau().desk(), &journal{}
		d.cut(ledger.ErrUnavailable)
		other := newGrid("q", 3, 1)
		c := newCatalog(t, Options{Accounts: []*Account{s.account("a"), other.account("b")}, Ledger: d, SweepShare: 0.4, Log: j.log(), Report: j.report})
		sweeping(t, c)
		time.Sleep(10 * time.Minute)
		if sent := s.requests(); len(sent) > 0 || j.lines("fails") != 2 {
			t.Errorf("requests: %v, told is %s; want none, and that both sweeps fail", sent, j.text.String())
		}
		if list := tokensOf(t, c, TokenFilter{}); len(list.Items) != 6 || len(list.Unavailable) > 0 {
			t.Errorf("meanwhile the list has %d tokens and lacks %+v", len(list.Items), list.Unavailable)
		}
		s.requests()
		d.cut(nil)
		time.Sleep(2 * time.Minute)
		if sent := s.requests(); sent["tokens"] < 3 || j.lines("works again") != 2 {
			t.Errorf("afterwards: requests %v, told is %s", sent, j.text.String())
		}
	})
}

// halfDesk is a ledger that does not answer for one office.
type halfDesk struct {
	*desk
	lost string
}

// Lead implements ledger.Ledger.
func (d halfDesk) Lead(ctx context.Context, office string, life time.Duration) (uint64, bool, error) {
	if err := d.failure(); err != nil && office == d.lost {
		return 0, false, err
	}
	return d.all.lead(d.desk, office, life)
}

func TestAnOfficeThatFailsIsToldOnceAndConcernsItsAccountAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, other, j := newGrid("p", 3, 1), newGrid("q", 3, 1), &journal{}
		lost := s.account("a")
		d := halfDesk{newBureau().desk(), "sweep " + lost.tenant()}
		d.cut(ledger.ErrUnavailable)
		c := newCatalog(t, Options{Accounts: []*Account{lost, other.account("b")}, Ledger: d, SweepShare: 0.4, Log: j.log(), Report: j.report})
		sweeping(t, c)
		time.Sleep(10 * time.Minute)
		if j.lines("fails") != 1 || j.lines("the sweep of p/a fails") != 1 || j.lines("works again") != 0 {
			t.Errorf("told is %s, want one line, of the one account", j.text.String())
		}
		if mine, theirs := s.requests()["tokens"], other.requests()["tokens"]; mine > 0 || theirs < 3 {
			t.Errorf("%d requests of the account, %d of the other one; want none, and a sweep", mine, theirs)
		}
		d.cut(nil)
		time.Sleep(2 * time.Minute)
		if s.requests()["tokens"] < 3 || j.lines("the sweep of p/a works again") != 1 {
			t.Errorf("afterwards told is %s", j.text.String())
		}
	})
}
