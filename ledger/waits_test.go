package ledger_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/ledger"
	"regtok/providers"
	"regtok/redistest"
)

func TestACallTakesNoLongerThanItMay(t *testing.T) {
	server := redistest.Start(t)
	c := client(t, suited(server))
	l := ledger.NewRedis(c, "test:")
	reach(t, l)
	server.Pause()
	l.Timeout = 10 * time.Second
	for _, one := range allCalls() {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := one.do(ctx, l); err != context.DeadlineExceeded { //nolint:errorlint // it is the context's own
			t.Errorf("%s, whose caller has no time: %v, want %v", one.name, err, context.DeadlineExceeded)
		}
		cancel()
	}
	l = ledger.NewRedis(c, "test:")
	if l.Timeout > 300*time.Millisecond {
		t.Errorf("a call may take %s, longer than whoever waits for an answer will", l.Timeout)
	}
	l.Timeout = 400 * time.Millisecond
	begin := time.Now()
	refused(t, "Settle", l.Settle(t.Context(), aKey, now(aCall)), "did not answer in time")
	if took := time.Since(begin); took < l.Timeout {
		t.Errorf("it took %s, want %s, as it was told", took, l.Timeout)
	}
}

func TestALockThatFailsIsNotHeldInThisProcess(t *testing.T) {
	server := redistest.Start(t)
	l := connect(t, redis.NewClient(suited(server)), "test:")
	server.Stop()
	for range 3 {
		if _, err := l.Lock(t.Context(), oldToken); !errors.Is(err, ledger.ErrUnavailable) {
			t.Errorf("got %v, want %v", err, ledger.ErrUnavailable)
		}
	}
	server.Restart()
	unlock := relock(t, l)
	server.Stop() // and with it what it knew
	unlock()
	server.Restart()
	relock(t, l)()
}

// relock takes the lock once the client has noticed that Redis is back.
func relock(t *testing.T, l *ledger.Redis) (unlock func()) {
	t.Helper()
	eventually(t, "the lock is to be had", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var err error
		unlock, err = l.Lock(ctx, oldToken)
		if errors.Is(err, context.DeadlineExceeded) {
			t.Fatal("somebody holds the lock")
		}
		return err == nil
	})
	return unlock
}

func TestALockIsHeldForAsLongAsItsProcessLives(t *testing.T) {
	server := redistest.Start(t)
	l := connect(t, redis.NewClient(suited(server)), "test:")
	l.RenewEvery(10 * time.Millisecond)
	unlock, err := l.Lock(t.Context(), oldToken)
	if err != nil {
		t.Fatal(err)
	}
	meddler := server.Client(t)
	key := keyOf(t, meddler, "lock")
	for range 3 {
		if err := meddler.PExpire(t.Context(), key, 10*time.Second).Err(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the lease is renewed", func() bool {
			return meddler.PTTL(t.Context(), key).Val() > ledger.LockLease-10*time.Second
		})
	}
	// Another's lease is not renewed.
	if err := meddler.Set(t.Context(), key, "canary", 10*time.Second).Err(); err != nil {
		t.Fatal(err)
	}
	before := evaluations(t, meddler)
	eventually(t, "it tries", func() bool { return evaluations(t, meddler) > before+4 })
	if left := meddler.PTTL(t.Context(), key).Val(); left > 10*time.Second {
		t.Errorf("it renewed what is another's by now, for %s", left)
	}
	unlock()
	before = evaluations(t, meddler)
	if meddler.Get(t.Context(), key).Val() != "canary" {
		t.Error("it gave back what is another's")
	}
	if after := evaluations(t, meddler); after != before {
		t.Errorf("it went on renewing, %d times", after-before)
	}
}

func TestWhoWaitsForALockHearsThatRedisIsGone(t *testing.T) {
	server := redistest.Start(t)
	holder := connect(t, redis.NewClient(suited(server)), "test:")
	unlock, err := holder.Lock(t.Context(), oldToken)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	waiter := connect(t, redis.NewClient(suited(server)), "test:")
	failed := make(chan error)
	go func() {
		_, err := waiter.Lock(t.Context(), oldToken)
		failed <- err
	}()
	meddler := server.Client(t)
	asked := func() int64 { return evaluations(t, meddler) }
	before := asked()
	eventually(t, "it asks again and again", func() bool { return asked() > before+3 })
	server.Stop()
	if err := <-failed; !errors.Is(err, ledger.ErrUnavailable) {
		t.Errorf("got %v, want %v", err, ledger.ErrUnavailable)
	}
}

func TestOneOfAProcessAsksRedisForALock(t *testing.T) {
	server := redistest.Start(t)
	free, err := connect(t, redis.NewClient(suited(server)), "test:").Lock(t.Context(), oldToken)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	asked := map[any]int{} // by the value that would stand for the lock
	c := client(t, suited(server))
	c.AddHook(hook(func(command redis.Cmder, next func() error) error {
		mu.Lock()
		asked[command.Args()[5]]++
		mu.Unlock()
		return next()
	}))
	l := connect(t, c, "test:")
	var waiters sync.WaitGroup
	for range 8 {
		waiters.Go(func() {
			unlock, err := l.Lock(t.Context(), oldToken)
			if err != nil {
				t.Error(err)
				return
			}
			unlock()
		})
	}
	eventually(t, "they ask again and again", func() bool {
		mu.Lock()
		defer mu.Unlock()
		total := 0
		for _, times := range asked {
			total += times
		}
		return total > 8
	})
	mu.Lock()
	if len(asked) != 1 {
		t.Errorf("%d of them ask, want 1", len(asked))
	}
	mu.Unlock()
	free()
	waiters.Wait()
}

func TestWhatCannotBeReadBackIsNotEntered(t *testing.T) {
	server := redistest.Start(t)
	l := connect(t, redis.NewClient(suited(server)), "test:")
	bad := oldToken
	bad.Native = "\x00"
	done := ledger.Call{State: ledger.Done, Began: time.Now(), Token: bad}
	_, _, claim := l.Claim(t.Context(), aKey, done)
	_, _, begin := l.BeginRotation(t.Context(), ledger.Rotation{Old: bad})
	for name, err := range map[string]error{
		"Claim": claim, "BeginRotation": begin, "Settle": l.Settle(t.Context(), aKey, done),
		"FinishRotation": l.FinishRotation(t.Context(), ledger.Rotation{Old: oldToken, New: bad, Began: time.Now()}),
		"Schedule":       l.Schedule(t.Context(), ledger.Deletion{Token: bad, At: time.Now()}),
	} {
		refused(t, name, err, "cannot be written down")
	}
	if keys := server.Client(t).Keys(t.Context(), "*").Val(); len(keys) > 0 {
		t.Errorf("it entered %q", keys)
	}
	if got, err := l.Successors(t.Context(), []providers.ID{bad}); err != nil || !got[0].IsZero() {
		t.Errorf("its successor is %v, %v, want none", got, err)
	}
	if unlock, err := l.Lock(t.Context(), bad); err != nil {
		t.Errorf("it cannot be locked: %v", err)
	} else {
		unlock()
	}
}

func TestNothingThatIsKeptNamesACaller(t *testing.T) {
	server := redistest.Start(t)
	defer fill(t, connect(t, redis.NewClient(suited(server)), "test:"))()
	meddler := server.Client(t)
	keys := meddler.Keys(t.Context(), "*").Val()
	if len(keys) != 9 { // a call, a lock, a rotation by three, two of the schedule, two of an office
		t.Errorf("there are keys %q, want 9", keys)
	}
	for _, key := range keys {
		life := meddler.PTTL(t.Context(), key).Val()
		if key == "test:2:{schedule}:due" || key == "test:2:{schedule}:taken" {
			continue
		}
		if life <= 0 {
			t.Errorf("%s is kept for ever", key)
		}
		value := meddler.Get(t.Context(), key).Val()
		if strings.Contains(key+value, "caller-canary") || strings.Contains(key+value, "key-canary") {
			t.Errorf("%s holds %s", key, value)
		}
	}
}

// evaluations is how often scripts were run.
func evaluations(t *testing.T, meddler *redis.Client) (count int64) {
	t.Helper()
	said, err := meddler.InfoMap(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cmdstat_eval", "cmdstat_evalsha"} {
		calls, _, _ := strings.Cut(strings.TrimPrefix(said["Commandstats"][name], "calls="), ",")
		n, _ := strconv.ParseInt(calls, 10, 64)
		count += n
	}
	return count
}
