package expiry_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/eventlog"
	"regtok/expiry"
	"regtok/expiry/expirytest"
	"regtok/providers"
	"regtok/redistest"
)

// replica is what a process has of Redis: connections of its own.
type replica struct {
	client *redis.Client
	log    *eventlog.Redis[expiry.Event]
	*expiry.Watcher
	stop func()
}

func newReplica(t *testing.T, server *redistest.Server, source expiry.Source) *replica {
	r := &replica{client: redis.NewClient(suited(server))}
	r.log = connect(t, r.client, "test:", 0)
	index := expiry.NewRedisIndex(r.client, "test:")
	index.Timeout = 10 * time.Second
	r.Watcher = expiry.NewWatcher(expiry.Watched{
		Rule:  expiry.NewRule(expiry.Settings{Thresholds: []time.Duration{2 * time.Second, time.Second}}),
		Index: index, Log: r.log, Shared: true,
	})
	r.stop = running(t, r.Watcher, source)
	t.Cleanup(r.stop)
	return r
}

// dies ends all that the replica has to do with Redis, wherever it is.
func (r *replica) dies() {
	_ = r.client.Close()
	r.stop()
}

func TestWhenOneOfTwoDiesTheOtherTellsEachStepOnceAndSoDoesOneThatComesLater(t *testing.T) {
	server := redistest.Start(t)
	source := newProvider()
	first, second := newReplica(t, server, source), newReplica(t, server, source)
	begin := time.Now()
	const tokens = 60
	for n := range tokens { // all through a few seconds
		source.has(n, begin.Add(4*time.Second+time.Duration(n)*50*time.Millisecond), expiry.ByPolicy)
	}
	for n := range 3 {
		list := source.list(expirytest.Subject(n).Token.OfRegistry())
		first.Tell(list)
		second.Tell(list)
	}
	// heard are all steps, by token, as a follower hears them that does not depend on either.
	follower := connect(t, redis.NewClient(suited(server)), "test:", 0)
	s, err := follower.Follow("", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	heard, count := map[providers.ID][]string{}, 0
	next := func() {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		update, err := s.Next(ctx)
		if err != nil || update.Gap != nil {
			t.Fatalf("after %d events: %v, %v", count, update, err)
		}
		e := update.Entry.Event
		if early := time.Until(e.OccurredAt); early > 0 {
			t.Errorf("%s %s was told %v too soon", e.Kind, e.Threshold, early)
		}
		count++
		heard[e.Subject.Token] = append(heard[e.Subject.Token], fmt.Sprint(e.Kind, " ", e.Threshold))
	}
	for count < tokens/2 {
		next()
	}
	first.dies()
	for count < 2*tokens {
		next()
	}
	second.dies() // and nobody watches for a moment
	third := newReplica(t, server, source)
	for count < 3*tokens {
		next()
	}
	want := []string{"THRESHOLD 2s", "THRESHOLD 1s", "EXPIRED 0s"}
	for n := range tokens {
		if got := heard[expirytest.Subject(n).Token]; !slices.Equal(got, want) {
			t.Errorf("of token %d was told %v, want %v", n, got, want)
		}
	}
	page, err := third.log.Read(t.Context(), "", 1000)
	if err != nil || len(page.Entries) != 3*tokens {
		t.Errorf("the log has %d events, %v: want %d", len(page.Entries), err, 3*tokens)
	}
}

func TestARedisThatIsAwayForAWhileCostsTimeAndNoStep(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	source := newProvider()
	r := newReplica(t, server, source)
	source.has(1, time.Now().Add(3*time.Second), expiry.ByPolicy)
	r.Tell(source.list(expirytest.Subject(1).Token.OfRegistry()))
	eventually(t, "the token is known", func() bool {
		index := expiry.NewRedisIndex(r.client, "test:")
		n, err := index.Count(t.Context())
		return n == 1 && err == nil
	})
	server.Stop()
	eventually(t, "the watcher notices", func() bool { return r.Figures().Fails })
	source.has(2, time.Now().Add(4*time.Second), expiry.ByPolicy)
	r.Tell(source.list(expirytest.Subject(2).Token.OfRegistry()))
	server.Restart()
	eventually(t, "all is told", func() bool {
		page, err := r.log.Read(t.Context(), "", 100)
		kinds := map[string]int{}
		for _, e := range page.Entries {
			kinds[e.Event.Subject.Name+string(e.Event.Kind)]++
		}
		return err == nil && kinds["name 1EXPIRED"] == 1 && kinds["name 2EXPIRED"] == 1
	})
	eventually(t, "the watcher notices that it works", func() bool { return !r.Figures().Fails })
}
