package ledger_test

import (
	"errors"
	"maps"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/ledger"
	"regtok/redistest"
)

// places are the keys that a call needs, by a part of them.
var places = map[string][]string{
	"Claim": {"call"}, "Settle": {"call"}, "Release": {"call"}, "Lock": {"lock"},
	"BeginRotation": {"begun"}, "FinishRotation": {"begun", "next", "previous"}, "AbandonRotation": {"begun"},
	"Successors": {"next"}, "Predecessors": {"previous"},
	"Schedule": {"{schedule}:due", "{schedule}:taken"}, "Unschedule": {"{schedule}:due", "{schedule}:taken"},
	"TakeDue": {"{schedule}:due", "{schedule}:taken"}, // and Lead: see TestAnOfficeHealsFromRubbish
}

func TestWhatAnotherWroteIsLeftAlone(t *testing.T) {
	server := redistest.Start(t)
	meddler := server.Client(t)
	for _, c := range allCalls() {
		for _, place := range places[c.name] {
			t.Run(c.name+" finds it in "+place, func(t *testing.T) {
				if err := meddler.FlushAll(t.Context()).Err(); err != nil {
					t.Fatal(err)
				}
				defer fill(t, connect(t, redis.NewClient(suited(server)), "test:"))()
				key := keyOf(t, meddler, place)
				l := connect(t, redis.NewClient(suited(server)), "test:")
				for name, value := range rubbish {
					switch {
					case strings.Contains(place, "schedule"): // a set holds none
						continue
					case strings.HasPrefix(value, `{"v":1,`) && (c.name == "Settle" || c.name == "FinishRotation" || c.name == "Lock"):
						continue // they read no further
					}
					if err := meddler.Set(t.Context(), key, value, 0).Err(); err != nil {
						t.Fatal(err)
					}
					refused(t, "on "+name, c.do(t.Context(), l), "cannot be read")
					if got := meddler.Get(t.Context(), key).Val(); got != value {
						t.Errorf("it made %q of %s", got, name)
					}
				}
				_, err := meddler.TxPipelined(t.Context(), func(p redis.Pipeliner) error {
					p.Del(t.Context(), key)
					p.RPush(t.Context(), key, "canary")
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				before := keyCount(t, meddler)
				refused(t, "on a list", c.do(t.Context(), l), "WRONGTYPE")
				if got := meddler.LRange(t.Context(), key, 0, -1).Val(); len(got) != 1 || keyCount(t, meddler) > before {
					t.Errorf("it made %q of a list, and other keys", got)
				}
			})
		}
	}
}

// An office is taken again at any time, unlike a promise. So rubbish must not keep it for longer than its holder would.
func TestAnOfficeHealsFromRubbish(t *testing.T) {
	server := redistest.Start(t)
	meddler := server.Client(t)
	const life = 50 * time.Millisecond
	values := maps.Clone(rubbish)
	values["a list"] = ""
	for _, place := range []string{"}:holder", "}:term"} {
		for name, value := range values {
			t.Run(name+" in "+place, func(t *testing.T) {
				if err := meddler.FlushAll(t.Context()).Err(); err != nil {
					t.Fatal(err)
				}
				l := connect(t, redis.NewClient(suited(server)), "test:")
				first, _, err := l.Lead(t.Context(), "office", life)
				if err == nil && place == "}:term" { // the holder stays as long as it does
					err = l.Resign(t.Context(), "office", first)
				}
				if err != nil {
					t.Fatal(err)
				}
				key := keyOf(t, meddler, place)
				err = meddler.Set(t.Context(), key, value, 0).Err()
				if name == "a list" {
					err = errors.Join(meddler.Del(t.Context(), key).Err(), meddler.RPush(t.Context(), key, "canary").Err())
				}
				if err != nil {
					t.Fatal(err)
				}
				eventually(t, "the office is taken again", func() bool {
					second, mine, err := l.Lead(t.Context(), "office", life)
					if mine && second <= first {
						t.Errorf("after the term %d comes %d", first, second)
					}
					return mine && err == nil
				})
			})
		}
	}
}

func TestARecordOfALaterVersionHoldsAnOfficeWhileItLasts(t *testing.T) {
	server := redistest.Start(t)
	meddler := server.Client(t)
	l := connect(t, redis.NewClient(suited(server)), "test:")
	if _, _, err := l.Lead(t.Context(), "office", time.Minute); err != nil {
		t.Fatal(err)
	}
	key, later := keyOf(t, meddler, "}:holder"), rubbish["a later version"]
	if err := meddler.Set(t.Context(), key, later, time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_, _, err := l.Lead(t.Context(), "office", time.Minute)
		refused(t, "Lead", err, "cannot be read")
	}
	if got, left := meddler.Get(t.Context(), key).Val(), meddler.PTTL(t.Context(), key).Val(); got != later || left < 30*time.Minute {
		t.Errorf("it made %q of it, for %s more", got, left)
	}
}

// rubbish is what is no record of this version.
var rubbish = map[string]string{
	"no JSON": "canary", "nothing": "", "nothing of ours": `{"canary":1}`, "a later version": `{"v":2,"mark":"canary","body":{}}`,
	"another shape": `{"v":1,"body":"canary"}`, "what is cut off": `{"v":1,"mark":"canary","bo`,
	"a bad id":         `{"v":1,"body":{"token":"canary","old":"canary","state":"DONE"}}`,
	"an unknown state": `{"v":1,"body":{"state":"CANARY"}}`,
	"no body":          `{"v":1,"mark":"canary"}`,
}

func keyCount(t *testing.T, meddler *redis.Client) int64 {
	t.Helper()
	count, err := meddler.DBSize(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	return count
}

// fill makes one key of each kind, and holds a lock.
func fill(t *testing.T, l ledger.Ledger) (unlock func()) {
	t.Helper()
	for _, c := range allCalls() {
		switch c.name {
		case "Release", "AbandonRotation", "Unschedule", "Lock", "Resign":
			continue
		}
		if err := c.do(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	unlock, err := l.Lock(t.Context(), oldToken)
	if err != nil {
		t.Fatal(err)
	}
	return unlock
}

// keyOf finds the one key of a place.
func keyOf(t *testing.T, meddler *redis.Client, place string) string {
	t.Helper()
	keys, err := meddler.Keys(t.Context(), "*"+place+"*").Result()
	if err != nil || len(keys) != 1 {
		t.Fatalf("%d keys are in %s, %v, want 1", len(keys), place, err)
	}
	return keys[0]
}

func TestADeletionOfNoTokenDoesNotKeepTheOthers(t *testing.T) {
	server := redistest.Start(t)
	meddler := server.Client(t)
	l := connect(t, redis.NewClient(suited(server)), "test:")
	at := time.Now().UTC().Truncate(time.Millisecond)
	if err := l.Schedule(t.Context(), ledger.Deletion{Token: oldToken, At: at}); err != nil {
		t.Fatal(err)
	}
	if err := meddler.ZAdd(t.Context(), keyOf(t, meddler, "{schedule}:due"), redis.Z{Score: 1, Member: "canary"}).Err(); err != nil {
		t.Fatal(err)
	}
	due, _, err := l.TakeDue(t.Context(), at, 10, time.Minute)
	if err != nil || len(due) != 1 || due[0].Token != oldToken {
		t.Errorf("got %v, %v, want the token alone", due, err)
	}
}

func TestWhatSpeaksNoRedisIsUnavailable(t *testing.T) {
	for name, test := range map[string]struct{ answer, why string }{
		"it cannot save":         {"-MISCONF Redis at 127.0.0.1 is configured to save, and cannot\r\n", "it answered MISCONF"},
		"it is another's":        {"-NOAUTH Authentication required by canary.\r\n", "it answered NOAUTH"},
		"it speaks another way":  {"HTTP/1.1 400 Bad Request\r\nServer: canary\r\n\r\n", "it does not speak as it should"},
		"it has words of no use": {"-canary 127.0.0.1\r\n", "it answered with an error"},
		"it hangs up":            {"", "it hung up"},
	} {
		t.Run(name, func(t *testing.T) {
			l := ledger.NewRedis(client(t, suitedFor(answering(t, test.answer))), "test:")
			for _, c := range allCalls() {
				refused(t, c.name, c.do(t.Context(), l), test.why)
			}
			refused(t, "Check", l.Check(t.Context()), test.why)
		})
	}
}

func suitedFor(addr string) *redis.Options {
	options := &redis.UniversalOptions{Addrs: []string{addr}}
	ledger.Suit(options)
	return options.Simple()
}

// answering listens and gives one answer to each command; none: it hangs up.
func answering(t *testing.T, answer string) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			buffer := make([]byte, 4096)
			for answer != "" {
				n, err := conn.Read(buffer)
				if err != nil {
					break
				}
				commands := strings.Count("\n"+string(buffer[:n]), "\n*")
				if _, err := conn.Write([]byte(strings.Repeat(answer, commands))); err != nil {
					break
				}
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return listener.Addr().String()
}
