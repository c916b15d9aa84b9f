package cache_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"regtok/cache"
	"regtok/cache/cachetest"
)

// id has the shape of the keys that the cache is for: some strings.
type id struct{ kind, provider, organization, registry, native string }

func ids(n int) []id {
	keys := make([]id, n)
	for i := range keys {
		keys[i] = id{"token", "buildkite", "0190a1b2-aaaa-bbbb-cccc-000000000000", "0190a1b2-dddd", fmt.Sprintf("0190a1b2-%012d", i)}
	}
	return keys
}

func benchView(b *testing.B, options cache.Options) *cache.View[id, []string] {
	c := cache.New(options)
	b.Cleanup(c.Close)
	return cache.NewView(c, cache.Config[id, []string]{
		Name: "bench",
		Key: func(key id) cache.Key {
			return cache.Key{Scope: cache.Scope{Tenant: key.provider, Name: cache.Join(key.registry)}, Item: cache.Join(key.native)}
		},
		Load:    func(context.Context, id) ([]string, error) { return []string{"a", "b"}, nil },
		Timeout: time.Minute,
		Fresh:   func([]string) time.Duration { return time.Hour },
		Stale:   time.Hour,
		Size:    func([]string) int { return 100 },
		Encode:  func(_ id, v []string) ([]byte, error) { return []byte(cache.Join(v...)), nil },
		Decode:  func(_ id, b []byte) ([]string, error) { return []string{string(b)}, nil },
	})
}

func BenchmarkNearHit(b *testing.B) {
	v := benchView(b, cache.Options{})
	key := ids(1)[0]
	v.Get(b.Context(), key)
	b.ReportAllocs()
	for b.Loop() {
		if v.Get(b.Context(), key).Err != nil {
			b.Fatal("no hit")
		}
	}
}

func BenchmarkNearHitParallel(b *testing.B) {
	v := benchView(b, cache.Options{})
	keys := ids(1024)
	v.GetMany(b.Context(), keys)
	ctx := b.Context()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if v.Get(ctx, keys[i%len(keys)]).Err != nil {
				b.Error("no hit")
			}
		}
	})
}

func BenchmarkGetManyOf100Hits(b *testing.B) {
	v := benchView(b, cache.Options{})
	keys := ids(100)
	v.GetMany(b.Context(), keys)
	b.ReportAllocs()
	for b.Loop() {
		if v.GetMany(b.Context(), keys)[99].Err != nil {
			b.Fatal("no hit")
		}
	}
}

func BenchmarkMiss(b *testing.B) {
	v := benchView(b, cache.Options{Off: true})
	key := ids(1)[0]
	b.ReportAllocs()
	for b.Loop() {
		v.Get(b.Context(), key)
	}
}

func BenchmarkGetManyOf100Misses(b *testing.B) {
	v := benchView(b, cache.Options{Off: true})
	keys := ids(100)
	b.ReportAllocs()
	for b.Loop() {
		v.GetMany(b.Context(), keys)
	}
}

func BenchmarkGetManyOf100FromAfar(b *testing.B) {
	m := cachetest.NewMemory()
	keys := ids(100)
	v := benchView(b, cache.Options{Store: m.Connect(), NearFor: time.Nanosecond})
	v.GetMany(b.Context(), keys)
	b.ReportAllocs()
	for b.Loop() {
		v.GetMany(b.Context(), keys)
	}
}

// BenchmarkColdWith50Readers is one load that fifty readers wait for.
func BenchmarkColdWith50Readers(b *testing.B) {
	v := benchView(b, cache.Options{})
	ctx := b.Context()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		key := id{native: fmt.Sprint(n)}
		var readers sync.WaitGroup
		for range 50 {
			readers.Go(func() { v.Get(ctx, key) })
		}
		readers.Wait()
	}
	if loads := v.Stats().Loads; loads != uint64(n) {
		b.Errorf("%d loads of %d keys", loads, n)
	}
}

func BenchmarkBump(b *testing.B) {
	c := cache.New(cache.Options{})
	b.Cleanup(c.Close)
	scope := cache.Scope{Tenant: "tenant", Name: cache.Join("registry")}
	b.ReportAllocs()
	for b.Loop() {
		c.Bump(b.Context(), scope)
	}
}
