package soak

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"regtok/providers"
)

// remembered is how many requests an upstream remembers, for the evidence.
const remembered = 400

// upstream is a provider's emulator in strict mode, and takes note of every request.
type upstream struct {
	provider string
	base     string
	settings providers.Settings

	mu      sync.Mutex
	book    io.Writer
	start   time.Time
	last    []asked
	minutes []map[string]int // by kind
	status  map[int]int
	refused []string // evidence: the requests before each of the first refusals
}

// asked is one request with its answer.
type asked struct {
	begin, end   time.Time
	method, path string
	status       int
	told         string
}

// emulate starts an emulator with so many registries of so many tokens each. It ends with the test.
func emulate(t testing.TB, driver providers.Driver, registries, tokens int, start time.Time, book io.Writer) *upstream {
	emulator, err := driver.Emulator(providers.EmulatorOptions{Registries: registries, Tokens: tokens, RateLimit: true})
	if err != nil {
		t.Fatal(err)
	}
	u := &upstream{provider: driver.Name, book: book, start: start, status: map[int]int{}}
	server := httptest.NewServer(u.watch(emulator.Handler))
	t.Cleanup(server.CloseClientConnections)
	t.Cleanup(server.Close)
	u.base, u.settings = server.URL, emulator.Settings(server.URL)
	return u
}

// watch takes note of what passes.
func (u *upstream) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one := asked{begin: time.Now(), method: r.Method, path: r.URL.EscapedPath()}
		seen := &watched{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		one.end, one.status, one.told = time.Now(), seen.status, told(w.Header())
		u.note(one)
	})
}

// told is what an answer tells of allowances.
func told(h http.Header) string {
	var parts []string
	for name, values := range h {
		if lower := strings.ToLower(name); strings.HasSuffix(lower, "remaining") || strings.HasSuffix(lower, "reset") || lower == "retry-after" {
			parts = append(parts, name+"="+values[0])
		}
	}
	return strings.Join(parts, " ")
}

func (u *upstream) note(one asked) {
	u.mu.Lock()
	defer u.mu.Unlock()
	fmt.Fprintln(u.book, u.provider, one.tell(u.start))
	minute := int(one.begin.Sub(u.start) / time.Minute)
	for len(u.minutes) <= minute {
		u.minutes = append(u.minutes, map[string]int{})
	}
	u.minutes[minute][one.kind()]++
	u.status[one.status]++
	u.last = append(u.last, one)
	if len(u.last) > remembered {
		u.last = append(u.last[:0], u.last[1:]...)
	}
	if one.status == http.StatusTooManyRequests && len(u.refused) < 3 {
		u.refused = append(u.refused, u.before(one.begin.Add(-time.Minute)))
	}
}

// before tells of the requests since then.
func (u *upstream) before(since time.Time) string {
	var text strings.Builder
	for _, one := range u.last {
		if one.begin.After(since) {
			fmt.Fprintf(&text, "\n    %s %s", u.provider, one.tell(u.start))
		}
	}
	return text.String()
}

func (a asked) tell(start time.Time) string {
	return fmt.Sprintf("%.3fs +%.3fs %d %s %s %s", a.begin.Sub(start).Seconds(), a.end.Sub(a.begin).Seconds(), a.status, a.method, a.path, a.told)
}

// kind is what was done, by the shape of the path: it ends with the name of a list, or with the id of one of a list.
func (a asked) kind() string {
	lists := []string{"organizations", "registries", "tokens", "members", "contracts", "users"}
	parts := strings.Split(strings.Trim(a.path, "/"), "/")
	last := parts[len(parts)-1]
	if len(parts) > 1 && !slices.Contains(lists, last) && slices.Contains(lists, parts[len(parts)-2]) {
		last = "one of " + parts[len(parts)-2]
	}
	return a.method + " " + last
}

// total counts all requests so far, and those refused.
func (u *upstream) total() (requests, refused int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, n := range u.status {
		requests += n
	}
	return requests, u.status[http.StatusTooManyRequests]
}

// watched remembers the status of an answer.
type watched struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *watched) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the writer beneath.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
