package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"regtok/providers/all"
)

// Steps is how many events each new token has to bring, by the thresholds and the rotation policy in a plan's settings.
const Steps = 3

// RunEvents loads replicas by the plan with subscribers that drop and resume at random, while tokens are created whose end is
// near, and replicas and Redis are killed. The test fails where what a subscriber heard is not the log, event by event, and
// where the log lacks a step of a token whose creation was acknowledged.
func RunEvents(t testing.TB, plan Plan, subscribers int) {
	w := newWorld(t, plan)
	w.start()
	w.findRegistries()
	c := newClient(w.replicas)
	defer c.http.CloseIdleConnections()

	listening, hush := context.WithCancel(t.Context())
	var heard atomic.Int64
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	listeners := make([]*listener, subscribers)
	var running sync.WaitGroup
	for i := range listeners {
		listeners[i] = &listener{
			replicas: w.replicas, http: &http.Client{Transport: transport}, socket: i%2 == 0, stay: plan.For / 4, count: func() { heard.Add(1) },
		}
		running.Go(func() { listeners[i].run(listening) })
	}
	created := w.createWhile(c, w.disturb)
	w.until("each step of each token is told", func() string { return lacking(created, c.log(t)) })
	log := c.log(t)
	w.until("everybody heard everything", func() string {
		if got, want := heard.Load(), int64(len(log)*subscribers); got < want {
			return fmt.Sprintf("%d of %d", got, want)
		}
		return ""
	})
	hush()
	running.Wait()
	cuts := 0
	for i, l := range listeners {
		cuts += l.cuts
		if diff := differs(l.heard, log); diff != "" {
			t.Errorf("subscriber %d (WebSocket: %v): %s", i, l.socket, diff)
		}
	}
	t.Logf("%d events of %d tokens, %d kills, %d times nobody was there for one of %d subscribers; late: %s",
		len(log), len(created), len(w.kills), cuts, subscribers, w.lateness(listeners))
}

// createWhile creates tokens while something is done, and returns the ids of those that were acknowledged.
func (w *world) createWhile(c *client, do func()) []string {
	ctx, stop := context.WithCancel(w.t.Context())
	var creating sync.WaitGroup
	var mu sync.Mutex
	var ids []string
	for _, driver := range all.Drivers() {
		one := &writer{account: driver.Name, client: c, pool: w.pool, figures: w.figures}
		pace := rate.NewLimiter(rate.Limit(w.plan.Writes[driver.Name]/60), 4)
		creating.Go(func() {
			for pace.Wait(ctx) == nil {
				input := map[string]any{"registryId": w.pool.pick(driver.Name).Registry, "name": fmt.Sprint(mark, w.pool.number())}
				var done struct{ Token tokenShown }
				if one.write(context.WithoutCancel(ctx), "create", createToken, input, &done).outcome == acknowledged {
					mu.Lock()
					ids = append(ids, done.Token.ID)
					mu.Unlock()
				}
			}
		})
	}
	do()
	stop()
	creating.Wait()
	return ids
}

// log is what the query tells of all events; nil: it cannot be asked now.
func (c *client) log(t testing.TB) []step {
	const query = `query ($after: EventCursor) { tokenExpiryEvents(first: 100, after: $after) {
	  nodes { id kind cursor occurredAt subject { tokenId } } pageInfo { hasNextPage endCursor } gap { reason } } }`
	var events []step
	after := ""
	for {
		got, _, _, _, err := c.ask(t.Context(), question{query: query, variables: map[string]any{"after": after}})
		var page struct {
			Nodes    []step
			PageInfo struct {
				HasNextPage bool
				EndCursor   string
			}
			Gap json.RawMessage
		}
		if err != nil || !got.into("tokenExpiryEvents", &page) {
			return nil
		}
		if string(page.Gap) != "null" {
			t.Errorf("the log has a gap: %s", page.Gap)
		}
		events = append(events, page.Nodes...)
		if !page.PageInfo.HasNextPage {
			return events
		}
		after = page.PageInfo.EndCursor
	}
}

// lacking says which token's steps are not told; empty: none.
func lacking(tokens []string, log []step) string {
	steps := map[string]int{}
	for _, e := range log {
		steps[e.Subject.TokenID]++
	}
	for _, id := range tokens {
		if steps[id] != Steps {
			return fmt.Sprintf("%d steps of %s, want %d", steps[id], id, Steps)
		}
	}
	if len(tokens) == 0 {
		return "no token was created"
	}
	return ""
}

// differs says where what was heard is not the log; empty: nowhere.
func differs(heard, log []step) string {
	for i := range max(len(heard), len(log)) {
		switch {
		case i >= len(heard):
			return fmt.Sprintf("it misses the last %d events", len(log)-i)
		case i >= len(log):
			return fmt.Sprintf("it heard %+v after the last event", heard[i])
		case heard[i].ID != log[i].ID:
			return fmt.Sprintf("event %d is %+v, want %+v", i, heard[i], log[i])
		}
	}
	return ""
}

// lateness tells how long after its step each event was heard, apart for those that were due while something was dead.
func (w *world) lateness(listeners []*listener) string {
	const calm = "while all lived"
	late := map[string][]time.Duration{}
	for _, l := range listeners {
		for _, e := range l.heard {
			when := calm
			for _, k := range w.kills {
				if e.at.After(k.at) && e.OccurredAt.Before(k.back.Add(time.Second)) {
					when = "while " + k.kind() + " was dead"
				}
			}
			late[when] = append(late[when], e.at.Sub(e.OccurredAt))
		}
	}
	// Two seconds are promised where nothing is dead; a machine that does much else gets some more.
	if most := 10 * time.Second; len(late[calm]) > 0 && percentile(late[calm], 0.99) > most {
		w.t.Errorf("%s: 99%% of the events were heard within %v, want %v", calm, percentile(late[calm], 0.99), most)
	}
	var parts []string
	for _, when := range slices.Sorted(maps.Keys(late)) {
		parts = append(parts, when+" "+spread(late[when]))
	}
	return strings.Join(parts, "; ")
}

func spread(all []time.Duration) string {
	return fmt.Sprintf("%d, half within %v, 99%% within %v, all within %v", len(all), percentile(all, 0.5), percentile(all, 0.99), percentile(all, 1))
}
