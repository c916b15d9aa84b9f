package cache

import (
	"cmp"
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// hearingFor is how long it is remembered who has to hear of a bump.
const hearingFor = time.Minute

// Bump implements Store. A generation is ended by removing it, which a Redis that is full does too; whoever comes next
// makes another. Who listens is asked after that, since whoever registers later believes nothing from before; and before
// the bump is told, since whoever is registered hears.
func (r *Redis) Bump(ctx context.Context, scopes ...Scope) (heard <-chan struct{}, err error) {
	if len(scopes) == 0 {
		return nil, nil
	}
	var removals []*redis.IntCmd
	var listeners *redis.Cmd
	var message *redis.IntCmd
	number, all := r.hearings.begin()
	r.inOrder(ctx, func(p redis.Pipeliner) {
		for _, scope := range scopes { // each by itself: in a cluster they lie apart
			removals = append(removals, p.Del(ctx, r.scopeName(scope)))
		}
	}, func(p redis.Pipeliner) {
		listeners = p.Eval(ctx, listenersScript, []string{r.listenersName()})
	}, func(p redis.Pipeliner) {
		message = p.Publish(ctx, r.bumpChannel(), encodeBump(r.origin, number, scopes))
	})
	for _, removal := range removals {
		err = cmp.Or(err, removal.Err())
	}
	if err = cmp.Or(err, message.Err()); err != nil {
		r.hearings.end(number)
		return nil, trouble(err)
	}
	others, known := r.others(listeners)
	if !known {
		r.hearings.end(number)
		return nil, nil
	}
	r.hearings.expect(number, others)
	return all, nil
}

// inOrder does steps one after the other: in one round trip, where one server does all. What went wrong their commands
// say.
func (r *Redis) inOrder(ctx context.Context, steps ...func(redis.Pipeliner)) {
	for i := range steps {
		_, _ = r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			if !r.alone {
				steps[i](p)
				return nil
			}
			for _, step := range steps {
				step(p)
			}
			return nil
		})
		if r.alone {
			return
		}
	}
}

// hearings are the bumps of which not all have heard, by their numbers.
type hearings struct {
	mu   sync.Mutex
	last uint64
	open map[uint64]*hearing
}

// hearing is who has heard of a bump, and who has to.
type hearing struct {
	began time.Time
	by    map[string]bool
	of    []string // nil: not known yet
	all   chan struct{}
}

func newHearings() hearings { return hearings{open: map[uint64]*hearing{}} }

// begin numbers a bump. all is closed when all have heard of it.
func (h *hearings) begin() (number uint64, all <-chan struct{}) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	for number, old := range h.open {
		if now.Sub(old.began) >= hearingFor {
			delete(h.open, number)
		}
	}
	h.last++
	next := &hearing{began: now, by: map[string]bool{}, all: make(chan struct{})}
	h.open[h.last] = next
	return h.last, next.all
}

func (h *hearings) end(number uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.open, number)
}

// expect says who has to hear of a bump. Some may have by now.
func (h *hearings) expect(number uint64, of []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if bump := h.open[number]; bump != nil {
		bump.of = append([]string{}, of...)
		h.settle(number, bump)
	}
}

// heard notes that a process has heard of a bump.
func (h *hearings) heard(origin string, number uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if bump := h.open[number]; bump != nil {
		bump.by[origin] = true
		h.settle(number, bump)
	}
}

// settle wants h to be locked.
func (h *hearings) settle(number uint64, bump *hearing) {
	if bump.of == nil {
		return
	}
	for _, origin := range bump.of {
		if !bump.by[origin] {
			return
		}
	}
	delete(h.open, number)
	close(bump.all)
}

// encodeBump makes the message that tells of a bump.
func encodeBump(origin string, number uint64, scopes []Scope) string {
	parts := make([]string, 0, 2+2*len(scopes))
	parts = append(parts, origin, strconv.FormatUint(number, 10))
	for _, scope := range scopes {
		parts = append(parts, scope.Tenant, scope.Name)
	}
	return Join(parts...)
}

func decodeBump(message string) (origin, number string, scopes []Scope, ok bool) {
	parts, ok := split(message)
	if !ok || len(parts) < 2 || len(parts)%2 != 0 {
		return "", "", nil, false
	}
	for i := 2; i < len(parts); i += 2 {
		scopes = append(scopes, Scope{Tenant: parts[i], Name: parts[i+1]})
	}
	return parts[0], parts[1], scopes, true
}
