package ledger

import (
	"context"
	"sync"

	"regtok/providers"
)

// locks are this process's locks of tokens. Who waits longest is next.
type locks struct {
	mu   sync.Mutex
	held map[providers.ID]*lock
}

// lock is there while somebody holds it or waits for it.
type lock struct {
	slot  chan struct{} // full while it is held
	users int
}

// lock waits until nobody else holds the token's lock, or ctx ends. unlock may be called more than once.
func (l *locks) lock(ctx context.Context, token providers.ID) (unlock func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	one := l.join(token)
	select {
	case one.slot <- struct{}{}:
	case <-ctx.Done():
		l.leave(token, one)
		return nil, ctx.Err()
	}
	return sync.OnceFunc(func() {
		<-one.slot
		l.leave(token, one)
	}), nil
}

func (l *locks) join(token providers.ID) *lock {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.held[token]
	if one == nil {
		one = &lock{slot: make(chan struct{}, 1)}
		if l.held == nil {
			l.held = map[providers.ID]*lock{}
		}
		l.held[token] = one
	}
	one.users++
	return one
}

func (l *locks) leave(token providers.ID, one *lock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one.users--
	if one.users == 0 {
		delete(l.held, token)
	}
}
