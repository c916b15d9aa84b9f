package ledger_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/ledger"
	"regtok/redistest"
)

// hook does something around each command of a client, but for those that only ask.
type hook func(command redis.Cmder, next func() error) error

func (hook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (h hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		// A script that writes gets more than a key and a value.
		if args := command.Args(); strings.HasPrefix(command.Name(), "eval") && len(args) > 5 {
			return h(command, func() error { return next(ctx, command) })
		}
		return next(ctx, command)
	}
}

// answered tells whether a script ran to its end.
func answered(err error) bool { return err == nil || errors.Is(err, redis.Nil) }

// untouched checks that a ledger is as empty as it was.
func untouched(t *testing.T, l ledger.Ledger) {
	t.Helper()
	ctx := t.Context()
	if present, mine, err := l.Claim(ctx, aKey, aCall); !mine || err != nil {
		t.Errorf("a call is there: %+v, %v", present, err)
	}
	if present, mine, err := l.BeginRotation(ctx, ledger.Rotation{Old: oldToken, Began: time.Now()}); !mine || err != nil {
		t.Errorf("a rotation is there: %+v, %v", present, err)
	}
	if due, next, err := l.TakeDue(ctx, time.Now().Add(time.Hour), 10, time.Minute); len(due) > 0 || !next.IsZero() || err != nil {
		t.Errorf("a deletion is there: %v, %v, %v", due, next, err)
	}
	if _, mine, err := l.Lead(ctx, "office-canary", time.Minute); !mine || err != nil {
		t.Errorf("an office is held: %v", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	unlock, err := l.Lock(ctx, oldToken)
	if err != nil {
		t.Errorf("a lock is there: %v", err)
		return
	}
	unlock()
}

func TestWhatFailedBecauseItTookTooLongDoesNotHappenAfterwards(t *testing.T) {
	server := redistest.Start(t)
	for _, c := range allCalls() {
		if !c.writes {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			prefix := "test:" + c.name
			slow := client(t, suited(server))
			l := ledger.NewRedis(slow, prefix)
			reach(t, l)
			var paused bool
			slow.AddHook(hook(func(_ redis.Cmder, next func() error) error {
				if !paused { // once, right before the script is sent
					paused = true
					server.Pause()
				}
				return next()
			}))
			refused(t, c.name, c.do(t.Context(), l), "did not answer in time")
			server.Resume()
			// What was sent to a server that slept is done before what it is sent now, or refused.
			untouched(t, connect(t, redis.NewClient(suited(server)), prefix))
		})
	}
}

func TestWhatIsEnteredThoughItsAnswerIsLostIsTakenBack(t *testing.T) {
	server := redistest.Start(t)
	for _, c := range allCalls() {
		if c.name != "Claim" && c.name != "BeginRotation" && c.name != "Lock" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			prefix := "test:" + c.name
			cut := client(t, suited(server))
			var lost bool
			cut.AddHook(hook(func(_ redis.Cmder, next func() error) error {
				err := next()
				if lost || !answered(err) {
					return err
				}
				lost = true
				return io.ErrUnexpectedEOF
			}))
			refused(t, c.name, c.do(t.Context(), connect(t, cut, prefix)), "it hung up")
			untouched(t, connect(t, redis.NewClient(suited(server)), prefix))
		})
	}
}

// deaf is a connection that breaks when an answer is due, once.
type deaf struct {
	net.Conn
	breaks *atomic.Bool
}

func (d deaf) Read(b []byte) (int, error) {
	n, err := d.Conn.Read(b)
	if err == nil && d.breaks.CompareAndSwap(true, false) {
		_ = d.Conn.Close()
		return 0, io.EOF
	}
	return n, err
}

func TestWhatIsSentAgainAfterALostAnswerIsKnownAgain(t *testing.T) {
	server := redistest.Start(t)
	for _, c := range allCalls() {
		t.Run(c.name, func(t *testing.T) {
			var breaks atomic.Bool
			options := suited(server)
			options.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, addr)
				return deaf{conn, &breaks}, err
			}
			poor := client(t, options)
			l := connect(t, poor, "test:"+c.name)
			if err := c.do(t.Context(), connect(t, redis.NewClient(suited(server)), "another:")); err != nil { // so that the scripts are known
				t.Fatal(err)
			}
			poor.AddHook(hook(func(_ redis.Cmder, next func() error) error {
				breaks.Store(true)
				return next()
			}))
			if err := c.do(t.Context(), l); err != nil {
				t.Errorf("%s: %v, want it to be repeated", c.name, err)
			}
			if c.writes && breaks.Load() {
				t.Errorf("%s: no answer was lost", c.name)
			}
		})
	}
}

func TestAClaimThatIsSentAgainIsStillMine(t *testing.T) {
	server := redistest.Start(t)
	twice := client(t, suited(server))
	twice.AddHook(hook(func(_ redis.Cmder, next func() error) error {
		if err := next(); !answered(err) {
			return err
		}
		return next()
	}))
	l := connect(t, twice, "test:")
	if _, mine, err := l.Claim(t.Context(), aKey, aCall); !mine || err != nil {
		t.Errorf("the claim is mine: %v, %v", mine, err)
	}
	if _, mine, err := l.BeginRotation(t.Context(), ledger.Rotation{Old: oldToken}); !mine || err != nil {
		t.Errorf("the rotation is mine: %v, %v", mine, err)
	}
	if unlock, err := l.Lock(t.Context(), oldToken); err != nil {
		t.Error(err)
	} else {
		unlock()
	}
}
