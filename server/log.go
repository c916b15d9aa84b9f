package server

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/lmittmann/tint"
	"golang.org/x/term"

	"regtok/server/requestid"
)

// NewLog returns a logger whose lines name the request that they belong to, if they are logged with its context.
// The format is "json", "text", or "auto": text if w is a terminal, else JSON. Text is coloured on a terminal.
func NewLog(w io.Writer, format string, level slog.Leveler) *slog.Logger {
	file, ok := w.(*os.File)
	terminal := ok && term.IsTerminal(int(file.Fd()))
	if format == "text" || format == "auto" && terminal {
		return slog.New(named{tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: !terminal})})
	}
	return slog.New(named{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: readable})})
}

// readable writes spans of time as "1.5s": as numbers nobody knows their unit.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// longestTrouble is how much of what the library has to say of a connection is told, in bytes: it quotes what came, and strangers
// may send 64 KiB of protocols that they would like to speak.
const longestTrouble = 300

// troubles logs what the library says of connections that never became requests. Who speaks no TLS, or another one, raises no
// alarm: scanners do all day, so they are as common as requests.
type troubles struct{ log *slog.Logger }

// Write implements io.Writer: each call is a line.
func (t troubles) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	level := slog.LevelWarn
	if strings.HasPrefix(text, "http: TLS handshake error ") {
		level = slog.LevelInfo
	}
	t.log.Log(context.Background(), level, "a connection made trouble", "trouble", text[:min(len(text), longestTrouble)])
	return len(line), nil
}

// named adds the request's id.
type named struct{ slog.Handler }

func (h named) Handle(ctx context.Context, record slog.Record) error {
	if id := requestid.FromContext(ctx); id != "" {
		record = record.Clone()
		record.AddAttrs(slog.String("request_id", id))
	}
	return h.Handler.Handle(ctx, record)
}

func (h named) WithAttrs(attrs []slog.Attr) slog.Handler { return named{h.Handler.WithAttrs(attrs)} }

func (h named) WithGroup(name string) slog.Handler { return named{h.Handler.WithGroup(name)} }
