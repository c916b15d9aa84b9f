package soak

import (
	"slices"
	"time"
)

// killed is one thing that was killed.
type killed struct {
	what     string
	at, back time.Time
	swept    map[string]logLine // by provider: the sweeps that ended with it
}

// kind is what was killed, of whatever name.
func (k killed) kind() string {
	if k.swept == nil {
		return k.what
	}
	return "a replica"
}

// disturb kills one thing after the other, as kill -9 does, and starts it again, spread over the length of the load.
// It returns when the load has lasted that long.
func (w *world) disturb() {
	start, every := time.Now(), w.plan.For/time.Duration(w.plan.Kills+1)
	for i := range w.plan.Kills {
		w.wait(start.Add(time.Duration(i+1) * every))
		kill, restart, one := w.victim(i)
		one.at = time.Now()
		kill()
		w.wait(time.Now().Add(min(every/4, 5*time.Second)))
		if err := restart(); err != nil {
			w.t.Error(err)
		}
		one.back = time.Now()
		w.kills = append(w.kills, one)
	}
	w.wait(start.Add(w.plan.For))
}

// victim is what is killed at turn i: who sweeps, Redis, somebody else.
func (w *world) victim(i int) (kill func(), restart func() error, one killed) {
	if i%3 == 1 {
		return w.redis.Stop, func() error { w.redis.Restart(); return nil }, killed{what: "Redis"}
	}
	sweeper := w.journal.sweeper()
	at := slices.IndexFunc(w.replicas, func(r *replica) bool { return (r.name == sweeper) == (i%3 == 0) })
	r := w.replicas[max(at, 0)]
	return r.kill, r.start, killed{what: r.name, swept: w.journal.swept(r.name)}
}

// unswept says which sweep did not go on after its replica was killed; empty: none.
func (w *world) unswept() string {
	for _, k := range w.kills {
		for provider, ended := range k.swept {
			if _, again := w.journal.next(ended); !again {
				return "nobody sweeps " + provider + " since " + k.what + " was killed"
			}
		}
	}
	return ""
}

// wait returns then, or when the test is over.
func (w *world) wait(then time.Time) {
	timer := time.NewTimer(time.Until(then))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.t.Context().Done():
	}
}
