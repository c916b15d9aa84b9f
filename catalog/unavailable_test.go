package catalog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"regtok/cache"
	"regtok/providers"
)

func TestAFailureIsExplainedWithoutUpstreamText(t *testing.T) {
	const upstream = "ada@acme.test may not"
	for name, test := range map[string]struct {
		err    *providers.Error
		reason UnavailableReason
		says   string
	}{
		"limited":            {&providers.Error{Kind: providers.RateLimited, RetryAfter: time.Minute}, RateLimited, "allowance"},
		"unauthorized":       {&providers.Error{Kind: providers.Unauthorized}, Unauthorized, "credential"},
		"forbidden":          {&providers.Error{Kind: providers.Forbidden}, Forbidden, "credential may not"},
		"a scope is missing": {&providers.Error{Kind: providers.Forbidden, RequiredScope: "read_registries"}, Forbidden, "read_registries"},
		"not found":          {&providers.Error{Kind: providers.NotFound}, Forbidden, "settings"},
		"senseless":          {&providers.Error{Kind: providers.Invalid}, Forbidden, "settings"},
		"too late":           {&providers.Error{Kind: providers.Unavailable, Reason: providers.Timeout}, TimedOut, "in time"},
		"left alone":         {&providers.Error{Kind: providers.Unavailable, Reason: providers.CircuitOpen, RetryAfter: time.Minute}, CircuitOpen, "left alone"},
		"nonsense":           {&providers.Error{Kind: providers.Unavailable, Reason: providers.InvalidResponse}, InvalidResponse, "no sense"},
		"unreachable":        {&providers.Error{Kind: providers.Unavailable, Reason: providers.Unreachable}, Unreachable, "reached"},
		"something new":      {&providers.Error{Kind: "NEW"}, Unreachable, "fault"},
	} {
		t.Run(name, func(t *testing.T) {
			test.err.Message, test.err.Err = upstream, errors.New(upstream)
			reason, message, wait := Explain(fmt.Errorf("read: %w", test.err))
			if reason != test.reason || !strings.Contains(message, test.says) || wait != test.err.RetryAfter {
				t.Errorf("Explain = %s, %q, %v, want %s, something with %q, %v", reason, message, wait, test.reason, test.says, test.err.RetryAfter)
			}
			if strings.Contains(message, upstream) {
				t.Errorf("the message has the upstream's text: %q", message)
			}
		})
	}
	for _, test := range []struct {
		err  error
		want UnavailableReason
	}{{context.DeadlineExceeded, TimedOut}, {errors.New(upstream), Unreachable}} {
		if reason, message, _ := Explain(test.err); reason != test.want || strings.Contains(message, upstream) {
			t.Errorf("Explain(%v) = %s, %q, want %s", test.err, reason, message, test.want)
		}
	}
}

func TestOldIsTheNoteOfOneSource(t *testing.T) {
	source := Unavailable{Account: &Account{Name: "a"}, Registry: grid.r0}
	for name, test := range map[string]struct {
		entry cache.Entry[int]
		want  []string
	}{
		"fresh":             {cache.Entry[int]{ObservedAt: noon}, nil},
		"old by a moment":   {cache.Entry[int]{ObservedAt: noon, StaleSince: noon}, nil},
		"old for a reason":  {cache.Entry[int]{ObservedAt: noon, StaleSince: noon, Cause: errDown}, []string{"a r0 UNREACHABLE stale"}},
		"missing":           {cache.Entry[int]{Err: errForbidden}, []string{"a r0 FORBIDDEN"}},
		"not there, we say": {cache.Entry[int]{Err: errGone}, []string{"a r0 FORBIDDEN"}},
	} {
		t.Run(name, func(t *testing.T) { expectNotes(t, Old(source, test.entry), test.want...) })
	}
}
