package catalog

import (
	"syscall"
	"testing"
	"time"
)

const benchmarked = 10_000

// benchCatalog is a catalog of 100 registries with 100 tokens each, all of them in the cache.
func benchCatalog(b *testing.B) *Catalog {
	s := newGrid("p", benchmarked/100, 100)
	for _, tokens := range s.tokens {
		for i := range tokens {
			tokens[i].Name = "Deploy " + tokens[i].ID.Registry + " " + tokens[i].Name
			tokens[i].ExpiresAt = noon.Add(time.Duration(i*7919%1000) * time.Hour)
		}
	}
	c := over(b, s.account("a"))
	if got := len(c.Tokens(b.Context(), c, TokenFilter{}).Items); got != benchmarked {
		b.Fatalf("%d tokens, want %d", got, benchmarked)
	}
	return c
}

// BenchmarkTokens gathers all tokens from the cache and filters them.
func BenchmarkTokens(b *testing.B) {
	week := 7 * day
	for name, filter := range map[string]TokenFilter{
		"all":      {},
		"search":   {Search: "T99"},
		"by state": {States: []TokenState{Active, Expiring}, DueWithin: &week},
	} {
		b.Run(name, func(b *testing.B) {
			c := benchCatalog(b)
			b.ReportAllocs()
			for b.Loop() {
				c.Tokens(b.Context(), c, filter)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchmarked, "ns/token")
		})
	}
}

// BenchmarkCut cuts pages out of a gathered list: the first, and one from its middle.
func BenchmarkCut(b *testing.B) {
	c := benchCatalog(b)
	tokens := c.Tokens(b.Context(), c, TokenFilter{}).Items
	for name, order := range tokenOrders() {
		middle := Page[*Token]{order: order}.Cursor(tokens[len(tokens)/2])
		for at, after := range map[string]string{"first": "", "middle": middle} {
			b.Run(name+"/"+at, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					cut(b, tokens, order, 50, after)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchmarked, "ns/token")
			})
		}
	}
}

// BenchmarkFirstPage gathers 10,000 cached tokens and cuts the first page by due date. The goal: under 2 ms of CPU.
func BenchmarkFirstPage(b *testing.B) {
	c := benchCatalog(b)
	b.ReportAllocs()
	begin := processTime(b)
	for b.Loop() {
		cut(b, c.Tokens(b.Context(), c, TokenFilter{}).Items, TokensByDue(false), 50, "")
	}
	b.ReportMetric(float64((processTime(b)-begin).Microseconds())/float64(b.N), "cpu-us/page")
}

// processTime is how long this process has computed, on all cores.
func processTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
