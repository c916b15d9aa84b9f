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

func (h *health) succeeded(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lastSuccess, h.lastError = now, ""
}

func (h *health) failed(sentence string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lastError = sentence
}

// Health tells how the account's last requests went and what is left of its allowances. An answer that is the
// caller's matter, such as 404, is a success; 401 is the account's failure; 429 is neither.
func (t *Transport) Health() providers.Health {
	budgets := t.budget.snapshot(time.Now())
	t.health.mu.Lock()
	defer t.health.mu.Unlock()
	return providers.Health{
		Healthy:     t.health.lastError == "",
		LastSuccess: t.health.lastSuccess,
		LastError:   t.health.lastError,
		Budgets:     budgets,
	}
}
