package eventlog

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis is a log in a Stream, shared by all who use the same prefix of the same Redis. It needs Redis 6.2 or newer, or
// what speaks like it: alone, with Sentinels or as a cluster, one that keeps on disk what it is told and evicts nothing.
//
// All subscriptions of a process share one reader of the Stream. While Redis is away they wait, and go on where they were.
// A Redis that lost what it knew begins a new life: they are told of a gap.
type Redis[E any] struct {
	// Timeout bounds each call. It must not change once there was one.
	Timeout time.Duration

	client    redis.UniversalClient
	keys      []string // of the stream, the places of ids in it, and what is known of it
	retention time.Duration
	feed      *feed[E]

	begin   sync.Once
	ending  context.Context
	end     context.CancelFunc
	reading sync.WaitGroup
}

var _ Log[struct{}] = (*Redis[struct{}])(nil)

const (
	// Retention is how long a log in Redis keeps events, unless it is told otherwise.
	Retention = 35 * 24 * time.Hour

	// CallTimeout bounds a call of Redis, unless it is told otherwise.
	CallTimeout = time.Second

	mostAppended = 100 // events in one call
	mostTrimmed  = 200 // at least as many more than are appended, so that it keeps up
	// tailEvents and tailBytes are what a process has of the log.
	tailEvents = 4096
	tailBytes  = 8 << 20
	// listens is how long the reader waits for what is new before it looks whether the log is the same.
	listens = 250 * time.Millisecond
)

// NewRedis makes a log of that name, whose keys begin with prefix, and which forgets what is older than retention; 0: [Retention].
// It sends nothing. The client has to heed its contexts' deadlines; it stays the caller's, who closes it after the log.
func NewRedis[E any](client redis.UniversalClient, prefix, name string, codec Codec[E], retention time.Duration) *Redis[E] {
	tag := prefix + "1:{" + name + "}:"
	r := &Redis[E]{
		Timeout: CallTimeout, client: client, keys: []string{tag + "log", tag + "ids", tag + "life"},
		retention: cmp.Or(retention, Retention),
	}
	r.feed = &feed[E]{codec: codec, most: tailEvents, mostBytes: tailBytes, read: r.read}
	r.ending, r.end = context.WithCancel(context.Background())
	return r
}

// Append implements Log.
func (r *Redis[E]) Append(ctx context.Context, events []E) (fresh []bool, err error) {
	if err := whole(r.feed.codec, events); err != nil {
		return nil, err
	}
	for len(events) > 0 {
		part := events[:min(len(events), mostAppended)]
		events = events[len(part):]
		args := []any{uint64(newEpoch()), r.retention.Milliseconds(), mostTrimmed}
		for i := range part {
			args = append(args, r.feed.codec.ID(&part[i]), r.feed.codec.Encode(&part[i]))
		}
		answers, err := r.run(ctx, scripts.append, args...)
		if err != nil {
			return nil, err
		}
		if len(answers) != len(part) {
			return nil, ErrUnreadable
		}
		for _, answer := range answers {
			fresh = append(fresh, answer == int64(1))
		}
	}
	return fresh, ctx.Err()
}

// Read implements Log.
func (r *Redis[E]) Read(ctx context.Context, after Cursor, limit int) (Page[E], error) {
	at, err := after.position()
	if err != nil {
		return Page[E]{}, err
	}
	return r.read(ctx, at, limit)
}

// life is what is known of a log as a whole.
type life struct{ trimmed, last position }

func (r *Redis[E]) read(ctx context.Context, after position, limit int) (Page[E], error) {
	whole, found, err := r.readRaw(ctx, after, limit)
	if err != nil {
		return Page[E]{}, err
	}
	lost := after.epoch != whole.last.epoch || after.before(whole.trimmed) || whole.last.before(after)
	if !lost {
		return r.decodePage(after, found, limit), nil
	}
	resume := whole.trimmed
	if after.epoch == whole.last.epoch && whole.last.before(after) {
		resume = whole.last // this Redis took over from one that knew more
	}
	again, found, err := r.readRaw(ctx, resume, limit)
	if err != nil {
		return Page[E]{}, err
	}
	if again.last.epoch != resume.epoch {
		return Page[E]{}, ErrUnreadable // it began anew in between
	}
	page := r.decodePage(resume, found, limit)
	if after != (position{}) {
		page.Gap = &Gap{Reason: ExpiredCursor, After: after.cursor(), ResumesAt: resume.cursor()}
	}
	return page, nil
}

// readRaw returns ids and texts of entries, by turns.
func (r *Redis[E]) readRaw(ctx context.Context, after position, limit int) (life, []string, error) {
	answers, err := r.run(ctx, scripts.read, uint64(newEpoch()), after.streamID(), max(limit, 0))
	if err != nil {
		return life{}, nil, err
	}
	texts := make([]string, len(answers))
	for i, answer := range answers {
		texts[i], _ = answer.(string)
	}
	if len(texts) < 3 {
		return life{}, nil, ErrUnreadable
	}
	number, err := strconv.ParseUint(texts[0], 10, 64)
	trimmed, readable := parseStreamID(epoch(number), texts[1])
	last, also := parseStreamID(epoch(number), texts[2])
	if err != nil || !readable || !also || number == 0 {
		return life{}, nil, ErrUnreadable
	}
	return life{trimmed, last}, texts[3:], nil
}

// decodePage makes a page that begins after a position. What cannot be read is a gap: the page ends before it, or, where it
// comes first, begins behind it.
func (r *Redis[E]) decodePage(after position, found []string, limit int) Page[E] {
	page := Page[E]{next: after, More: len(found) >= 2*limit && limit > 0}
	for i := 0; i+1 < len(found); i += 2 {
		at, readable := parseStreamID(after.epoch, found[i])
		e, err := r.feed.codec.Decode([]byte(found[i+1]))
		if !readable || err != nil {
			if len(page.Entries) > 0 {
				page.More = true
				break
			}
			page.Gap = &Gap{Reason: ExpiredCursor, After: after.cursor(), ResumesAt: at.cursor()}
			page.next = at
			continue
		}
		page.Entries = append(page.Entries, &Entry[E]{Event: e, Cursor: at.cursor(), at: at})
		page.next = at
	}
	page.Next = page.next.cursor()
	return page
}

// Find implements Log.
func (r *Redis[E]) Find(ctx context.Context, id string) (entry Entry[E], ok bool, err error) {
	found, err := r.run(ctx, scripts.find, id)
	if err != nil || len(found) != 3 {
		return Entry[E]{}, false, err
	}
	texts := [3]string{}
	for i := range texts {
		texts[i], _ = found[i].(string)
	}
	number, err := strconv.ParseUint(texts[0], 10, 64)
	at, readable := parseStreamID(epoch(number), texts[1])
	if err != nil || !readable {
		return Entry[E]{}, false, ErrUnreadable
	}
	e, err := r.feed.codec.Decode([]byte(texts[2]))
	if err != nil || r.feed.codec.ID(&e) != id {
		return Entry[E]{}, false, ErrUnreadable
	}
	return Entry[E]{Event: e, Cursor: at.cursor(), at: at}, true, nil
}

// Bounds implements Log.
func (r *Redis[E]) Bounds(ctx context.Context) (oldest, newest Cursor, err error) {
	whole, _, err := r.readRaw(ctx, position{}, 0)
	if err != nil {
		return "", "", err
	}
	return whole.trimmed.cursor(), whole.last.cursor(), nil
}

// Follow implements Log.
func (r *Redis[E]) Follow(after Cursor, filter func(*E) bool) (*Subscription[E], error) {
	s, err := r.feed.follow(after, filter)
	if err == nil {
		r.begin.Do(func() { r.reading.Go(r.listen) })
	}
	return s, err
}

// Close implements Log.
func (r *Redis[E]) Close() {
	r.feed.close()
	r.end()
	r.begin.Do(func() {}) // nobody begins any more
	r.reading.Wait()
}

// listen reads what is new until the log is closed.
func (r *Redis[E]) listen() {
	for r.ending.Err() == nil {
		if err := r.catchUp(); err != nil {
			select {
			case <-time.After(readAgain):
			case <-r.ending.Done():
			}
		}
	}
}

// catchUp reads once what is new, and waits for something when there is nothing.
func (r *Redis[E]) catchUp() error {
	have := r.feed.tail.Load()
	if have == nil {
		whole, _, err := r.readRaw(r.ending, position{}, 0)
		if err == nil {
			r.feed.reset(whole.last)
		}
		return err
	}
	page, err := r.read(r.ending, have.newest, pageSize)
	if err != nil {
		return err
	}
	if page.Gap != nil {
		// Everybody finds out by reading on from where they are.
		resume, _ := page.Gap.ResumesAt.position()
		r.feed.reset(resume)
	}
	r.feed.publish(page.Entries)
	if page.More {
		return nil
	}
	return r.await(page.next)
}

// await waits until there is something after a position, or for a while.
func (r *Redis[E]) await(after position) error {
	ctx, cancel := context.WithTimeout(r.ending, listens+r.Timeout)
	defer cancel()
	err := r.client.XRead(ctx, &redis.XReadArgs{Streams: []string{r.keys[0], after.streamID()}, Count: 1, Block: listens}).Err()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return err
}

// run runs a script, whose answer is a list.
func (r *Redis[E]) run(ctx context.Context, script *redis.Script, args ...any) ([]any, error) {
	return RunScript(ctx, r.client, r.Timeout, script, r.keys, args...)
}

// RunScript runs a script, whose answer is a list, and waits no longer for it than timeout. Errors hold nothing of its arguments.
func RunScript(ctx context.Context, client redis.UniversalClient, timeout time.Duration, script *redis.Script, keys []string, args ...any) ([]any, error) {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := script.Run(bounded, client, keys, args...).Slice()
	return answer, Trouble(ctx, err)
}
