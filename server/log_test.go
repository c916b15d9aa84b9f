package server_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"regtok/server"
	"regtok/server/requestid"
)

func TestLogFormats(t *testing.T) {
	tests := []struct{ format, want string }{
		{"auto", `"msg":"hello","size":3,"wait":"1.5s","request_id":"r1"}`},
		{"json", `"msg":"hello","size":3,"wait":"1.5s","request_id":"r1"}`},
		{"text", `INF hello size=3 wait=1.5s request_id=r1`},
	}
	for _, test := range tests {
		var book bytes.Buffer
		log := server.NewLog(&book, test.format, slog.LevelInfo).With("size", 3)
		log.InfoContext(requestid.NewContext(t.Context(), "r1"), "hello", "wait", 1500*time.Millisecond)
		log.DebugContext(t.Context(), "nothing")
		if got := strings.TrimSpace(book.String()); !strings.HasSuffix(got, test.want) {
			t.Errorf("%s: logged %q, want it to end with %q", test.format, got, test.want)
		}
	}
}

func TestALineOutsideOfARequestNamesNone(t *testing.T) {
	var book bytes.Buffer
	server.NewLog(&book, "json", slog.LevelInfo).WithGroup("g").InfoContext(t.Context(), "hello", "a", 1)
	if got := book.String(); strings.Contains(got, "request_id") || !strings.Contains(got, `"g":{"a":1}`) {
		t.Errorf("logged %s", got)
	}
}

func TestALineIsShortWhateverAStrangerSends(t *testing.T) {
	w, _, transport := overTLS(t, server.Config{})
	transport.ForceAttemptHTTP2 = false
	config := transport.TLSClientConfig.Clone()
	for i := range 200 {
		config.NextProtos = append(config.NextProtos, fmt.Sprintf("%03d%s", i, strings.Repeat("\x00", 250)))
	}
	if conn, err := tls.Dial("tcp", strings.TrimPrefix(w.url, "https://"), config); err == nil {
		_ = conn.Close()
		t.Error("it speaks what nobody knows")
	}
	long := strings.Repeat("A", 60<<10)
	w.do(t, long, "/"+long[:1000], "")
	_ = w.stop()
	for _, want := range []string{`"msg":"a connection made trouble"`, `"msg":"request","method":"AAAAAAAAAAAAAAAAAAAA"`} {
		if !strings.Contains(w.log.String(), want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	for line := range strings.Lines(w.log.String()) {
		if len(line) > 1000 {
			t.Errorf("a line of %d bytes: %.200s", len(line), line)
		}
	}
}
