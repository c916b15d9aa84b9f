package rediserr

import (
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Health tells a log whether Redis works: a line for each cause of trouble, however many parts of the program meet it, and
// a line when all of them can work again. It is safe for concurrent use.
type Health struct {
	log    *slog.Logger
	server Server

	mu     sync.Mutex
	ailing map[string]ailment // by part
	told   map[Error]bool     // causes, since all was well
	since  time.Time
	worked bool
}

// ailment is what a part last met.
type ailment struct {
	*Error
	at time.Time
}

const (
	// idle is how long a part says nothing that has no use for Redis at present.
	idle = 5 * time.Second
	// moment is for how long it may be late without a line, once it has worked.
	moment = time.Second
)

// NewHealth makes one for a Redis that nobody has tried yet.
func NewHealth(server Server, log *slog.Logger) *Health {
	return &Health{log: log, server: server, ailing: map[string]ailment{}, told: map[Error]bool{}}
}

// Report notes that a part of the program cannot do its work because of err, which wraps an [Error]; nil: it can. It may be
// called whenever that shows, and a part that fails has to call it again while it does. What concerns a single call is
// not worth a report.
func (h *Health) Report(part string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.works(part)
		return
	}
	trouble, ok := errors.AsType[*Error](err)
	if !ok {
		trouble = &Error{cause: otherwise, reason: err.Error()}
	}
	if len(h.ailing) == 0 {
		h.since = time.Now()
	}
	if _, known := h.ailing[part]; !known {
		h.log.Debug("a part is without Redis", "part", part, "because", trouble.reason)
	}
	h.ailing[part] = ailment{trouble, time.Now()}
	h.tell(part, trouble)
}

// Of is Report of one part.
func (h *Health) Of(part string) func(error) { return func(err error) { h.Report(part, err) } }

// Works tells whether no part is without Redis, as far as is known.
func (h *Health) Works() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.ailing) == 0
}

// tell writes a line about a cause that has none yet. What keeps everybody away has many forms, and is told once.
func (h *Health) tell(part string, trouble *Error) {
	key := Error{cause: trouble.cause}
	if trouble.cause == otherwise {
		key = *trouble
	}
	// Lateness comes with many a trouble, and on a busy machine by itself.
	if h.told[key] || trouble.reason == Late && (len(h.told) > 0 || h.worked && time.Since(h.since) < moment) {
		return
	}
	h.told[key] = true
	facts := []any{"because", trouble.reason, "cure", h.server.cure(trouble, h.worked), "setting", h.server.Setting}
	if h.everywhere(trouble) {
		facts = append(facts, "meanwhile", "each process is on its own, what has to be remembered is refused, and deletions and events wait")
	} else {
		facts = append(facts, "first", part)
	}
	h.log.Warn("Redis fails", facts...)
}

// everywhere tells whether whoever wants something of Redis has that trouble.
func (h *Health) everywhere(trouble *Error) bool {
	return trouble.cause.reaching() && !(h.server.Cluster && trouble.cause.local())
}

// works notes that a part can do its work. Then others could as well, whose trouble was that nobody reached the one server
// and who have not tried again.
func (h *Health) works(part string) {
	h.worked = true
	if len(h.ailing) == 0 {
		return
	}
	h.forget(part)
	for other, ailment := range h.ailing {
		if h.everywhere(ailment.Error) && time.Since(ailment.at) > idle {
			h.forget(other)
		}
	}
	if len(h.ailing) == 0 && len(h.told) > 0 {
		clear(h.told)
		h.log.Info("Redis works again", "after", time.Since(h.since).Round(time.Millisecond))
	}
}

func (h *Health) forget(part string) {
	if _, known := h.ailing[part]; known {
		delete(h.ailing, part)
		h.log.Debug("a part has Redis again", "part", part)
	}
}
