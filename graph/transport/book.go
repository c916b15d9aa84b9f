package transport

import (
	"strconv"
	"sync"
)

// book knows the operations that are under way on a socket. Each has a number by which gqlgen knows it, so that what is left
// of one that its caller has ended is not taken for the next one with that id. Safe for concurrent use.
type book struct {
	most int

	mu      sync.Mutex
	number  int
	ids     map[string]string // numbers by the caller's ids
	entries map[string]*entry // by numbers
	waiting chan struct{}     // closed when nothing is under way; made when somebody waits
	left    []*Stream         // were ended because the process ends
	expired bool              // the caller's credential has ended
}

// entry is an operation under way.
type entry struct {
	id     string // empty: its caller ended it
	stream *Stream
}

func newBook(most int) book {
	return book{most: most, ids: map[string]string{}, entries: map[string]*entry{}}
}

// add enters an operation. taken: there is one with that id. Without a number there are too many; those that were ended and
// are not over yet count, too, but not as much.
func (b *book) add(id string) (number string, taken bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, taken := b.ids[id]; taken {
		return "", true
	}
	if len(b.ids) >= b.most || len(b.entries) >= 2*b.most {
		return "", false
	}
	b.number++
	number = strconv.Itoa(b.number)
	b.ids[id], b.entries[number] = number, &entry{id: id}
	return number, false
}

// latest is the number that was given out last.
func (b *book) latest() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strconv.Itoa(b.number)
}

// carries notes the stream of an operation, which is over if the caller's credential is.
func (b *book) carries(number string, stream *Stream) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.entries[number]; e != nil {
		e.stream = stream
	}
	if b.expired {
		stream.expire()
	}
}

// end is for an operation whose caller has ended it: nothing more of it is told.
func (b *book) end(id string) (number string, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	number, ok = b.ids[id]
	if ok {
		delete(b.ids, id)
		b.entries[number].id = ""
	}
	return number, ok
}

// outgoing is the caller's id of the operation that a message is of. Not wanted: the caller is not to hear of it. After the
// last message the id is free.
func (b *book) outgoing(m message) (id string, wanted bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entries[m.ID]
	if e == nil || e.id == "" {
		return "", false
	}
	id = e.id
	if m.Type == typeComplete || m.Type == typeError {
		delete(b.ids, id)
		e.id = ""
	}
	return id, !(m.Type == typeComplete && (e.leaves() || e.expired())) // that goes on elsewhere
}

// leaves tells whether the end of the process has ended it.
func (e *entry) leaves() bool { return e.stream != nil && e.stream.leaves() }

// expired tells whether the end of its caller's credential has ended it.
func (e *entry) expired() bool { return e.stream != nil && e.stream.expired() }

// strike takes out an operation that is over.
func (b *book) strike(number string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entries[number]
	if e == nil {
		return
	}
	if e.leaves() {
		b.left = append(b.left, e.stream)
	}
	delete(b.entries, number)
	if len(b.entries) == 0 && b.waiting != nil {
		close(b.waiting)
		b.waiting = nil
	}
}

// finished is closed when nothing is under way.
func (b *book) finished() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting == nil {
		b.waiting = make(chan struct{})
	}
	done := b.waiting
	if len(b.entries) == 0 {
		close(b.waiting)
		b.waiting = nil
	}
	return done
}

// tooSlow ends all streams because their caller does not read.
func (b *book) tooSlow() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.entries {
		if e.stream != nil {
			e.stream.tooSlow()
		}
	}
}

// expire ends all streams because the caller's credential has ended.
func (b *book) expire() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expired = true
	for _, e := range b.entries {
		if e.stream != nil {
			e.stream.expire()
		}
	}
}

// cursor is the last one of the stream that the end of the process has ended; empty: there were none, or several.
func (b *book) cursor() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.left) != 1 {
		return ""
	}
	return b.left[0].last()
}
