package transport

import (
	"bytes"
	"container/list"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/coder/websocket"
)

// socket is a connection that speaks graphql-transport-ws, as gqlgen's transport sees it: only messages that the protocol
// allows reach that, and only those leave it. Pings and everything about closing are the socket's own matter.
type socket struct {
	conn    *websocket.Conn
	streams *Streams
	config  StreamConfig
	book    book
	asked   *graphql.RawParams // of the last subscribe; for the goroutine that reads alone

	closing sync.Once
	tasks   sync.WaitGroup // what timers and the end of the process start
	unhook  func() bool
	place   *list.Element // among the silent; the lock of streams guards it

	writes sync.Mutex  // one writes at a time
	limit  *time.Timer // for what is being written

	mu      sync.Mutex
	writing bool        // the limit counts
	over    bool        // nothing may start any more
	init    *time.Timer // for connection_init
	alive   *time.Timer // for the next ping
	heard   time.Time   // when the caller last said something
	begun   bool        // connection_init came
	unwatch func()      // the end of the caller's credential; nil: they were not admitted yet
	expired bool        // that was: nothing more is heard
}

var (
	_ transport.WebsocketImplementation = (*socket)(nil)
	_ transport.WebsocketConn           = (*socket)(nil)
)

func newSocket(conn *websocket.Conn, streams *Streams) *socket {
	s := &socket{conn: conn, streams: streams, config: streams.config, book: newBook(streams.config.Socket), heard: time.Now()}
	conn.SetReadLimit(min(s.config.Message, longestOfStranger)) // beyond it the library closes with 1009
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = time.AfterFunc(s.config.Write, s.task(func() {
		s.book.tooSlow()
		_ = s.Close()
	}))
	s.limit.Stop()
	s.init = time.AfterFunc(s.config.Init, s.task(func() { s.close(closeInitTimeout, "Connection initialisation timeout") }))
	s.alive = time.AfterFunc(s.config.Ping, s.task(s.beat))
	s.unhook = context.AfterFunc(streams.life, s.task(s.goAway))
	streams.waits(s)
	return s
}

// task is a function that is waited for when the socket stops, and does nothing after that.
func (s *socket) task(run func()) func() {
	return func() {
		s.mu.Lock()
		if s.over {
			s.mu.Unlock()
			return
		}
		s.tasks.Add(1)
		s.mu.Unlock()
		defer s.tasks.Done()
		run()
	}
}

// stop ends what is left of the socket. gqlgen reads no more by now, and has cancelled what runs.
func (s *socket) stop() {
	s.mu.Lock()
	s.over = true
	s.init.Stop()
	s.alive.Stop()
	s.limit.Stop()
	if s.unwatch != nil {
		s.unwatch()
	}
	s.mu.Unlock()
	s.streams.speaks(s)
	s.unhook()
	s.closing.Do(func() { _ = s.conn.CloseNow() }) // or whoever closes it does so in the order that the protocol wants
	<-s.book.finished()
	s.tasks.Wait()
}

// Accept implements transport.WebsocketImplementation: the upgrade is over by now.
func (s *socket) Accept(http.ResponseWriter, *http.Request, transport.WebsocketAcceptOptions) (transport.WebsocketConn, error) {
	return s, nil
}

// Subprotocol implements transport.WebsocketConn.
func (s *socket) Subprotocol() string { return subprotocol }

// NextReader implements transport.WebsocketConn: the next message that gqlgen has to know of.
func (s *socket) NextReader() (int, io.Reader, error) {
	for {
		kind, text, err := s.conn.Read(context.Background())
		if err != nil {
			return 0, nil, transport.ErrWebsocketClosed
		}
		if kind != websocket.MessageText {
			s.close(closeBadRequest, "Messages are text")
			continue // until the connection says that it is closed
		}
		if pass := s.receive(text); pass != nil {
			return int(kind), bytes.NewReader(pass), nil
		}
	}
}

// WriteJSON implements transport.WebsocketConn. What nobody waits for is dropped.
func (s *socket) WriteJSON(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var m message
	if err := json.Unmarshal(text, &m); err != nil {
		return err
	}
	if m.ID == "" {
		return s.send(m)
	}
	id, wanted := s.book.outgoing(m)
	if last := m.Type == typeComplete || m.Type == typeError; last {
		defer s.book.strike(m.ID)
	}
	if !wanted {
		return nil
	}
	m.ID = id
	return s.send(m)
}

// next sends an answer of an operation, unless nobody waits for it.
func (s *socket) next(number string, answer *graphql.Response) {
	id, wanted := s.book.outgoing(message{ID: number, Type: typeNext})
	if !wanted {
		return
	}
	head, tail, err := frame(answer)
	if err != nil {
		panic("transport: an error or an extension of an answer does not encode: " + err.Error())
	}
	text, err := message{ID: id, Type: typeNext}.text(head, answer.Data, tail)
	if err != nil {
		panic("transport: a message does not encode: " + err.Error())
	}
	_ = s.write(text) // a caller that is gone cannot be told so
}

func (s *socket) send(m message) error {
	text, err := m.text()
	if err != nil {
		return err
	}
	return s.write(text)
}

// write writes one message. A caller that does not read it in time is cut.
func (s *socket) write(text []byte) error {
	s.writes.Lock()
	defer s.writes.Unlock()
	s.begins()
	defer s.wrote()
	if err := s.conn.Write(context.Background(), websocket.MessageText, text); err != nil {
		_ = s.Close()
		return err
	}
	return nil
}

func (s *socket) begins() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = true
	s.limit.Reset(s.streams.patience())
}

func (s *socket) wrote() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = false
	s.limit.Stop()
}

// WriteClose implements transport.WebsocketConn. gqlgen closes when its own part is over; by then the socket knows why.
func (s *socket) WriteClose(int, string) error { return nil }

// Close implements transport.WebsocketConn.
func (s *socket) Close() error {
	s.closing.Do(func() { _ = s.conn.CloseNow() })
	return nil
}

// cut is Close for others than the socket itself.
func (s *socket) cut() { s.task(func() { _ = s.Close() })() }

// close says why, and waits a while for the caller to have heard it.
func (s *socket) close(code websocket.StatusCode, reason string) {
	s.closing.Do(func() { _ = s.conn.Close(code, shortReason(reason)) })
}

// beat sends a sign of life, unless the caller has sent none for too long.
func (s *socket) beat() {
	s.mu.Lock()
	silent := time.Since(s.heard) >= 2*s.config.Ping
	s.mu.Unlock()
	if silent {
		_ = s.Close()
		return
	}
	if s.send(message{Type: typePing}) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.alive.Reset(s.config.Ping)
	}
}

// goAway closes the socket because the process ends, when what is under way is answered. Subscriptions are ended by then, and
// the reason is where the caller may go on, if it had one of them.
func (s *socket) goAway() {
	s.mu.Lock()
	if s.writing {
		s.limit.Reset(s.streams.patience())
	}
	s.mu.Unlock()
	<-s.book.finished()
	s.close(websocket.StatusGoingAway, s.book.cursor())
}
