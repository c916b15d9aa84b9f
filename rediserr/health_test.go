package rediserr_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regtok/rediserr"
)

const setting = "--redis-url (REGTOK_REDIS_URL)"

// told is a health of a server, and the lines that its log has.
func told(server rediserr.Server) (h *rediserr.Health, lines func() []string) {
	var log bytes.Buffer
	server.Setting = setting
	h = rediserr.NewHealth(server, slog.New(slog.NewTextHandler(&log, nil)))
	return h, func() []string {
		defer log.Reset()
		return strings.FieldsFunc(log.String(), func(r rune) bool { return r == '\n' })
	}
}

// ailing is what a room reports of a client's error.
func ailing(err error) error { return fmt.Errorf("a room says: %w", rediserr.New(err)) }

func TestOneCauseIsToldOnceWhateverItKeepsFromItsWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, lines := told(rediserr.Server{})
		parts := []string{"the shared cache", "events", "the sweep of p/a", "the sweep of p/b"}
		for range 3 {
			for i, part := range parts {
				h.Report(part, ailing([]error{io.EOF, context.DeadlineExceeded}[i%2]))
			}
			time.Sleep(time.Second)
		}
		got := lines()
		if len(got) != 1 || !strings.Contains(got[0], "WARN") || !strings.Contains(got[0], `msg="Redis fails" because="it hung up"`) || !strings.Contains(got[0], setting) {
			t.Errorf("the log has %q, want one warning that names the setting", got)
		}
		for i, part := range parts {
			if h.Works() {
				t.Errorf("it works, though %d parts are without it", len(parts)-i)
			}
			h.Report(part, nil)
		}
		if got := lines(); len(got) != 1 || !strings.Contains(got[0], `INFO msg="Redis works again" after=3s`) || !h.Works() {
			t.Errorf("afterwards the log has %q, works: %t; want a line when the last part has it again", got, h.Works())
		}
		h.Report(parts[0], ailing(io.EOF))
		if got := lines(); len(got) != 1 || !strings.Contains(got[0], "Redis fails") {
			t.Errorf("the next time the log has %q", got)
		}
	})
}

func TestAnotherCauseIsToldToo(t *testing.T) {
	h, lines := told(rediserr.Server{})
	for _, err := range []error{io.EOF, answered("LOADING it reads"), io.EOF, answered("NOAUTH"), answered("ERR odd"), answered("BUSY odd"), answered("ERR odd")} {
		h.Report("events", ailing(err))
	}
	if got := lines(); len(got) != 5 {
		t.Errorf("the log has %q, want a line for each of the five", got)
	}
	h.Report("events", ailing(context.DeadlineExceeded))
	if got := lines(); len(got) > 0 {
		t.Errorf("the log has %q, want nothing of what is late as well", got)
	}
	h.Report("events", errors.New("what is entered there cannot be read"))
	if got := lines(); len(got) != 1 || !strings.Contains(got[0], "what is entered there cannot be read") {
		t.Errorf("the log has %q, want what a room says by itself", got)
	}
}

// TestWhoDoesNotTryHoldsUpNoGoodNews: but who has a trouble of his own does, and each server of a cluster is another.
func TestWhoDoesNotTryHoldsUpNoGoodNews(t *testing.T) {
	for name, test := range map[string]struct {
		server rediserr.Server
		err    error
		want   bool
	}{
		"nobody reached it":       {rediserr.Server{}, io.EOF, true},
		"the password was wrong":  {rediserr.Server{Sentinel: true}, answered("WRONGPASS"), true},
		"it is full":              {rediserr.Server{}, answered("OOM"), false},
		"a right is missing":      {rediserr.Server{}, answered("NOPERM"), false},
		"it may be another's too": {rediserr.Server{Cluster: true}, io.EOF, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			h, lines := told(test.server)
			h.Report("the shared cache", ailing(test.err))
			time.Sleep(4 * time.Second)
			h.Report("events", nil)
			if h.Works() {
				t.Errorf("%s: it works, and a part that tried 4 s ago is without it", name)
			}
			time.Sleep(2 * time.Second)
			h.Report("events", nil)
			if got := lines(); h.Works() != test.want || len(got) != map[bool]int{true: 2, false: 1}[test.want] {
				t.Errorf("%s: works: %t, want %t; the log has %q", name, h.Works(), test.want, got)
			}
		})
	}
}

func TestEachCauseIsToldWithItsCure(t *testing.T) {
	refused := &tls.CertificateVerificationError{Err: errors.New("who knows")}
	for _, test := range []struct {
		server rediserr.Server
		err    error
		want   string
	}{
		{rediserr.Server{}, answered("WRONGPASS no"), "it refuses the user or the password: correct them in the address"},
		{rediserr.Server{}, answered("NOAUTH no"), "it wants a password: write it into the address, like redis://:password@host"},
		{rediserr.Server{Sentinel: true}, answered("NOAUTH no"), "sentinels' own are its parameters sentinel_username and sentinel_password"},
		{rediserr.Server{}, answered("NOPERM no"), "the right that ACL LOG there names"},
		{rediserr.Server{}, answered("ERR DB index is out of range"), "correct the number of the database"},
		{rediserr.Server{Sentinel: true}, answered("ERR unknown command 'SENTINEL', with"), "the address of a server begins with redis://"},
		{rediserr.Server{Sentinel: true}, answered("ERR unknown command `sentinel`, with"), "the address of a server begins with redis://"},
		{rediserr.Server{Cluster: true}, answered("ERR This instance has cluster support disabled"), "the address of a single server begins with redis://"},
		{rediserr.Server{}, answered("MOVED 1 192.0.2.1:1"), "begin the address with redis+cluster://"},
		{rediserr.Server{}, answered("ERR unknown command 'get'"), "Redis 6.2 or newer, and no sentinel"},
		{rediserr.Server{}, answered("OOM no"), "give it more memory"},
		{rediserr.Server{}, refused, "name who signed it by cacert=FILE"},
		{rediserr.Server{TLS: true}, context.DeadlineExceeded, "speaks TLS at that port: without, an address begins with redis instead of rediss"},
		{rediserr.Server{}, io.EOF, "speaks no TLS at that port: with it, an address begins with rediss instead of redis"},
	} {
		h, lines := told(test.server)
		h.Report("events", ailing(test.err))
		if got := lines(); len(got) != 1 || !strings.Contains(got[0], test.want) || strings.Contains(got[0], "192.0.2") {
			t.Errorf("%v is told by %q, want %q", test.err, got, test.want)
		}
	}
	h, lines := told(rediserr.Server{TLS: true})
	h.Report("events", nil)
	h.Report("events", ailing(io.EOF))
	if got := lines(); len(got) != 1 || strings.Contains(got[0], "TLS") {
		t.Errorf("what worked before is told by %q, want no doubt of the address", got)
	}
}

func TestWhoIsLateForAMomentIsNotWorthALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, lines := told(rediserr.Server{})
		late := ailing(context.DeadlineExceeded)
		h.Report("events", nil)
		h.Report("events", late)
		time.Sleep(900 * time.Millisecond)
		h.Report("the shared cache", late)
		h.Report("events", nil)
		h.Report("the shared cache", nil)
		if got := lines(); len(got) != 0 || !h.Works() {
			t.Errorf("the log has %q, works: %t", got, h.Works())
		}
		h.Report("events", late)
		time.Sleep(time.Second)
		h.Report("events", late)
		if got := lines(); len(got) != 1 || !strings.Contains(got[0], "WARN") {
			t.Errorf("after a second the log has %q, want a warning", got)
		}
		h.Report("events", nil)
		if got := lines(); len(got) != 1 || !strings.Contains(got[0], "works again") {
			t.Errorf("at last the log has %q, want that it works again", got)
		}
	})
}
