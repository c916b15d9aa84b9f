package cache_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/redistest"
)

// BenchmarkClientSideCaching is what go-redis's own caching of answers would bring, for the record in
// docs/decisions/no-client-side-caching.md: a hit of a list, beside the bare call, and how long a hit is older than what
// another client has written and been told to be written.
func BenchmarkClientSideCaching(b *testing.B) {
	server := redistest.Start(b)
	other := connect(b, server)
	options := suited(server.Addr()).Simple()
	options.Protocol, options.ClientSideCacheConfig = 3, &redis.ClientSideCacheConfig{}
	caching := closing(b, redis.NewClient(options))
	list := string(tokensOf(100))
	if err := other.Set(b.Context(), "list", list, 0).Err(); err != nil {
		b.Fatal(err)
	}
	for name, client := range map[string]*redis.Client{"hit": caching, "bare": other} {
		b.Run(name, func(b *testing.B) {
			cpu(b, func() {
				if got, err := client.Get(b.Context(), "list").Result(); err != nil || len(got) != len(list) {
					b.Fatal(len(got), err)
				}
			})
		})
	}
	b.Run("old after a write", func(b *testing.B) {
		var old time.Duration
		stale := 0
		for n := range b.N {
			value := strconv.Itoa(n)
			caching.Get(b.Context(), "one")
			if err := other.Set(b.Context(), "one", value, 0).Err(); err != nil {
				b.Fatal(err)
			}
			began, reads := time.Now(), 0
			for ; caching.Get(b.Context(), "one").Val() != value; reads++ {
			}
			if reads > 0 {
				stale++
			}
			old += time.Since(began)
		}
		b.ReportMetric(float64(stale)/float64(b.N), "stale-reads/write")
		b.ReportMetric(float64(old.Microseconds())/float64(b.N), "µs-old/write")
	})
}
