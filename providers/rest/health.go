package rest

import (
	"sync"
	"time"

	"regtok/providers"
)

// health is how the last requests went.
type health struct {
	mu          sync.Mutex
	lastSuccess time.Time
	lastError   string
}

// succeeded tells whether the account was sick until now.
func (h *health) succeeded(now time.Time) (recovered bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	recovered = h.lastError != ""
	h.lastSuccess, h.lastError = now, ""
	return recovered
}

// failed tells whether the account was well until now.
func (h *health) failed(sentence string) (fell bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fell = h.lastError == ""
	h.lastError = sentence
	return fell
}

// fell and recovered log a change of state, once: nobody reads a line for each request of a bad hour.
func (t *Transport) fell(sentence string) {
	if t.health.failed(sentence) {
		t.log.Warn("account failing", "error", sentence)
	}
}

func (t *Transport) recovered(now time.Time) {
	if t.health.succeeded(now) {
		t.log.Info("account well again")
	}
}

// Health tells how the account's last requests went and what is left of its allowances. An answer that is the
// caller's matter, such as 404, is a success; 401 is the account's failure; 429 is neither.
func (t *Transport) Health() providers.Health {
	budgets := t.budget.Snapshot()
	t.health.mu.Lock()
	defer t.health.mu.Unlock()
	return providers.Health{
		Healthy:     t.health.lastError == "",
		LastSuccess: t.health.lastSuccess,
		LastError:   t.health.lastError,
		Budgets:     budgets,
	}
}
