package transport

import (
	"container/list"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// StreamConfig says how much streams may take. A zero stands for the default.
type StreamConfig struct {
	// Process is the most subscriptions, and the most sockets of callers who were admitted, of the whole process. 1,000
	Process int
	// Strangers is the most sockets whose callers were not admitted yet. They have no part in Process, so that whoever opens
	// sockets is in nobody's way but that of other strangers; of these, who says nothing makes room. 100
	Strangers int
	// Socket is the most operations under way on one socket. 10
	Socket int
	// Message is the longest message of a socket's caller, in bytes. 1 MiB, of which a caller who was not admitted yet has 64 KiB.
	Message int64
	// Init is how long a socket waits for connection_init. 5 s
	Init time.Duration
	// Ping is how often a caller is sent a sign of life. A socket whose caller sends none in twice that time is cut. 25 s
	Ping time.Duration
	// Write is how long a caller may take to read one message; then it is cut. When the process ends it is a quarter of that. 10 s
	Write time.Duration
	// Observe is told of each event that was handed to a caller: for how long it had been due, and whether it was told before
	// the stream began. It has to be quick and safe for concurrent use. Nil: nobody looks.
	Observe func(lag time.Duration, replayed bool)
	// Log gets a line for each stream that ends. Nil: none.
	Log *slog.Logger
}

func (c StreamConfig) orDefaults() StreamConfig {
	c.Process = or(c.Process, 1000)
	c.Strangers = or(c.Strangers, 100)
	c.Socket = or(c.Socket, 10)
	c.Message = or(c.Message, 1<<20)
	c.Init = or(c.Init, 5*time.Second)
	c.Ping = or(c.Ping, 25*time.Second)
	c.Write = or(c.Write, 10*time.Second)
	if c.Observe == nil {
		c.Observe = func(time.Duration, bool) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// Streams are the subscriptions of a process, over whatever they are carried. Safe for concurrent use.
type Streams struct {
	config StreamConfig
	life   context.Context // over when the process ends
	end    context.CancelFunc

	strangers, sockets         atomic.Int64 // before and after their callers are admitted
	websocket, sse             atomic.Int64
	live, replayed, gaps, slow atomic.Uint64
	mu                         sync.Mutex // for counting up to the limits
	silent                     list.List  // of *socket: those whose callers have said nothing yet, for the longest first
}

// NewStreams makes the streams of a process. Close ends them.
func NewStreams(c StreamConfig) *Streams {
	life, end := context.WithCancel(context.Background())
	return &Streams{config: c.orDefaults(), life: life, end: end}
}

// Close ends all streams, each with its last cursor, and lets no other begin. It waits for none: their handlers return.
func (s *Streams) Close() { s.end() }

// StreamStats are what streams have come to.
type StreamStats struct {
	Sockets        int    // open, with callers who were admitted
	Strangers      int    // open, with callers who were not admitted yet
	WebSocket, SSE int    // subscriptions that are open
	Live, Replayed uint64 // events handed to callers: as they came, and those of before
	Gaps           uint64 // gaps told
	Slow           uint64 // callers that were cut because they did not read
}

// Stats returns the counts since the process began.
func (s *Streams) Stats() StreamStats {
	return StreamStats{
		Sockets: int(s.sockets.Load()), Strangers: int(s.strangers.Load()), WebSocket: int(s.websocket.Load()), SSE: int(s.sse.Load()),
		Live: s.live.Load(), Replayed: s.replayed.Load(), Gaps: s.gaps.Load(), Slow: s.slow.Load(),
	}
}

// ending tells whether the process ends.
func (s *Streams) ending() bool { return s.life.Err() != nil }

// patience is how long a caller may take to read what is sent now.
func (s *Streams) patience() time.Duration {
	if s.ending() {
		return s.config.Write / 4
	}
	return s.config.Write
}

// lets tells whether another socket may be opened. Then strangers has to be counted down again, or sockets once it is admitted.
// Where there are as many strangers as there may be, who has been silent for the longest makes room: callers speak at once, and
// whoever opens sockets and says nothing would keep them out.
func (s *Streams) lets() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending() || s.sockets.Load() >= int64(s.config.Process) {
		return false
	}
	if most := int64(s.config.Strangers); s.strangers.Load() >= most {
		longest := s.silent.Front()
		if longest == nil || s.strangers.Load() >= 2*most { // those that were cut are not gone at once
			return false
		}
		go s.silent.Remove(longest).(*socket).cut()
	}
	s.strangers.Add(1)
	return true
}

// waits notes that a caller has said nothing yet.
func (s *Streams) waits(one *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one.place = s.silent.PushBack(one)
}

// speaks notes that a caller has, or never will.
func (s *Streams) speaks(one *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent.Remove(one.place) // nothing, if it made room
}

// admits tells whether there is room for the caller of an open socket. Then it is no stranger's any more.
func (s *Streams) admits() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sockets.Load() >= int64(s.config.Process) {
		return false
	}
	s.strangers.Add(-1)
	s.sockets.Add(1)
	return true
}

// errEnding is why streams end before their events do.
var errEnding = errors.New("the process ends")

// open begins a stream; nil: there are as many as there may be. count is that of its transport. resume is where its caller
// wants to go on, if its transport has a place for that.
func (s *Streams) open(ctx context.Context, count *atomic.Int64, resume string) *Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending() || s.websocket.Load()+s.sse.Load() >= int64(s.config.Process) {
		return nil
	}
	count.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	stream := &Stream{streams: s, count: count, resume: resume, began: time.Now(), cancel: cancel}
	stream.ctx = context.WithValue(ctx, streamKey{}, stream)
	stream.forget = context.AfterFunc(s.life, func() { cancel(errEnding) })
	return stream
}
