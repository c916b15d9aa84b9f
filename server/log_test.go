package server_test

import (
	"bytes"
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
