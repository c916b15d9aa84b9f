package graph_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"regtok/providers"
)

// nested asks for 40 registries with 10 tokens each and who made them: 44 requests at both providers together.
const nested = `{ registries(first: 40) { nodes { name provider { slug }
  tokens(first: 10) { nodes { name state expiresAt createdBy { name email } } } } } }`

const tokensOfNested = 400

func forty() providers.EmulatorOptions { return providers.EmulatorOptions{Registries: 20, Tokens: 10} }

// BenchmarkColdNested compares a cold query, at 20 ms upstream latency, with the same requests made bare: in the same
// waves, since each needs what the one before told. The goal: at most 1.15 times.
func BenchmarkColdNested(b *testing.B) {
	w := newWorld(b, plan{emulators: forty(), cacheOff: true})
	w.ask(b, nested, nil)
	waves := bareWaves(b, w)
	for _, watched := range w.taps {
		watched.SetLatency(20 * time.Millisecond)
	}
	var ours, bare []time.Duration
	for b.Loop() {
		ours = append(ours, took(func() { w.ask(b, nested, nil) }))
		bare = append(bare, took(func() { w.fetch(b, waves) }))
	}
	report := median(ours)
	b.ReportMetric(float64(report)/float64(time.Millisecond), "ms/query")
	b.ReportMetric(float64(median(bare))/float64(time.Millisecond), "ms/bare")
	b.ReportMetric(float64(report)/float64(median(bare)), "x-bare")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkWarmNested compares the CPU time of a cached answer with that of a handler that sends the same bytes.
func BenchmarkWarmNested(b *testing.B) {
	w := newWorld(b, plan{emulators: forty()})
	body := operation(b, nested)
	answer := exchange(b, dial(b, w.url), body)
	plain := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		rw.Header().Set("Content-Type", "application/json")
		rw.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = rw.Write(answer)
	}))
	defer plain.Close()
	api, same := dial(b, w.url), dial(b, plain.URL)
	var ours, bare time.Duration
	n := 0
	for b.Loop() {
		ours += cpu(func() { exchange(b, api, body) })
		bare += cpu(func() { exchange(b, same, body) })
		n++
	}
	b.ReportMetric(float64(ours.Microseconds())/float64(n), "cpu-us/query")
	b.ReportMetric(float64(bare.Microseconds())/float64(n), "cpu-us/plain")
	b.ReportMetric(float64(ours)/float64(bare), "x-plain")
	b.ReportMetric(float64(len(answer)), "B/answer")
	b.ReportMetric(0, "ns/op")
}

// inventory asks for those of ten thousand tokens that are due first.
const inventory = `{ tokens(first: 50, orderBy: {field: DUE_AT, direction: ASC}) {
  totalCount nodes { id name dueAt state registry { id } } unavailable { reason } } }`

// BenchmarkInventory tells what the first page of 10,000 tokens in 120 registries by due date costs, all of them cached.
// The goal: under 2 ms of CPU for gathering and cutting, which BenchmarkFirstPage of the catalog has alone.
func BenchmarkInventory(b *testing.B) {
	w := newWorld(b, plan{emulators: providers.EmulatorOptions{Registries: 60, Tokens: 84}})
	body := operation(b, inventory)
	conn := dial(b, w.url)
	if answer := exchange(b, conn, body); !bytes.Contains(answer, []byte(`"totalCount":10080`)) {
		b.Fatalf("answered %.300s", answer)
	}
	b.ReportAllocs()
	var spent time.Duration
	n := 0
	for b.Loop() {
		spent += cpu(func() { exchange(b, conn, body) })
		n++
	}
	b.ReportMetric(float64(spent.Microseconds())/float64(n), "cpu-us/page")
}

// BenchmarkTokenServed tells what one token of a cached answer costs.
func BenchmarkTokenServed(b *testing.B) {
	w := newWorld(b, plan{emulators: forty()})
	body := operation(b, nested)
	conn := dial(b, w.url)
	exchange(b, conn, body)
	b.ReportAllocs()
	for b.Loop() {
		exchange(b, conn, body)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/tokensOfNested, "ns/token")
}

// wave is requests that can be made at the same time.
type wave []*http.Request

// bareWaves are the requests that the query needed, in waves.
func bareWaves(b *testing.B, w *world) []wave {
	b.Helper()
	waves := make([]wave, 4)
	for _, watched := range w.taps {
		for request := range watched.Requests() {
			_, path, _ := strings.Cut(request, " ")
			query, at := "", 2
			switch {
			case path == "/v2/organizations":
				query, at = "?per_page=100", 0
			case strings.HasSuffix(path, "/contracts"):
				at = 0
			case strings.HasSuffix(path, "/registries"):
				at = 1
			case strings.HasSuffix(path, "/um/users"):
				query, at = "?depth=1&limit=100", 3
			}
			base := w.bases[providerOf(path)]
			r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, base+path+query, nil)
			if err != nil {
				b.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer any")
			waves[at] = append(waves[at], r)
		}
	}
	return waves
}

func providerOf(path string) string {
	if strings.HasPrefix(path, "/v2/") {
		return "buildkite"
	}
	return "ionos"
}

// fetch makes the requests of each wave side by side and reads their answers.
func (w *world) fetch(b *testing.B, waves []wave) {
	b.Helper()
	for _, wave := range waves {
		var wait sync.WaitGroup
		for _, r := range wave {
			wait.Go(func() {
				resp, err := w.client.Do(r.Clone(b.Context()))
				if err != nil {
					b.Error(err)
					return
				}
				defer func() { _ = resp.Body.Close() }()
				if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
					b.Errorf("%s: status %d, %v", r.URL.Path, resp.StatusCode, err)
				}
			})
		}
		wait.Wait()
	}
}

func operation(b *testing.B, query string) []byte {
	b.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		b.Fatal(err)
	}
	return fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// connection is a client that costs next to nothing.
type connection struct {
	net.Conn
	in *bufio.Reader
}

func dial(b *testing.B, url string) connection {
	b.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return connection{conn, bufio.NewReaderSize(conn, 64<<10)}
}

// exchange sends a request as it is and returns the answer's body.
func exchange(b *testing.B, c connection, request []byte) []byte {
	b.Helper()
	if _, err := c.Write(request); err != nil {
		b.Fatal(err)
	}
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var body bytes.Buffer
	body.Grow(int(max(resp.ContentLength, 0)))
	if _, err := body.ReadFrom(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		b.Fatalf("status %d, %v: %s", resp.StatusCode, err, body.Bytes())
	}
	return body.Bytes()
}

func took(do func()) time.Duration {
	start := time.Now()
	do()
	return time.Since(start)
}

// cpu is the time that this process computed, on all cores, while do ran.
func cpu(do func()) time.Duration {
	before := processTime()
	do()
	return processTime() - before
}

func processTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}
