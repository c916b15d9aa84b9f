package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// siege is what is said on a socket that was opened as the protocol wants, and how that ends.
type siege struct {
	name string
	// frames are as they go over the line.
	frames []frame
	// code is what the socket is closed with; cut: with none.
	code websocket.StatusCode
}

// frame is one of a WebSocket, masked unless it says otherwise.
type frame struct {
	first    byte // the end bit, the reserved ones, and the kind
	payload  string
	unmasked bool
	announce uint64 // the length that it tells, if that is not its payload's
}

const (
	cut                                                 = 0
	textFrame, more, binaryFrame, closeFrame, pingFrame = 0x81, 0x00, 0x82, 0x88, 0x89
	initial                                             = `{"type":"connection_init","payload":{"Authorization":"Bearer KEY"}}`
)

// saying are text messages.
func saying(messages ...string) (frames []frame) {
	for _, text := range messages {
		frames = append(frames, frame{first: textFrame, payload: text})
	}
	return frames
}

// bytes are the frame as it is sent. Its mask is zero.
func (f frame) bytes(b *besieged) []byte {
	payload := b.filled(f.payload)
	length, mask := uint64(len(payload)), byte(0x80)
	if f.announce > 0 {
		length = f.announce
	}
	if f.unmasked {
		mask = 0
	}
	out := []byte{f.first}
	switch {
	case length < 126:
		out = append(out, mask|byte(length))
	case length < 1<<16:
		out = binary.BigEndian.AppendUint16(append(out, mask|126), uint16(length))
	default:
		out = binary.BigEndian.AppendUint64(append(out, mask|127), length)
	}
	if !f.unmasked {
		out = append(out, 0, 0, 0, 0)
	}
	return append(out, payload...)
}

func hostileSockets() []siege {
	admitted := func(messages ...string) []frame { return saying(append([]string{initial}, messages...)...) }
	begin := func(id, document string) string {
		return fmt.Sprintf(`{"id":%q,"type":"subscribe","payload":{"query":%q}}`, id, document)
	}
	const forever = "subscription{tokenExpiry{__typename}}"
	const badRequest, tooMany = 4400, 4429
	many := saying(initial)
	for i := range 30 {
		many = append(many, saying(begin(fmt.Sprint(i), forever))...)
	}
	flood := saying(initial)
	for range 5000 {
		flood = append(flood, frame{first: pingFrame, payload: strings.Repeat("a", 125)})
	}
	pieces := []frame{{first: 0x01, payload: "{"}}
	for range 3000 {
		pieces = append(pieces, frame{first: more, payload: strings.Repeat(" ", 1000)})
	}
	return []siege{
		{"nothing that is JSON", admitted("hello"), badRequest},
		{"half a message", admitted(`{"type":"subscribe"`), badRequest},
		{"an array", admitted(`[{"type":"ping"}]`), badRequest},
		{"a message of no type", admitted(`{"id":"1"}`), badRequest},
		{"a type that there is not", admitted(`{"type":"start","id":"1","payload":{"query":"{viewer{subject}}"}}`), badRequest},
		{"an operation without an id", admitted(`{"type":"subscribe","payload":{"query":"{viewer{subject}}"}}`), badRequest},
		{"an operation without a document", admitted(`{"type":"subscribe","id":"1","payload":{}}`), badRequest},
		{"an id of 100 KB", admitted(begin(strings.Repeat("a", 100_000), forever)), badRequest},
		{"bytes", append(saying(initial), frame{first: binaryFrame, payload: "\x00\x01"}), badRequest},
		{"an operation of nobody", saying(begin("1", forever)), 4401},
		{"an operation before connection_init", saying(begin("1", "{viewer{subject}}"), initial), 4401},
		{"a megabyte of nobody's", saying(`{"type":"connection_init","payload":{"a":[` + strings.Repeat(`{"":0},`, 140_000) + "0]}}"), websocket.StatusMessageTooBig},
		{"thousands of small objects of nobody's", saying(`{"type":"connection_init","payload":{"a":[` + strings.Repeat(`{},`, 20_000) + "0]}}"), badRequest},
		{"140,000 small objects", admitted(`{"type":"subscribe","id":"1","payload":{"query":"{viewer{subject}}","variables":{"a":[` + strings.Repeat(`{"":0},`, 140_000) + "0]}}}"), badRequest},
		{"a wrong key", saying(`{"type":"connection_init","payload":{"Authorization":"Bearer regtok_aaaaaaaa_bbbb"}}`), 4401},
		{"no key", saying(`{"type":"connection_init"}`), 4401},
		{"a key that is no text", saying(`{"type":"connection_init","payload":{"Authorization":{"Bearer":"KEY"}}}`), 4403},
		{"two inits", admitted(initial), tooMany},
		{"an id twice", admitted(begin("1", forever), begin("1", forever)), 4409},
		{"thirty subscriptions, and then nonsense", append(many, saying("x")...), badRequest},
		{"a message of two megabytes", admitted(begin("1", strings.Repeat(" ", 2<<20))), websocket.StatusMessageTooBig},
		{"a message in 3,000 pieces", append(saying(initial), pieces...), websocket.StatusMessageTooBig},
		{"a message that is announced as an exabyte", append(saying(initial), frame{first: textFrame, payload: strings.Repeat(" ", 2<<20), announce: 1 << 60}), websocket.StatusMessageTooBig},
		{"a length with its highest bit", append(saying(initial), frame{first: textFrame, announce: 1 << 63}), cut},
		{"a frame without a mask", append(saying(initial), frame{first: textFrame, payload: `{"type":"ping"}`, unmasked: true}), cut},
		{"reserved bits", append(saying(initial), frame{first: 0xf1, payload: `{"type":"ping"}`}), websocket.StatusProtocolError},
		{"a kind of frame that there is not", append(saying(initial), frame{first: 0x83, payload: "a"}), websocket.StatusProtocolError},
		{"a ping of more than 125 bytes", append(saying(initial), frame{first: pingFrame, payload: strings.Repeat("a", 200)}), websocket.StatusProtocolError},
		{"a ping in pieces", append(saying(initial), frame{first: 0x09, payload: "a"}), websocket.StatusProtocolError},
		{"a piece of nothing", append(saying(initial), frame{first: 0x80, payload: "a"}), websocket.StatusProtocolError},
		{"a message within another", append(saying(initial), frame{first: 0x01, payload: "{"}, frame{first: textFrame, payload: "{}"}), websocket.StatusProtocolError},
		{"a close code that there is not", append(saying(initial), frame{first: closeFrame, payload: "\x00\x05"}), websocket.StatusProtocolError},
		{"5,000 pings, and then nonsense", append(flood, saying("x")...), badRequest},
	}
}

// upgrade is a request for a socket, without a credential: that comes with connection_init.
func upgrade(lines ...string) string {
	return request(http.MethodGet, "/graphql", "", append([]string{
		"Authorization:", "Content-Type:", "Content-Length:", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol: graphql-transport-ws",
	}, lines...)...)
}

// on opens a socket, says what is to be said, and wants it to be closed as it should.
func (s siege) on(t *testing.T, b *besieged) {
	t.Helper()
	conn := b.dial(t)
	if _, err := io.WriteString(conn, b.filled(upgrade())); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("the socket was answered %v, %v", response, err)
	}
	_ = response.Body.Close() // it has none
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for _, f := range s.frames {
			if _, err := conn.Write(f.bytes(b)); err != nil {
				return // nobody reads any more
			}
		}
	}()
	defer func() { _ = conn.Close(); <-sent }()
	code, said, err := closing(reader)
	if errors.Is(err, io.EOF) && s.code == cut {
		err = nil
	}
	if err != nil || code != s.code {
		t.Errorf("it was closed with %d, %v, after %.300s; want %d", code, err, said, s.code)
	}
	if len(said) > tooLong || strings.Contains(said, b.key) || strings.Contains(said, canary) {
		t.Errorf("it said %d bytes: %.300s", len(said), said)
	}
}

// closing reads frames of a server until it closes, and returns with what code, and all that it said in messages.
func closing(reader *bufio.Reader) (code websocket.StatusCode, said string, err error) {
	for {
		var head [2]byte
		if _, err := io.ReadFull(reader, head[:]); err != nil {
			return 0, said, err
		}
		length := uint64(head[1])
		for _, long := range []uint64{126, 127} {
			if uint64(head[1]) != long {
				continue
			}
			size := make([]byte, 2+6*(long-126))
			if _, err := io.ReadFull(reader, size); err != nil {
				return 0, said, err
			}
			length = binary.BigEndian.Uint64(append(make([]byte, 8-len(size)), size...))
		}
		payload := make([]byte, min(length, 1<<20))
		if _, err := io.ReadFull(reader, payload); err != nil {
			return 0, said, err
		}
		switch head[0] {
		case closeFrame:
			said += string(payload)
			if len(payload) < 2 {
				return websocket.StatusNoStatusRcvd, said, nil
			}
			return websocket.StatusCode(binary.BigEndian.Uint16(payload)), said, nil
		case textFrame:
			said += string(payload)
		}
	}
}

func TestHostileSocketsAreClosedWithTheRightCode(t *testing.T) {
	b := besiege(t, "")
	for _, s := range hostileSockets() {
		t.Run(s.name, func(t *testing.T) { s.on(t, b) })
	}
	b.unharmed(t)
}

// hostileUpgrades are requests for sockets that are none.
func hostileUpgrades() []attack {
	return []attack{
		{"a socket of a page of another site", upgrade("Origin: https://evil.example"), 403, "FORBIDDEN"},
		{"a socket of a page of no site", upgrade("Origin: null"), 403, "FORBIDDEN"},
		{"a socket that speaks something else", upgrade("Sec-WebSocket-Protocol: mqtt"), 400, "BAD_REQUEST"},
		{"a socket that speaks nothing", upgrade("Sec-WebSocket-Protocol:"), 400, "BAD_REQUEST"},
		{"a socket of another version", upgrade("Sec-WebSocket-Version: 8"), 400, ""},
		{"a socket without a key", upgrade("Sec-WebSocket-Key:"), 400, ""},
		{"a socket by POST", strings.Replace(upgrade("Content-Type: application/json"), "GET", "POST", 1), 401, "UNAUTHENTICATED"},
		{"a socket with a wrong key", upgrade("Authorization: Bearer regtok_x"), 401, "UNAUTHENTICATED"},
		{"a socket with the key in its address", strings.Replace(upgrade(), "/graphql", "/graphql?token=KEY", 1), 400, "BAD_REQUEST"},
	}
}

func TestASocketsDocumentsAreLimitedToo(t *testing.T) {
	b := besiege(t, quiet)
	conn, _, err := websocket.Dial(t.Context(), b.url+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}}) //nolint:bodyclose // a socket that is open has none
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(tooLong)
	exchange := func(text string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), tooLate)
		defer cancel()
		if err := conn.Write(ctx, websocket.MessageText, []byte(b.filled(text))); err != nil {
			t.Fatal(err)
		}
		_, said, err := conn.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return string(said)
	}
	exchange(initial)
	for _, a := range hostileDocuments() {
		_, body, _ := strings.Cut(a.raw, "\r\n\r\n")
		if len(body) > 64<<10 || a.code == "UNSUPPORTED" { // longer ones close the socket, and here subscriptions may be
			continue
		}
		said := exchange(`{"id":"1","type":"subscribe","payload":` + body + "}")
		if !strings.HasPrefix(said, `{"id":"1","type":"error","payload":[{`) || strings.Count(said, `"code"`) != strings.Count(said, `"code":"`+a.code+`"`) {
			t.Errorf("%s: it said %s, want an error with the code %s", a.name, said, a.code)
		}
	}
	b.idle(t)
	b.unharmed(t)
}
