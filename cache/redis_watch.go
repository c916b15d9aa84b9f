package cache

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
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
func (r *Redis) Watch(ctx context.Context, w Watcher) {
	defer r.leave(ctx, w)
	for ctx.Err() == nil {
		if err := r.listen(ctx, w); err != nil && ctx.Err() == nil {
			w.Deaf(trouble(err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(listenAgain/2 + rand.N(listenAgain)):
		}
	}
}

// listen subscribes and listens until the connection is lost, or ctx ends. This process is registered once it hears.
func (r *Redis) listen(ctx context.Context, w Watcher) error {
	var work sync.WaitGroup
	defer r.standing.forget()
	defer work.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	channel := r.client.Subscribe(ctx)
	defer func() { _ = channel.Close() }()
	defer context.AfterFunc(ctx, func() { _ = channel.Close() })()
	subscribing, cancel := context.WithTimeout(ctx, 2*pingEvery)
	defer cancel()
	channels := []string{r.bumpChannel(), r.heardChannel(r.origin)}
	if err := channel.Subscribe(subscribing, channels...); err != nil {
		return err
	}
	replies := newReplies()
	subscribed, pinged := 0, false
	for {
		message, err := receive(ctx, channel)
		if waited, ok := errors.AsType[net.Error](err); ok && waited.Timeout() && !pinged {
			pinged = true
			err = channel.Ping(ctx)
		} else {
			pinged = false
		}
		if err != nil {
			return err
		}
		switch message := message.(type) {
		case *redis.Subscription:
			if subscribed++; subscribed == len(channels) {
				r.begin(ctx, w, replies, &work)
			}
			if subscribed > len(channels) {
				return nil // the client has connected anew by itself
			}
		case *redis.Message:
			r.hear(message, w, replies)
		}
	}
}

// begin registers this process and keeps it registered, and has it say what it has heard of.
func (r *Redis) begin(ctx context.Context, w Watcher, replies *replies, work *sync.WaitGroup) {
	if r.runs.now() == "" {
		w.Lost()
	}
	work.Go(func() {
		ticker := time.NewTicker(registerEvery)
		defer ticker.Stop()
		for ctx.Err() == nil {
			if err := r.register(ctx, w); err != nil && ctx.Err() == nil {
				w.Deaf(err)
			}
			select {
			case <-ctx.Done():
			case <-ticker.C:
			}
		}
	})
	work.Go(func() { r.reply(ctx, replies) })
}

// receive waits for what comes next. A connection that is replaced meanwhile is not waited for much longer.
func receive(ctx context.Context, channel *redis.PubSub) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*pingEvery)
	defer cancel()
	return channel.ReceiveTimeout(ctx, pingEvery)
}

// hear takes a message: of a bump, or that another process has heard of this one's. What cannot be read nobody hears of,
// and who sent it waits.
func (r *Redis) hear(message *redis.Message, w Watcher, replies *replies) {
	if message.Channel != r.bumpChannel() {
		parts, ok := split(message.Payload)
		if !ok || len(parts) == 0 {
			return
		}
		for _, text := range parts[1:] {
			if number, err := strconv.ParseUint(text, 10, 64); err == nil {
				r.hearings.heard(parts[0], number)
			}
		}
		return
	}
	origin, number, scopes, ok := decodeBump(message.Payload)
	if !ok || origin == r.origin {
		return
	}
	for _, scope := range scopes {
		w.Bumped(scope)
	}
	replies.add(origin, number)
}

// replies are the bumps that this process has heard of, and not said so: their numbers, by who told.
type replies struct {
	mu     sync.Mutex
	to     map[string][]string
	signal chan struct{}
}

func newReplies() *replies {
	return &replies{to: map[string][]string{}, signal: make(chan struct{}, 1)}
}

func (q *replies) add(origin, number string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.to[origin] = append(q.to[origin], number)
	select {
	case q.signal <- struct{}{}:
	default:
	}
}

func (q *replies) take() map[string][]string {
	q.mu.Lock()
	defer q.mu.Unlock()
	to := q.to
	q.to = map[string][]string{}
	return to
}

// reply says what this process has heard of. What comes up while it speaks it says together.
func (r *Redis) reply(ctx context.Context, replies *replies) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-replies.signal:
		}
		to := replies.take()
		speaking, cancel := context.WithTimeout(ctx, pingEvery)
		// Whoever does not get it waits a moment longer, and that is all.
		_, _ = r.client.Pipelined(speaking, func(p redis.Pipeliner) error {
			for origin, numbers := range to {
				p.Publish(speaking, r.heardChannel(origin), Join(append([]string{r.origin}, numbers...)...))
			}
			return nil
		})
		cancel()
	}
}
