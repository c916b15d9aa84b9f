package providers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestAnErrorSaysWhatWasTriedAndWhatHappened(t *testing.T) {
	for _, c := range []struct {
		err  *Error
		want string
	}{
		{&Error{Kind: NotFound}, "NOT_FOUND"},
		{&Error{Kind: NotFound, Provider: "ionos", Op: "get token", Status: 404}, "ionos: get token: NOT_FOUND, status 404"},
		{&Error{Kind: Unavailable, Reason: Timeout, Op: "list", Err: context.DeadlineExceeded}, "list: UNAVAILABLE (TIMEOUT): context deadline exceeded"},
		{&Error{Kind: Invalid, Field: "NAME"}, "INVALID, field NAME"},
		{UnsupportedError("p", "patch token", FieldExpiry), "p: patch token: UNSUPPORTED, field EXPIRY"},
		{NotFoundError("p", "get token"), "p: get token: NOT_FOUND"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("%#v says %q, want %q", c.err, got, c.want)
		}
	}
}

func TestAnErrorKeepsTheVendorsMessageOutOfLogs(t *testing.T) {
	err := &Error{Kind: Conflict, Message: "ada@acme.test has that name", RequiredScope: "write_registries"}
	for _, text := range []string{err.Error(), fmt.Sprint(err), fmt.Sprintf("%+v", err), fmt.Sprintf("%q", err)} {
		if strings.Contains(text, "ada@") {
			t.Errorf("the text holds the vendor's message: %s", text)
		}
	}
}

func TestTheKindIsFoundThroughWrapping(t *testing.T) {
	inner := &Error{Kind: RateLimited, Err: io.ErrUnexpectedEOF}
	for what, c := range map[string]struct {
		err  error
		want Kind
	}{
		"nothing":           {nil, ""},
		"a foreign error":   {errors.New("x"), ""},
		"an error of ours":  {inner, RateLimited},
		"a wrapped one":     {fmt.Errorf("load: %w", inner), RateLimited},
		"one of two joined": {errors.Join(io.EOF, inner), RateLimited},
		"the outer of two":  {&Error{Kind: Unavailable, Err: inner}, Unavailable},
	} {
		if got := KindOf(c.err); got != c.want {
			t.Errorf("the kind of %s = %q, want %q", what, got, c.want)
		}
	}
	if !errors.Is(inner, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
}
