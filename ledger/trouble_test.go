package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestTroubleSaysWhy(t *testing.T) {
	for said, want := range map[error]string{
		answered("LATE it arrived too late"):               "Redis: it did not answer in time",
		answered("UNREADABLE it holds what another wrote"): "what is entered there cannot be read",
		answered("WRONGTYPE Operation of 192.0.2.1"):       "Redis: it answered WRONGTYPE",
		fmt.Errorf("192.0.2.1: %w", io.EOF):                "Redis: it hung up",
	} {
		got := trouble(t.Context(), said)
		if want := ErrUnavailable.Error() + ": " + want; !errors.Is(got, ErrUnavailable) || got.Error() != want {
			t.Errorf("%v is told as %q, want %q", said, got, want)
		}
		if strings.Contains(fmt.Sprintf("%+v %#v", got, errors.Unwrap(got)), "192.0.2") {
			t.Errorf("%v holds the address", got)
		}
	}
	if got := trouble(t.Context(), nil); got != nil {
		t.Errorf("no trouble is told as %v", got)
	}
}

// answered is an error that Redis answered with.
type answered string

func (a answered) Error() string { return string(a) }

func (answered) RedisError() {}

func TestWhatTheCallerEndsIsNoTroubleOfTheLedger(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := trouble(ctx, io.EOF); got != context.Canceled { //nolint:errorlint // it is the context's own
		t.Errorf("got %v, want %v", got, context.Canceled)
	}
}
