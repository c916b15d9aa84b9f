package expiry

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

// still is a source whose token never changes.
type still struct{ reading Reading }

func (s still) Look(_ context.Context, registry providers.ID, since time.Time) (List, error) {
	s.reading.At = since.Add(time.Minute) // it was asked for by the clock of whoever asks
	return List{Registry: registry, At: s.reading.At, Tokens: []Reading{s.reading}}, nil
}

// TestAClockThatIsSetTellsNothingTwice sets the clock of a watcher forward, back, and right.
func (s still) RegistryName(context.Context, providers.ID) string {
	return s.reading.Subject.RegistryName
}

func TestAClockThatIsSetTellsNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wrong atomic.Int64 // how far the clock is ahead
		now := func() time.Time { return time.Now().Add(time.Duration(wrong.Load())) }
		begin := time.Now()
		source := still{Reading{At: begin, Subject: Subject{Token: theToken, Name: "t"}, Due: begin.Add(10 * time.Hour), Source: ByPolicy}}
		log := NewMemory(0, 0)
		w := NewWatcher(Watched{Rule: NewRule(Settings{Thresholds: []time.Duration{8 * time.Hour, 2 * time.Hour}}), Index: NewMemoryIndex(), Log: log})
		w.now = now
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { w.Run(ctx, source) })
		defer running.Wait()
		defer cancel()
		w.Tell(List{Registry: theToken.OfRegistry(), At: begin, Tokens: []Reading{source.reading}})
		told := func(want ...string) {
			t.Helper()
			time.Sleep(2 * alone) // a clock that is set is noticed by then
			synctest.Wait()
			page, err := log.Read(t.Context(), "", 10)
			var got []string
			for _, e := range page.Entries {
				got = append(got, string(e.Event.Kind)+" "+e.Event.Threshold.String())
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%v after the start, with a clock that is %v ahead: told %v, %v; want %v",
					time.Since(begin), time.Duration(wrong.Load()), got, err, want)
			}
		}
		told()
		wrong.Store(int64(3 * time.Hour))
		told("THRESHOLD 8h0m0s") // early, by a clock that is wrong
		wrong.Store(int64(-24 * time.Hour))
		told("THRESHOLD 8h0m0s")
		wrong.Store(0)
		time.Sleep(3 * time.Hour)
		told("THRESHOLD 8h0m0s")
		time.Sleep(8 * time.Hour)
		told("THRESHOLD 8h0m0s", "THRESHOLD 2h0m0s", "EXPIRED 0s")
	})
}
