// Package tap stands in front of a provider's API, or of its emulator, and counts, delays and spoils what passes.
// It knows no provider.
package tap

import (
	"cmp"
	"maps"
	"net/http"
	"sync"
	"time"
)

// Other is the key under which Requests counts what comes after ten thousand different paths, so that a tap that
// runs for weeks stays small.
const Other = "other"

const maxPaths = 10_000

// Tap is an http.Handler around another one. All its methods are safe for concurrent use, also while it serves.
type Tap struct {
	next http.Handler

	mu       sync.Mutex
	requests map[string]int
	statuses map[int]int
	total    int
	latency  time.Duration
	spoil    func(w http.ResponseWriter, r *http.Request, nth int) bool
	nth      int
}

// New taps next.
func New(next http.Handler) *Tap {
	return &Tap{next: next, requests: map[string]int{}, statuses: map[int]int{}}
}

// ServeHTTP counts the request, waits, and passes it on unless it is spoiled.
func (t *Tap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	latency, spoil, nth := t.count(r)
	if !wait(r, latency) {
		return
	}
	heard := &heard{ResponseWriter: w}
	if spoil == nil || !spoil(heard, r, nth) {
		t.next.ServeHTTP(heard, r)
	}
	t.answered(heard.status)
}

// answered counts an answer. One that nobody began has the status 200.
func (t *Tap) answered(status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.statuses[cmp.Or(status, http.StatusOK)]++
}

// count takes note of a request and returns what is to happen to it.
func (t *Tap) count(r *http.Request) (time.Duration, func(http.ResponseWriter, *http.Request, int) bool, int) {
	// The escaped form, so that an escaped slash inside a part shows.
	key := r.Method + " " + r.URL.EscapedPath()
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.requests[key]; !known && len(t.requests) >= maxPaths {
		key = Other
	}
	t.requests[key]++
	t.total++
	t.nth++
	return t.latency, t.spoil, t.nth
}

// wait is false when the caller went away first.
func wait(r *http.Request, latency time.Duration) bool {
	if latency <= 0 {
		return true
	}
	timer := time.NewTimer(latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// Requests tells how many requests came since the last Reset, by method and path without query, the path escaped
// as it was sent: "GET /v2/organizations". The map is the caller's own.
func (t *Tap) Requests() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.requests)
}

// Statuses tells how many answers there were since the last Reset, by status: 429 are refusals. What was cut off before it was
// answered is not among them. The map is the caller's own.
func (t *Tap) Statuses() map[int]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.statuses)
}

// Total tells how many requests came since the last Reset.
func (t *Tap) Total() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.total
}

// Reset sets the counts to nothing. Latency and Spoil stay.
func (t *Tap) Reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests, t.statuses, t.total = map[string]int{}, map[int]int{}, 0
}

// SetLatency makes each request wait that long before it is answered, or until its context ends.
func (t *Tap) SetLatency(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.latency = d
}

// Spoil hands each request to f before it is passed on, with its number since this call: 1, 2, 3. When f returns
// true it has answered, and the request goes no further. Nil stops spoiling. f may be called by many goroutines at
// once.
func (t *Tap) Spoil(f func(w http.ResponseWriter, r *http.Request, nth int) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spoil, t.nth = f, 0
}

// heard is an answer whose status is listened to.
type heard struct {
	http.ResponseWriter
	status int // 0: not told yet
}

// WriteHeader implements http.ResponseWriter.
func (h *heard) WriteHeader(status int) {
	if h.status == 0 && status >= http.StatusOK { // what comes before is no answer
		h.status = status
	}
	h.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (h *heard) Write(p []byte) (int, error) {
	h.status = cmp.Or(h.status, http.StatusOK)
	return h.ResponseWriter.Write(p)
}

// Flush implements http.Flusher.
func (h *heard) Flush() {
	h.status = cmp.Or(h.status, http.StatusOK)
	_ = http.NewResponseController(h.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach what else the writer can do.
func (h *heard) Unwrap() http.ResponseWriter { return h.ResponseWriter }
