package quota_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/ledger"
	"regtok/quota"
	"regtok/redistest"
)

// patience is what a busy machine may take for what takes no time.
const patience = 30 * time.Second

// replica is a process of its own, as far as Redis can tell.
type replica struct {
	*quota.Quota
	shared *quota.Redis
	fails  atomic.Bool
}

// replicas are so many processes that spend together, each of which waits for Redis for as long as that.
func replicas(t *testing.T, url string, n int, timeout time.Duration) []*replica {
	t.Helper()
	replicas := make([]*replica, n)
	for i := range replicas {
		o, err := redis.ParseURL(url)
		if err != nil {
			t.Fatal(err)
		}
		options := &redis.UniversalOptions{Addrs: []string{o.Addr}}
		ledger.Suit(options)
		client := redis.NewUniversalClient(options)
		t.Cleanup(func() { _ = client.Close() })
		r := &replica{}
		r.shared = quota.NewRedis(quota.RedisConfig{Client: client, Prefix: "regtok:", Timeout: timeout, Report: func(err error) { r.fails.Store(err != nil) }})
		r.Quota = quota.New(quota.Config{Shared: r.shared})
		replicas[i] = r
	}
	return replicas
}

func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for begin := time.Now(); time.Since(begin) < patience; <-ticker.C {
		if happened() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

// TestReplicasSpendOneAllowance has so few points come back that time plays no part.
func TestReplicasSpendOneAllowance(t *testing.T) {
	server := redistest.Start(t)
	var taken atomic.Int64
	var callers sync.WaitGroup
	four := replicas(t, server.URL(), 4, patience)
	for _, r := range four {
		for range 8 {
			callers.Go(func() {
				for range 25 {
					if r.Spend(t.Context(), someone("ci", 1, 4000), 10).Wait == 0 {
						taken.Add(1)
					}
				}
			})
		}
	}
	callers.Wait()
	if got := taken.Load(); got != 400 {
		t.Errorf("%d operations of 10 points were let through, want 400", got)
	}
	for i, r := range four {
		got := r.Spend(t.Context(), someone("ci", 1, 4000), 100)
		if got.Remaining > 1 || got.Wait < 98*time.Minute || got.Wait > 100*time.Minute {
			t.Errorf("replica %d says %+v, want nothing left for 100 minutes", i, got)
		}
		if got := r.Spend(t.Context(), someone("ops", 1, 4000), 1000); got.Wait != 0 || got.Remaining > 3000-1000*i+1 {
			t.Errorf("replica %d says of another caller %+v, want %d left", i, got, 3000-1000*i)
		}
	}
}

func TestPointsComeBackInRedis(t *testing.T) {
	server := redistest.Start(t)
	r := replicas(t, server.URL(), 1, patience)[0]
	ci := someone("ci", 60_000, 100) // one each millisecond
	r.Spend(t.Context(), ci, 100)
	eventually(t, "half of the points are back", func() bool { return r.Spend(t.Context(), ci, 50).Wait == 0 })
	eventually(t, "Redis forgets who has all points", func() bool {
		n, err := server.Client(t).DBSize(t.Context()).Result()
		return err == nil && n == 0
	})
}

// TestWithoutRedisEachReplicaGoesOnWithWhatItKnows takes Redis away from callers who have spent some, and gives it back.
func TestWithoutRedisEachReplicaGoesOnWithWhatItKnows(t *testing.T) {
	server := redistest.Start(t)
	two := replicas(t, server.URL(), 2, patience)
	ci := someone("ci", 1, 1000)
	for _, r := range two {
		r.Spend(t.Context(), ci, 300)
	}
	server.Stop()
	for i, want := range []int{7, 4} { // hundreds, by what each saw last
		left := 0
		for two[i].Spend(t.Context(), ci, 100).Wait == 0 {
			left++
		}
		if left != want {
			t.Errorf("replica %d lets %d hundreds through, want %d", i, left, want)
		}
		eventually(t, "the replica tells that Redis is away", func() bool {
			two[i].Spend(t.Context(), ci, 1000)
			return two[i].fails.Load()
		})
	}
	server.Restart()
	for _, r := range two {
		eventually(t, "the replica tells that Redis is back", func() bool {
			r.Spend(t.Context(), ci, 1000)
			return !r.fails.Load()
		})
	}
	two[0].Spend(t.Context(), someone("new", 1, 1000), 900)
	if got := two[1].Spend(t.Context(), someone("new", 1, 1000), 200); got.Wait == 0 {
		t.Errorf("with Redis again the replicas do not spend together: %+v", got)
	}
}

// TestASilentRedisHoldsNobodyUp: three calls wait as long as they may, and then none does.
func TestASilentRedisHoldsNobodyUp(t *testing.T) {
	server := redistest.Start(t)
	r := replicas(t, server.URL(), 1, 100*time.Millisecond)[0]
	ci := someone("ci", 1, 1_000_000)
	r.Spend(t.Context(), ci, 1)
	server.Pause()
	defer server.Resume()
	begin := time.Now()
	for range 1000 {
		if got := r.Spend(t.Context(), ci, 1); got.Wait != 0 {
			t.Fatalf("a caller is refused because Redis is silent: %+v", got)
		}
	}
	if took := time.Since(begin); took > patience {
		t.Errorf("a thousand operations waited %s for Redis", took)
	}
	if !r.fails.Load() {
		t.Error("nobody is told that Redis is silent")
	}
}

// TestWhatLiesUnderAKeyIsNoBarToAnybody puts there what others, and clocks that are set back, leave behind.
func TestWhatLiesUnderAKeyIsNoBarToAnybody(t *testing.T) {
	server := redistest.Start(t)
	r := replicas(t, server.URL(), 1, patience)[0]
	client := server.Client(t)
	ci := someone("ci", 60, 100)
	key := r.shared.Key("ci")
	if strings.Contains(key, "ci:") || !strings.HasPrefix(key, "regtok:quota1:") || strings.Contains(r.shared.Key("somebody"), "somebody") {
		t.Errorf("the key is %q, want one with the prefix and without a name", key)
	}
	for _, rubbish := range []string{"", "x", "nan", "-nan", "inf", "0x7fffffffffffffff", "-1", "1e300", "1.5", "\x00"} {
		if err := client.Set(t.Context(), key, rubbish, 0).Err(); err != nil {
			t.Fatal(err)
		}
		if got := r.Spend(t.Context(), ci, 40); got.Wait != 0 || got.Remaining != 60 {
			t.Errorf("over %q it says %+v, want 60 left", rubbish, got)
		}
		if got := r.Spend(t.Context(), ci, 70); got.Wait == 0 {
			t.Errorf("after %q the limit is gone: %+v", rubbish, got)
		}
	}
	for _, far := range []string{"99999999999999999", strings.Repeat("9", 400)} {
		if err := client.Set(t.Context(), key, far, 0).Err(); err != nil {
			t.Fatal(err)
		}
		if got := r.Spend(t.Context(), ci, 40); got.Wait != 40*time.Second || got.Remaining != 0 {
			t.Errorf("over %.20s it says %+v, want to wait 40 s: no debt is larger than the allowance", far, got)
		}
		if left := client.PTTL(t.Context(), key).Val(); left <= 0 || left > 101*time.Second {
			t.Errorf("what lies there ends in %s, want it to be the largest debt", left)
		}
	}
	client.Del(t.Context(), key)
	if err := client.RPush(t.Context(), key, "a list").Err(); err != nil {
		t.Fatal(err)
	}
	if got := r.Spend(t.Context(), ci, 40); got.Wait != 0 || got.Remaining != 60 {
		t.Errorf("over a list it says %+v, want 60 left", got)
	}
}
