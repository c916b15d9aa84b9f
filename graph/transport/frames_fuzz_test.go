package transport_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"regtok/graph/transport"
)

// framed is a text as a client's frame. Its mask is zero, so that the fuzzer sees what it changes.
func framed(text string) string {
	head := []byte{0x81, 0x80 | byte(len(text))}
	if len(text) > 125 {
		head = binary.BigEndian.AppendUint16([]byte{0x81, 0x80 | 126}, uint16(len(text)))
	}
	return string(append(head, 0, 0, 0, 0)) + text
}

// FuzzFrames looks for bytes after which a socket stays open, or says what is no message.
func FuzzFrames(f *testing.F) {
	begin := framed(`{"type":"connection_init"}`)
	f.Add([]byte(begin + framed(`{"id":"1","type":"subscribe","payload":{"query":"subscription{count(to:3)}"}}`)))
	f.Add([]byte(begin + framed(`{"id":"1","type":"subscribe","payload":{"query":"{hello}"}}`) + framed(`{"id":"1","type":"complete"}`)))
	f.Add([]byte(begin + framed(`{"type":"ping","payload":{"a":1}}`) + "\x88\x80\x00\x00\x00\x00"))
	f.Add([]byte("\x01\x80\x00\x00\x00\x00\x80\x80\x00\x00\x00\x00\x89\x81\x00\x00\x00\x00a"))
	f.Add([]byte("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00"))
	server, _ := newStreams(f, transport.StreamConfig{})
	f.Fuzz(func(t *testing.T, said []byte) {
		if err := converse(server, said); err != nil {
			t.Errorf("%q: %v", said, err)
		}
	})
}

// converse opens a socket, says something, hangs up, and looks at the server's frames until it does, too.
func converse(server *httptest.Server, said []byte) error {
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	handshake := strings.Join([]string{"GET / HTTP/1.1", "Host: " + server.Listener.Addr().String(), "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol: " + subprotocol, "", ""}, "\r\n")
	go func() {
		_, _ = conn.Write(append([]byte(handshake), said...)) // as far as it is read
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("the upgrade: %v, %w", response, err)
	}
	_ = response.Body.Close() // it has none
	for {
		if err := sane(reader); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "reset by peer") {
				return nil
			}
			return err
		}
	}
}

// sane reads one frame of the server's, which has to be one of those that it sends.
func sane(reader *bufio.Reader) error {
	head := make([]byte, 2)
	if _, err := io.ReadFull(reader, head); err != nil {
		return err
	}
	length := int(head[1])
	switch length {
	case 126:
		size := make([]byte, 2)
		if _, err := io.ReadFull(reader, size); err != nil {
			return err
		}
		length = int(binary.BigEndian.Uint16(size))
	case 127:
		return errors.New("a frame of more than 64 KB")
	}
	payload := make([]byte, length)
	if _, err := io.ReadFull(reader, payload); err != nil {
		return err
	}
	switch kind := head[0]; {
	case kind == 0x81 && json.Valid(payload) && bytes.Contains(payload, []byte(`"type":`)), kind == 0x88, kind == 0x8a, kind == 0x89:
		return nil
	}
	return fmt.Errorf("a frame %x %.200q", head, payload)
}
