package activity

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"regtok/eventlog"
	"regtok/eventlog/logtest"
	"regtok/providers"
	"regtok/redistest"
)

var theRegistry = providers.OrganizationID("provider", "organization").RegistryID("registry")

// event is the nth of many.
func event(n int) Event {
	kind := Kinds()[n%len(Kinds())]
	e := Event{
		ID: eventlog.NewID(idKind, []byte(fmt.Sprint(n))), Kind: kind, OccurredAt: time.Date(2030, 1, 1, 0, n, 0, 0, time.UTC), Actor: "ada",
		Subject: eventlog.Subject{Token: theRegistry.TokenID(fmt.Sprint("token ", n%2)), Name: "name", RegistryName: "acme", CreatedBy: "Ada"},
	}
	switch kind {
	case Changed:
		e.Changed = []providers.TokenField{providers.FieldName, providers.FieldScopes}
	case Rotated:
		e.RotatedTo = theRegistry.TokenID("next")
	}
	return e
}

func number(e *Event) int {
	return int(e.OccurredAt.Sub(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)) / time.Minute)
}

// kind is what the suite of every log needs to know of these events.
func kind() logtest.Kind[Event] {
	strange := event(7)
	strange.Actor, strange.Subject.Name = "oidc: <ü> \u2028 \x00", "ümläut <&> \u2028 \x00 'quoted' {}"
	var broken []Event
	for _, spoil := range []func(*Event){
		func(e *Event) { e.ID = "x" },
		func(e *Event) { e.Kind = "RENEWED" },
		func(e *Event) { e.Actor = "\xff" },
		func(e *Event) { e.Changed = []providers.TokenField{providers.FieldScopes, providers.FieldName} },
		func(e *Event) { e.Changed = []providers.TokenField{"SECRET"} },
		func(e *Event) { e.RotatedTo = theRegistry.TokenID("next") },
		func(e *Event) { e.Subject.Token = theRegistry },
		func(e *Event) { e.OccurredAt = e.OccurredAt.Add(time.Microsecond) },
	} {
		e := event(1)
		spoil(&e)
		broken = append(broken, e)
	}
	return logtest.Kind[Event]{Codec: Codec(), Event: event, Number: number, Strange: strange, Broken: broken}
}

func TestTheLogInMemory(t *testing.T) {
	logtest.Run(t, kind(), func(t *testing.T, run func(*testing.T, logtest.World[Event])) {
		synctest.Test(t, func(t *testing.T) {
			const most = 1000
			log := NewMemory(most, 0)
			run(t, logtest.World[Event]{
				Connect: func() eventlog.Log[Event] { return log },
				Forget: func() {
					for n := range most {
						if _, err := log.Append(t.Context(), []Event{event(10_000 + n)}); err != nil {
							t.Fatal(err)
						}
					}
				},
				Wait: time.Sleep,
			})
			log.Close()
		})
	})
}

// client is one as the program makes it.
func client(t testing.TB, server *redistest.Server) redis.UniversalClient {
	options := server.Options()
	options.ContextTimeoutEnabled = true
	c := redis.NewClient(options)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestTheLogInRedis(t *testing.T) {
	server := redistest.Start(t)
	meddler := client(t, server)
	var count atomic.Int32
	logtest.Run(t, kind(), func(t *testing.T, run func(*testing.T, logtest.World[Event])) {
		prefix := fmt.Sprintf("test %d:", count.Add(1))
		connect := func(retention time.Duration) eventlog.Log[Event] {
			log := NewRedis(client(t, server), prefix, retention)
			log.Timeout = 10 * time.Second
			t.Cleanup(log.Close)
			return log
		}
		run(t, logtest.World[Event]{
			Connect: func() eventlog.Log[Event] { return connect(0) },
			Forget: func() {
				forgetful := connect(time.Nanosecond)
				begin := meddler.Time(t.Context()).Val()
				for meddler.Time(t.Context()).Val().Sub(begin) < 2*time.Millisecond {
					continue
				}
				for n := range 5 { // what comes in the last millisecond stays
					if _, err := forgetful.Append(t.Context(), []Event{event(10_000 + n)}); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := connect(0).Append(t.Context(), []Event{event(20_000), event(20_001)}); err != nil {
					t.Fatal(err)
				}
			},
			Lose: func() {
				meddler.Del(t.Context(), prefix+"1:{activity}:log", prefix+"1:{activity}:ids", prefix+"1:{activity}:life")
			},
			Wait: func(d time.Duration) { <-time.After(d) },
		})
	})
}

func TestEventsComeOutAsTheyWentIn(t *testing.T) {
	for n := range 10 {
		e := event(n)
		text := Codec().Encode(&e)
		got, err := Codec().Decode(text)
		if diff := cmp.Diff(got, e, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%s: %v, got - want +\n%s", text, err, diff)
		}
		for _, bad := range []string{"", "null", string(text) + "{}", strings.Replace(string(text), `"v":1`, `"v":2`, 1), strings.Replace(string(text), `{"v"`, `{"x":1,"v"`, 1)} {
			if got, err := Codec().Decode([]byte(bad)); err == nil {
				t.Errorf("%q was read as %+v", bad, got)
			}
		}
	}
}

func FuzzDecodeEvent(f *testing.F) {
	for n := range 5 {
		e := event(n)
		f.Add(Codec().Encode(&e))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := Codec().Decode(text)
		if err == nil && (!Codec().Whole(&e) || !bytes.Equal(Codec().Encode(&e), text)) {
			t.Errorf("%s was read as %+v", text, e)
		}
	})
}
