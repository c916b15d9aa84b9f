package cache_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/cache"
	"regtok/redistest"
)

// tokensOf is what a list of n tokens looks like in bytes: identifiers that are noise, words that are not.
func tokensOf(n int) []byte {
	noise := rand.New(rand.NewPCG(1, 2))
	uuid := func() string {
		return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", noise.Uint32(), noise.Uint32()>>16, noise.Uint32()>>16, noise.Uint32()>>16, noise.Uint64()>>16)
	}
	owner := uuid()
	var tokens []byte
	for i := range n {
		tokens = append(tokens, cache.Join(uuid(), fmt.Sprintf("deploys of service %d, read only", i), "read_packages", "read_registry",
			owner, "Ada Lovelace", "ada@example.org", "2026-07-01T12:00:00Z", strconv.Itoa(1_780_000_000+noise.IntN(1e7)), "enabled")...)
	}
	return tokens
}

// place is where a list lies: each is a registry's own, and single tokens are all of one registry.
func place(key string, tokens int) cache.Key {
	if tokens == 1 {
		return cache.Key{Scope: scope("registry"), Item: cache.Join(key)}
	}
	return cache.Key{Scope: scope(key), Item: cache.Join(key)}
}

// lists is a view over Redis of lists of tokens. What is near, if there is room for it, has to be confirmed each time.
func lists(b *testing.B, client redis.UniversalClient, tokens int, near int64) *cache.View[string, []byte] {
	c := cache.New(cache.Options{
		Store: cache.NewRedis(client, "bench:"), NearFor: time.Nanosecond, Bytes: near, StoreTimeout: patience,
	})
	b.Cleanup(c.Close)
	list := tokensOf(tokens)
	return cache.NewView(c, cache.Config[string, []byte]{
		Name:    "lists",
		Key:     func(key string) cache.Key { return place(key, tokens) },
		Load:    func(context.Context, string) ([]byte, error) { return list, nil },
		Timeout: time.Minute,
		Fresh:   func([]byte) time.Duration { return time.Hour },
		Encode:  func(_ string, list []byte) ([]byte, error) { return list, nil },
		Decode:  func(_ string, list []byte) ([]byte, error) { return list, nil },
	})
}

// shared reads keys until all are in Redis.
func shared(b *testing.B, client *redis.Client, v *cache.View[string, []byte], keys []string) (names []string) {
	b.Helper()
	for begin := time.Now(); len(names) < len(keys) && time.Since(begin) < patience; names = client.Keys(b.Context(), values).Val() {
		v.GetMany(cache.NoCache(b.Context()), keys)
	}
	if len(names) < len(keys) {
		b.Fatalf("%d of %d values are in Redis", len(names), len(keys))
	}
	return names
}

func numbered(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = strconv.Itoa(i)
	}
	return keys
}

// cpu measures what this process takes of the processors, waiting left out.
func cpu(b *testing.B, do func()) {
	b.Helper()
	b.ReportAllocs()
	begin := cpuTime(b)
	for b.Loop() {
		do()
	}
	b.ReportMetric(float64(cpuTime(b)-begin)/float64(b.N), "cpu-ns/op")
}

// compare measures how many times the CPU of other do takes: in turns, since what else goes on in a machine changes from moment
// to moment.
func compare(b *testing.B, do, other func(*testing.B)) {
	b.Helper()
	spent := func(do func(*testing.B)) time.Duration {
		begin := cpuTime(b)
		for range 10 {
			do(b)
		}
		return cpuTime(b) - begin
	}
	var one, two time.Duration
	for b.Loop() {
		one += spent(do)
		two += spent(other)
	}
	b.ReportMetric(float64(one)/float64(two), "times")
}

func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// asked asks the store about keys, as a view does.
func asked(client *redis.Client, keys []string, tokens int) func(*testing.B) {
	store := cache.NewRedis(client, "bench:")
	questions := make([]cache.Question, len(keys))
	for i, key := range keys {
		questions[i].Key = place(key, tokens)
		questions[i].Key.Item = cache.Join("lists", questions[i].Key.Item)
	}
	return func(b *testing.B) {
		if got, err := store.GetMany(b.Context(), questions); err != nil || len(got[0].Value) == 0 {
			b.Fatal(got, err)
		}
	}
}

// mget asks for the values of those names and for their generations.
func mget(client *redis.Client, names []string) func(*testing.B) {
	all := slices.Clone(names)
	for _, name := range names {
		generation, _, _ := strings.Cut(name, "}")
		all = append(all, generation+"}")
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return func(b *testing.B) {
		if values, err := client.MGet(b.Context(), all...).Result(); err != nil || values[1] == nil {
			b.Fatal(values, err)
		}
	}
}

// BenchmarkRedis compares what is confirmed by Redis, and what is found there, through a view and through the store alone,
// with a bare MGET of the same keys: the values' and their generations'.
func BenchmarkRedis(b *testing.B) {
	for _, test := range []struct {
		name         string
		keys, tokens int
	}{
		{"a token", 1, 1}, {"a list of 100 tokens", 1, 100}, {"100 tokens", 100, 1}, {"100 lists of 100 tokens", 100, 100},
	} {
		b.Run(test.name, func(b *testing.B) {
			server := redistest.Start(b)
			client := connect(b, server)
			near, keys := lists(b, client, test.tokens, 0), numbered(test.keys)
			names := shared(b, client, near, keys)
			for name, v := range map[string]*cache.View[string, []byte]{
				"confirm": near, "far hit": lists(b, client, test.tokens, 1),
			} {
				b.Run(name, func(b *testing.B) {
					before := v.Stats().Loads
					cpu(b, func() {
						if got := v.GetMany(b.Context(), keys); got[0].Err != nil {
							b.Fatal(got[0].Err)
						}
					})
					if loads := v.Stats().Loads - before; loads > 0 {
						b.Errorf("%d loads", loads)
					}
				})
			}
			store, bare := asked(client, keys, test.tokens), mget(client, names)
			b.Run("store", func(b *testing.B) { cpu(b, func() { store(b) }) })
			b.Run("bare", func(b *testing.B) {
				cpu(b, func() { bare(b) })
				size := client.StrLen(b.Context(), names[0]).Val()
				b.ReportMetric(float64(size)/float64(test.tokens), "bytes/token")
			})
			b.Run("store over bare", func(b *testing.B) { compare(b, store, bare) })
		})
	}
}

func BenchmarkRedisMiss(b *testing.B) {
	client := connect(b, redistest.Start(b))
	v := lists(b, client, 100, 0)
	n := 0
	cpu(b, func() {
		n++
		v.Get(b.Context(), strconv.Itoa(n))
	})
}

// BenchmarkAcknowledgedBump is a bump that so many other processes say they have heard.
func BenchmarkAcknowledgedBump(b *testing.B) {
	for _, others := range []int{1, 4} {
		b.Run(strconv.Itoa(others), func(b *testing.B) {
			server := redistest.Start(b)
			var writer *cache.Cache
			for range 1 + others {
				writer = cache.New(cache.Options{Store: cache.NewRedis(connect(b, server), "bench:"), StoreTimeout: patience})
				b.Cleanup(writer.Close)
			}
			for {
				unheard := writer.Stats().UnheardBumps
				if writer.Bump(b.Context(), scope("a")); writer.Stats().UnheardBumps == unheard {
					break // it knows by now who has to hear
				}
			}
			unheard := writer.Stats().UnheardBumps
			cpu(b, func() { writer.Bump(b.Context(), scope("a")) })
			b.ReportMetric(float64(writer.Stats().UnheardBumps-unheard), "unheard")
		})
	}
}

func BenchmarkRedisBump(b *testing.B) {
	store := cache.NewRedis(connect(b, redistest.Start(b)), "bench:")
	cpu(b, func() {
		if _, err := store.Bump(b.Context(), scope("a")); err != nil {
			b.Fatal(err)
		}
	})
}
