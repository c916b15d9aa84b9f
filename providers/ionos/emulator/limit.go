package emulator

import (
	"net/http"
	"time"
)

// window is an allowance of requests for each minute, for the whole contract.
type window struct {
	limit int
	start time.Time
	used  int
}

// take uses one request, or refuses with the seconds until the next minute begins.
func (w *window) take(now time.Time) error {
	if now.Sub(w.start) >= time.Minute {
		w.start, w.used = now, 0
	}
	if w.used < w.limit {
		w.used++
		return nil
	}
	wait := w.start.Add(time.Minute).Sub(now)
	seconds := int((wait + time.Second - 1) / time.Second)
	return &fault{status: http.StatusTooManyRequests, message: "Too many requests", retry: seconds}
}
