package cache

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// pingEvery is how long the channel may be quiet before the connection is tried, and how long that may take: one
	// that hangs is found after twice as long.
	pingEvery = time.Second
	// listenAgain is about how long a connection that was lost is left alone.
	listenAgain = 200 * time.Millisecond
)

// Watch implements Store.
func (r *Redis) Watch(ctx context.Context, bumped func(Scope), lost func()) {
	for ctx.Err() == nil {
		r.listen(ctx, bumped, lost)
		select {
		case <-ctx.Done():
		case <-time.After(listenAgain/2 + rand.N(listenAgain)):
		}
	}
}

// listen subscribes and listens until the connection is lost, or ctx ends.
func (r *Redis) listen(ctx context.Context, bumped func(Scope), lost func()) {
	channel := r.client.Subscribe(ctx)
	defer func() { _ = channel.Close() }()
	defer context.AfterFunc(ctx, func() { _ = channel.Close() })()
	subscribing, cancel := context.WithTimeout(ctx, 2*pingEvery)
	defer cancel()
	if channel.Subscribe(subscribing, r.channel()) != nil {
		return
	}
	pinged := false
	for {
		heard, err := receive(ctx, channel)
		if waited, ok := errors.AsType[net.Error](err); ok && waited.Timeout() && !pinged {
			pinged = true
			err = channel.Ping(ctx)
		} else {
			pinged = false
		}
		if err != nil {
			return
		}
		switch heard := heard.(type) {
		case *redis.Subscription:
			lost()
		case *redis.Message:
			r.hear(heard.Payload, bumped, lost)
		}
	}
}

// receive waits for what comes next. A connection that is replaced meanwhile is not waited for much longer.
func receive(ctx context.Context, channel *redis.PubSub) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*pingEvery)
	defer cancel()
	return channel.ReceiveTimeout(ctx, pingEvery)
}

// hear passes a message on. One that cannot be read may have told of anything.
func (r *Redis) hear(message string, bumped func(Scope), lost func()) {
	origin, scopes, ok := decodeBump(message)
	switch {
	case !ok:
		lost()
	case origin != r.origin:
		for _, scope := range scopes {
			bumped(scope)
		}
	}
}

// encodeBump makes the message that tells of a bump.
func encodeBump(origin string, scopes []Scope) string {
	parts := make([]string, 0, 1+2*len(scopes))
	parts = append(parts, origin)
	for _, scope := range scopes {
		parts = append(parts, scope.Tenant, scope.Name)
	}
	return Join(parts...)
}

func decodeBump(message string) (origin string, scopes []Scope, ok bool) {
	parts, ok := split(message)
	if !ok || len(parts)%2 == 0 {
		return "", nil, false
	}
	for i := 1; i < len(parts); i += 2 {
		scopes = append(scopes, Scope{Tenant: parts[i], Name: parts[i+1]})
	}
	return parts[0], scopes, true
}
