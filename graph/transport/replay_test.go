package transport_test

import (
	"testing"
	"time"

	"regtok/graph/transport"
)

func TestWhatWasToldBeforeAStreamBeganIsCountedApart(t *testing.T) {
	late := make(chan bool, 3)
	server, streams := newStreams(t, transport.StreamConfig{Observe: func(lag time.Duration, replayed bool) {
		if replayed != (lag > time.Minute) {
			t.Errorf("what is late by %v counts as replayed: %t", lag, replayed)
		}
		late <- replayed
	}})
	events := follow(t, server.URL+"?query=subscription{count(to:3,old:true)}")
	events.hears(":", begins(0), nextEvent(1))
	for i := range 3 {
		if got := <-late; got != (i == 0) {
			t.Errorf("event %d counts as replayed: %t", i+1, got)
		}
	}
	if got := streams.Stats(); got.Live != 2 || got.Replayed != 1 {
		t.Errorf("%d events came live and %d were of before, want 2 and 1", got.Live, got.Replayed)
	}
}
