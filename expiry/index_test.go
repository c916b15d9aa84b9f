package expiry_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/expiry"
	"regtok/expiry/expirytest"
	"regtok/redistest"
)

func TestTheIndexInMemory(t *testing.T) {
	expirytest.RunIndex(t, func(t *testing.T, run func(*testing.T, func() expiry.Index)) {
		synctest.Test(t, func(t *testing.T) {
			index := expiry.NewMemoryIndex()
			run(t, func() expiry.Index { return index })
		})
	})
}

func TestTheIndexInRedis(t *testing.T) {
	server := redistest.Start(t)
	expirytest.RunIndex(t, indexes(func() redis.UniversalClient { return redis.NewClient(suited(server)) }))
}

func TestTheIndexInACluster(t *testing.T) {
	expirytest.RunIndex(t, indexes(clusterClient(t)))
}

// indexes makes an index for each case, with a prefix of its own.
func indexes(client func() redis.UniversalClient) func(*testing.T, func(*testing.T, func() expiry.Index)) {
	var count atomic.Int32
	return func(t *testing.T, run func(*testing.T, func() expiry.Index)) {
		prefix := fmt.Sprintf("test %d:", count.Add(1))
		run(t, func() expiry.Index { return connectIndex(t, client(), prefix) })
	}
}

// connectIndex makes an index that is patient with a busy machine.
func connectIndex(t testing.TB, client redis.UniversalClient, prefix string) *expiry.RedisIndex {
	t.Cleanup(func() { _ = client.Close() })
	index := expiry.NewRedisIndex(client, prefix)
	index.Timeout = 10 * time.Second
	return index
}
