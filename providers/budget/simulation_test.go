package budget

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"regtok/providers"
)

// plan is one story of some processes and a provider.
type plan struct {
	seed      uint64
	tells     bool
	floors    bool
	lossy     bool
	alone     bool // nothing is shared
	limit     int
	processes int
	latency   time.Duration
	workers   int
	pause     time.Duration
	minutes   int
	events    []event
}

// event befalls a process, or all.
type event struct {
	after time.Duration
	kind  string
	who   int
	lasts time.Duration
}

func plans(kinds ...string) *rapid.Generator[plan] {
	return rapid.Custom(func(t *rapid.T) plan {
		p := plan{
			seed:      rapid.Uint64().Draw(t, "seed"),
			tells:     rapid.Bool().Draw(t, "tells"),
			floors:    rapid.Bool().Draw(t, "floors"),
			lossy:     rapid.Bool().Draw(t, "lossy"),
			limit:     rapid.SampledFrom([]int{5, 20, 50, 200}).Draw(t, "limit"),
			processes: rapid.IntRange(1, 5).Draw(t, "processes"),
			latency:   rapid.SampledFrom([]time.Duration{0, 20 * time.Millisecond, 300 * time.Millisecond, 4 * time.Second}).Draw(t, "latency"),
			workers:   rapid.IntRange(1, 8).Draw(t, "workers"),
			pause:     rapid.SampledFrom([]time.Duration{0, 500 * time.Millisecond, 10 * time.Second}).Draw(t, "pause"),
			minutes:   rapid.IntRange(2, 4).Draw(t, "minutes"),
		}
		if len(kinds) == 0 {
			return p
		}
		if slices.Contains(kinds, "outage") {
			p.processes = min(p.processes, p.limit-2) // fewer than the limit by so many that the record promises it
		}
		for range rapid.IntRange(0, 5).Draw(t, "events") {
			p.events = append(p.events, event{
				after: time.Duration(rapid.IntRange(0, 60_000).Draw(t, "after")) * time.Millisecond,
				kind:  rapid.SampledFrom(kinds).Draw(t, "kind"),
				who:   rapid.IntRange(0, p.processes-1).Draw(t, "who"),
				lasts: time.Duration(rapid.IntRange(10, 66_000).Draw(t, "lasts")) * time.Millisecond,
			})
		}
		return p
	})
}

// world is a plan that is under way.
type world struct {
	plan
	up     *strict
	memory *memory
	all    []*process
	random *rand.Rand
	wg     sync.WaitGroup
}

func (w *world) start(shared bool) *process {
	ctx, kill := context.WithCancel(context.Background())
	p := &process{link: &link{to: w.memory}, up: w.up, ctx: ctx, kill: kill, latency: w.latency, lossy: w.lossy, wg: &w.wg}
	config := Config{Key: "account"}
	if shared {
		config.Shared = p.link
	}
	if !w.tells {
		config.Start = []providers.Limit{{Scope: "contract", Limit: w.limit, Reset: time.Minute}}
	}
	p.Budget = New(config)
	for i := range w.workers {
		p.work(rand.New(rand.NewPCG(w.seed, w.random.Uint64())), providers.Priority(i%3-1), w.pause)
	}
	return p
}

// play lets the story happen, and returns the provider.
func play(t *testing.T, p plan) *world {
	w := &world{plan: p, random: rand.New(rand.NewPCG(p.seed, 1)), memory: newMemory()}
	synctest.Test(t, func(*testing.T) {
		w.up = &strict{tells: p.tells, floors: p.floors, limit: p.limit, length: time.Minute}
		time.Sleep(time.Duration(w.random.IntN(1e9)))
		for range p.processes {
			w.all = append(w.all, w.start(!p.alone))
			time.Sleep(time.Duration(w.random.IntN(2e9)))
		}
		end := time.Now().Add(time.Duration(p.minutes) * time.Minute)
		for _, e := range p.events {
			time.Sleep(e.after)
			w.happen(e)
		}
		time.Sleep(time.Until(end))
		for _, p := range w.all {
			p.kill()
		}
		w.wg.Wait()
		for _, p := range w.all {
			p.Close()
		}
	})
	return w
}

// reunion is how long those who could not reach each other have until the next trouble. Without it, one after another would
// be an absence of more than goneAfter, after which refusals are possible: the record tells so.
const reunion = 5 * time.Second

func (w *world) happen(e event) {
	p := w.all[e.who%len(w.all)]
	switch e.kind {
	case "flush":
		w.memory.become(w.memory.server, w.memory.ahead, map[string][]byte{})
	case "restore":
		old := w.memory.copy()
		time.Sleep(e.lasts / 30)
		w.memory.become("restored"+e.lasts.String(), w.memory.ahead, old)
	case "fail over":
		old := w.memory.copy()
		time.Sleep(time.Second)
		w.memory.become("other"+e.lasts.String(), w.memory.ahead+e.lasts/3-10*time.Second, old)
	case "clock":
		w.memory.set((e.lasts - 33*time.Second) * time.Duration(1+e.who*60))
	case "outage":
		for _, p := range w.all {
			p.link.set(true, false)
		}
		time.Sleep(e.lasts)
		for _, p := range w.all {
			p.link.set(false, false)
		}
		time.Sleep(reunion)
	case "cut off":
		p.link.set(true, false)
		time.Sleep(e.lasts)
		p.link.set(false, false)
		time.Sleep(reunion)
	case "lose answers":
		p.link.set(false, true)
		time.Sleep(e.lasts)
		p.link.set(false, false)
		time.Sleep(reunion)
	case "kill":
		p.kill()
		p.link.set(true, false)
		time.Sleep(e.lasts / 30)
		w.all = append(w.all, w.start(true))
	}
}

func (w *world) check(t *rapid.T) {
	if w.up.refused > 0 {
		t.Errorf("%d requests were refused, %d served", w.up.refused, w.up.served)
	}
	most := max(1, w.limit*4/10)
	if w.lossy {
		// Where an answer is lost at the seam of two windows, nobody knows in which of them its request counts. The share
		// is no limit of the provider's, so one more does no harm.
		most++
	}
	if w.up.mostSwept > most {
		t.Errorf("%d requests of a window were sweeps, want %d at the most", w.up.mostSwept, most)
	}
}

func TestOneProcessIsNeverRefused(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := plans().Draw(rt, "plan")
		p.processes, p.alone = 1, true
		play(t, p).check(rt)
	})
}

func TestReplicasAreNeverRefused(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { play(t, plans().Draw(rt, "plan")).check(rt) })
}

func TestReplicasInTroubleAreNeverRefused(t *testing.T) {
	for _, kind := range []string{"kill", "flush", "restore", "fail over", "clock", "cut off", "lose answers", "outage"} {
		t.Run(kind, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { play(t, plans(kind).Draw(rt, "plan")).check(rt) })
		})
	}
}
