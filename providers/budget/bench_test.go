package budget_test

import (
	"sync"
	"testing"
	"time"

	"regtok/providers"
	"regtok/providers/budget"
	"regtok/redistest"
)

// plenty is an answer of a provider that allows nearly everything.
var plenty = budget.Answer{Told: []providers.Limit{
	{Scope: "user", Limit: 1 << 30, Remaining: 1<<30 - 1, Reset: time.Hour},
	{Scope: "organization", Of: "acme", Limit: 1 << 30, Remaining: 1<<30 - 1, Reset: time.Hour},
}}

// warm makes it known what is used, also where nobody remembered.
func warm(b *testing.B, one *budget.Budget) {
	once(b, one)
	once(b, one)
}

// once takes a request, and settles it.
func once(b *testing.B, one *budget.Budget) {
	for {
		ticket, wait := one.Take(b.Context(), budget.Request{Of: "acme"})
		if ticket != nil {
			ticket.Settle(plenty)
			return
		}
		time.Sleep(wait)
	}
}

func BenchmarkTakeAndSettleInMemory(b *testing.B) {
	one := budget.New(budget.Config{})
	defer one.Close()
	warm(b, one)
	for b.Loop() {
		once(b, one)
	}
}

func BenchmarkTakeAndSettleOverRedis(b *testing.B) {
	one := replica(b, redistest.Start(b), &lines{})
	warm(b, one)
	for b.Loop() {
		once(b, one)
	}
}

func BenchmarkTakeAndSettleOverRedisByFourReplicas(b *testing.B) {
	server := redistest.Start(b)
	var replicas []*budget.Budget
	for range 4 {
		replicas = append(replicas, replica(b, server, &lines{}))
	}
	for _, one := range replicas {
		warm(b, one)
	}
	b.ResetTimer()
	var all sync.WaitGroup
	const callers = 4
	for _, one := range replicas {
		for range callers {
			all.Go(func() {
				for range b.N / (callers * len(replicas)) {
					once(b, one)
				}
			})
		}
	}
	all.Wait()
}
