package expiry_test

import (
	"fmt"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/eventlog"
	"regtok/expiry"
	"regtok/expiry/expirytest"
	"regtok/providers"
	"regtok/redistest"
)

// logs runs a benchmark over each log.
func logs(b *testing.B, run func(b *testing.B, log expiry.Log)) {
	b.Run("memory", func(b *testing.B) {
		log := expiry.NewMemory(0, 0)
		defer log.Close()
		run(b, log)
	})
	b.Run("redis", func(b *testing.B) {
		run(b, connect(b, redis.NewClient(suited(redistest.Start(b))), "bench:", 0))
	})
}

func BenchmarkAppend(b *testing.B) {
	logs(b, func(b *testing.B, log expiry.Log) {
		for n := 0; b.Loop(); n++ {
			b.StopTimer()
			events := expirytest.Events(n, n+1)
			b.StartTimer()
			if _, err := log.Append(b.Context(), events); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAppend100(b *testing.B) {
	logs(b, func(b *testing.B, log expiry.Log) {
		for n := 0; b.Loop(); n += 100 {
			b.StopTimer()
			events := expirytest.Events(n, n+100)
			b.StartTimer()
			if _, err := log.Append(b.Context(), events); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRead1000(b *testing.B) {
	logs(b, func(b *testing.B, log expiry.Log) {
		if _, err := log.Append(b.Context(), expirytest.Events(0, 2000)); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if page, err := log.Read(b.Context(), "", 1000); err != nil || len(page.Entries) != 1000 {
				b.Fatal(err, len(page.Entries))
			}
		}
	})
}

// BenchmarkFanOut tells one event to 5,000 subscriptions, each with a filter and a goroutine, of which one is stuck. It is
// done when all the others have it.
func BenchmarkFanOut(b *testing.B) {
	const followers = 5000
	logs(b, func(b *testing.B, log expiry.Log) {
		_, newest, err := log.Bounds(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		before := heap()
		var heard, ended sync.WaitGroup
		var all []*eventlog.Subscription[expiry.Event]
		for range followers {
			follower, err := log.Follow(newest, func(e *expiry.Event) bool { return e.Subject.RegistryName == "acme" })
			if err != nil {
				b.Fatal(err)
			}
			all = append(all, follower)
			ended.Go(func() {
				for {
					update, err := follower.Next(b.Context())
					if err != nil {
						return
					}
					if update.Entry != nil {
						heard.Done()
					}
				}
			})
		}
		stuck, err := log.Follow(newest, nil)
		if err != nil {
			b.Fatal(err)
		}
		heard.Add(followers)
		tell(b, log, -1)
		heard.Wait()
		used := float64(heap()-before) / followers
		cpu := cpuTime(b)
		for n := 0; b.Loop(); n++ {
			heard.Add(followers)
			tell(b, log, n)
			heard.Wait()
		}
		b.ReportMetric(float64(cpuTime(b)-cpu)/float64(b.N)/followers, "cpu-ns/delivery")
		b.ReportMetric(used, "B/follower")
		stuck.Close()
		for _, follower := range all {
			follower.Close()
		}
		ended.Wait()
	})
}

func tell(b *testing.B, log expiry.Log, n int) {
	if _, err := log.Append(b.Context(), expirytest.Events(n+1, n+2)); err != nil {
		b.Fatal(err)
	}
}

// heap is what is in use, with the stacks.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapInuse + stats.StackInuse
}

// cpuTime is what this process has used.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func BenchmarkRule(b *testing.B) {
	rule := expiry.NewRule(expiry.Settings{Thresholds: []time.Duration{30 * 24 * time.Hour, 7 * 24 * time.Hour, time.Hour}})
	now := time.Now()
	reading := expiry.Reading{At: now, Subject: expirytest.Subject(1), Due: now.Add(10 * 24 * time.Hour), Source: expiry.ByProvider}
	state := rule.Read(expiry.State{}, reading, now).State
	for b.Loop() {
		if rule.Read(state, reading, now).Save {
			b.Fatal("it changed")
		}
	}
}

// BenchmarkIndex puts states of registries of 100 tokens, and takes and puts them again.
func BenchmarkIndex(b *testing.B) {
	const size = 100
	run := func(b *testing.B, index expiry.Index) {
		var states []expiry.State
		for n := range size {
			states = append(states, expirytest.State(n, time.Now().Add(time.Hour)))
		}
		for r := 0; b.Loop(); r++ {
			for i := range states {
				states[i].Subject.Token = providers.OrganizationID("p", "o").RegistryID(fmt.Sprint(r)).TokenID(fmt.Sprint("0198c7a2-91ab-7000-8000-", i))
				states[i].Version = 0
			}
			if _, err := index.Put(b.Context(), states); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/size, "µs/state")
	}
	b.Run("memory", func(b *testing.B) { run(b, expiry.NewMemoryIndex()) })
	b.Run("redis", func(b *testing.B) {
		server := redistest.Start(b)
		client := server.Client(b)
		before := usedMemory(b, client)
		run(b, connectIndex(b, redis.NewClient(suited(server)), "bench:"))
		b.ReportMetric(float64(usedMemory(b, client)-before)/float64(b.N)/size, "B-in-redis/state")
	})
}

func usedMemory(b *testing.B, client *redis.Client) (bytes int64) {
	info, err := client.InfoMap(b.Context(), "memory").Result()
	if err == nil {
		_, err = fmt.Sscan(info["Memory"]["used_memory"], &bytes)
	}
	if err != nil {
		b.Fatal(err)
	}
	return bytes
}
