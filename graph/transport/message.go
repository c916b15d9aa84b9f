package transport

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"regtok/codes"
)

// The codes with which graphql-transport-ws closes a socket.
const (
	closeBadRequest   websocket.StatusCode = codes.CloseBadRequest
	closeUnauthorized websocket.StatusCode = codes.CloseUnauthorized
	closeForbidden    websocket.StatusCode = codes.CloseForbidden
	closeInitTimeout  websocket.StatusCode = codes.CloseInitTimeout
	closeTaken        websocket.StatusCode = codes.CloseTaken
	closeInitAgain    websocket.StatusCode = codes.CloseInitAgain
)

// longestReason is what fits into a closing frame, in bytes.
const longestReason = 123

// longestOfStranger is the longest message of a caller who was not admitted yet, in bytes. It holds a credential, and what else
// clients put beside that.
const longestOfStranger = 64 << 10

// What a caller gets back as it came is as long as clients need it, in bytes: with every message of an operation its id,
// and a ping's payload.
const (
	longestID   = 256
	longestEcho = 1024
)

const (
	typeInit      = "connection_init"
	typeAck       = "connection_ack"
	typePing      = "ping"
	typePong      = "pong"
	typeSubscribe = "subscribe"
	typeNext      = "next"
	typeError     = "error"
	typeComplete  = "complete"
)

// message is one of graphql-transport-ws.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// text is the message, with the parts of its payload if that is in several.
func (m message) text(payload ...[]byte) ([]byte, error) {
	if payload == nil {
		payload = [][]byte{m.Payload}
	}
	room := 0
	for _, part := range payload {
		room += len(part)
	}
	var text bytes.Buffer
	text.Grow(len(m.ID) + room + len(`{"id":"","type":"connection_ack","payload":}`) + 1) // an encoder ends with a line feed
	text.WriteByte('{')
	for _, part := range []struct{ key, value string }{{"id", m.ID}, {"type", m.Type}} {
		if part.value == "" {
			continue
		}
		if err := member(&text, part.key, part.value); err != nil {
			return nil, err
		}
	}
	if room > 0 {
		name(&text, "payload")
	}
	for _, part := range payload {
		text.Write(part)
	}
	text.WriteByte('}')
	return text.Bytes(), nil
}

// receive looks at a message of the caller's, and returns what gqlgen has to see of it; nil: nothing.
func (s *socket) receive(text []byte) []byte {
	s.mu.Lock()
	s.heard = time.Now()
	begun, expired := s.begun, s.expired
	s.mu.Unlock()
	if expired {
		return nil
	}
	var m message
	if !utf8.Valid(text) || json.Unmarshal(text, &m) != nil {
		s.close(closeBadRequest, "The message is not of graphql-transport-ws")
		return nil
	}
	switch {
	case m.Type == typeInit:
		return s.initialise(m, text)
	case m.Type == typePing:
		_ = s.send(pongFor(m))
	case m.Type == typePong:
	case m.Type == typeSubscribe && !begun:
		s.close(closeUnauthorized, "Unauthorized")
	case m.Type == typeSubscribe:
		return s.subscribe(m)
	case m.Type == typeComplete && m.ID != "":
		if number, ok := s.book.end(m.ID); ok {
			return s.pass(message{ID: number, Type: typeComplete})
		}
	default:
		s.close(closeBadRequest, "The message is not of graphql-transport-ws")
	}
	return nil
}

// pongFor answers a ping with its payload, unless that is none that anybody needs.
func pongFor(ping message) message {
	if len(ping.Payload) > longestEcho {
		ping.Payload = nil
	}
	return message{Type: typePong, Payload: ping.Payload}
}

func (s *socket) initialise(m message, text []byte) []byte {
	s.mu.Lock()
	again := s.begun
	s.begun = true
	s.init.Stop()
	s.mu.Unlock()
	s.streams.speaks(s)
	var payload map[string]any
	switch {
	case again:
		s.close(closeInitAgain, "Too many initialisation requests")
	case crowded(m.Payload):
		s.close(closeBadRequest, "The payload of connection_init holds too much")
	case len(m.Payload) > 0 && json.Unmarshal(m.Payload, &payload) != nil:
		s.close(closeBadRequest, "The payload of connection_init is no object")
	default:
		return text
	}
	return nil
}

func (s *socket) subscribe(m message) []byte {
	if m.ID == "" || len(m.ID) > longestID {
		s.close(closeBadRequest, fmt.Sprintf("subscribe needs an id of 1 to %d bytes", longestID))
		return nil
	}
	params, refusal := decode(m.Payload)
	if refusal != nil {
		s.close(closeBadRequest, "The payload of subscribe makes no sense: "+refusal.message)
		return nil
	}
	number, taken := s.book.add(m.ID)
	switch {
	case taken:
		s.close(closeTaken, "Subscriber for "+m.ID+" already exists")
		return nil
	case number == "":
		s.refuse(m.ID)
		return nil
	}
	s.asked = params
	return s.pass(message{ID: number, Type: typeSubscribe, Payload: json.RawMessage("{}")})
}

// refuse is for one operation too many.
func (s *socket) refuse(id string) {
	payload, err := json.Marshal(gqlerror.List{{
		Message:    fmt.Sprintf("a socket carries %d operations at a time: complete one first, or open another", s.config.Socket),
		Extensions: map[string]any{"code": codes.TooManyStreams},
	}})
	if err != nil {
		panic("transport: an error does not encode: " + err.Error())
	}
	_ = s.send(message{ID: id, Type: typeError, Payload: payload})
}

func (s *socket) pass(m message) []byte {
	text, err := m.text()
	if err != nil {
		panic("transport: a message does not encode: " + err.Error())
	}
	return text
}

// shortReason cuts a reason to what fits into a closing frame.
func shortReason(reason string) string {
	if len(reason) <= longestReason {
		return reason
	}
	cut := longestReason
	for !utf8.RuneStart(reason[cut]) {
		cut--
	}
	return reason[:cut]
}
