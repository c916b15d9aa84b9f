package auth_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/auth"
)

// reasonOf is why somebody was not admitted; empty: they were.
func reasonOf(err error) auth.Reason {
	if refused, ok := errors.AsType[*auth.Error](err); ok {
		return refused.Reason
	}
	return ""
}

// forged is a key with the public id of another, and a secret and a checksum of its own.
func forged(key auth.Key) string {
	letters := base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
	front := "regtok_" + key.Hash().ID() + "_"
	secret := bytes.Repeat([]byte{7}, 32)
	sum := sha256.Sum256([]byte(front + letters.EncodeToString(secret)))
	return front + letters.EncodeToString(append(secret, sum[:3]...))
}

func TestWhoIsAdmitted(t *testing.T) {
	ci, ops, stranger := auth.NewKey(), auth.NewKey(), auth.NewKey()
	viewer := auth.Viewer{Subject: "ci", Permissions: []auth.Permission{auth.TokensRead}}
	callers := auth.NewCallers(auth.Config{Keys: []auth.Caller{
		{Key: ci.Hash(), Viewer: viewer}, {Key: ops.Hash(), Viewer: auth.Viewer{Subject: "ops"}},
	}})
	mixed := ci.Reveal()[:15] + ops.Reveal()[15:]
	tests := []struct {
		name, authorization string
		subject             string
		reason              auth.Reason
	}{
		{"who has a key", "Bearer " + ci.Reveal(), "ci", ""},
		{"who has another", "Bearer " + ops.Reveal(), "ops", ""},
		{"whoever writes bearer as they like", "bEARER  " + ci.Reveal() + " ", "ci", ""},
		{"not who has none", "", "", auth.Missing},
		{"not who has a key of another server", "Bearer " + stranger.Reveal(), "", auth.Unknown},
		{"not who makes up another key with a known id", "Bearer " + forged(ci), "", auth.Unknown},
		{"not who mixes two", "Bearer " + mixed, "", auth.Malformed},
		{"not who leaves the scheme out", ci.Reveal(), "", auth.Malformed},
		{"not with another scheme", "Basic " + ci.Reveal(), "", auth.Malformed},
		{"not without a key", "Bearer", "", auth.Malformed},
		{"not with spaces for a key", "Bearer   ", "", auth.Malformed},
		{"not with two", "Bearer " + ci.Reveal() + ", Bearer " + ci.Reveal(), "", auth.Malformed},
		{"not with a part", "Bearer " + ci.Reveal()[:40], "", auth.Malformed},
		{"not with more", "Bearer " + ci.Reveal() + "a", "", auth.Malformed},
		{"not with the id alone", "Bearer regtok_" + ci.Hash().ID(), "", auth.Malformed},
		{"not with the hash", "Bearer " + ci.Hash().String(), "", auth.Malformed},
		{"not in capitals", "Bearer " + strings.ToUpper(ci.Reveal()), "", auth.Malformed},
		{"not with very much", "Bearer " + strings.Repeat("a", 1<<20), "", auth.Malformed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := callers.Admit(t.Context(), test.authorization)
			if got.Subject != test.subject || reasonOf(err) != test.reason {
				t.Errorf("admitted %q, %v, want %q, %q", got.Subject, err, test.subject, test.reason)
			}
			if err != nil && len(test.authorization) > 20 && strings.Contains(err.Error(), test.authorization[7:20]) {
				t.Errorf("the error repeats the credential: %v", err)
			}
		})
	}
	if got, _ := callers.Admit(t.Context(), "Bearer "+ci.Reveal()); !cmp.Equal(got, viewer) {
		t.Errorf("Admit = %+v, want %+v", got, viewer)
	}
}

func TestAKeyEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, end := auth.NewKey(), time.Now().Add(time.Hour)
		var book bytes.Buffer
		callers := auth.NewCallers(auth.Config{
			Keys: []auth.Caller{{Key: key.Hash(), Viewer: auth.Viewer{Subject: "ci", Until: end}}}, Log: slog.New(slog.NewTextHandler(&book, nil)),
		})
		time.Sleep(time.Hour - 1)
		got, err := callers.Admit(t.Context(), "Bearer "+key.Reveal())
		if err != nil || !got.Until.Equal(end) {
			t.Errorf("just before its end: %+v, %v", got, err)
		}
		time.Sleep(time.Nanosecond)
		if _, err := callers.Admit(t.Context(), "Bearer "+key.Reveal()); reasonOf(err) != auth.Expired {
			t.Errorf("at its end: %v, want %s", err, auth.Expired)
		}
		if !strings.Contains(book.String(), "the key of ci") {
			t.Errorf("the log does not tell whose key it was: %s", book.String())
		}
	})
}

func TestRefusedCredentialsAreToldOnceAMinuteForEachAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book bytes.Buffer
		counted := map[auth.Reason]int{}
		callers := auth.NewCallers(auth.Config{
			Log: slog.New(slog.NewTextHandler(&book, nil)), Refused: func(r auth.Reason) { counted[r]++ },
		})
		canary := auth.NewKey().Reveal()
		fail := func(address, authorization string) {
			if _, err := callers.Admit(auth.NewAddressContext(t.Context(), address), authorization); err == nil {
				t.Fatal("it was admitted")
			}
		}
		lines := func() int { return strings.Count(book.String(), "\n") }
		for range 100 {
			fail("192.0.2.1:4711", "Bearer "+canary)
			fail("192.0.2.1:4712", "Bearer "+canary[:30])
			fail("[2001:db8:1:2:3::4]:80", "Bearer "+canary)
			fail("[2001:db8:1:2:ffff::]:81", "Bearer "+canary)
			fail("192.0.2.7:1", "")
		}
		if got := lines(); got != 2 {
			t.Errorf("%d lines, want one for each of two callers:\n%s", got, book.String())
		}
		for _, want := range []string{"from=192.0.2.1 ", "from=2001:db8:1:2::/64 ", "reason=unknown"} {
			if !strings.Contains(book.String(), want) {
				t.Errorf("the log lacks %q:\n%s", want, book.String())
			}
		}
		want := map[auth.Reason]int{auth.Unknown: 300, auth.Malformed: 100, auth.Missing: 100}
		if diff := cmp.Diff(counted, want); diff != "" {
			t.Errorf("counted (-got +want):\n%s", diff)
		}
		time.Sleep(59 * time.Second)
		fail("192.0.2.1:4711", "Bearer "+canary)
		if got := lines(); got != 2 {
			t.Errorf("%d lines within the minute, want 2", got)
		}
		time.Sleep(time.Second)
		fail("192.0.2.1:4711", "Bearer "+canary)
		if got := lines(); got != 3 {
			t.Errorf("%d lines after a minute, want 3", got)
		}
		if strings.Contains(book.String(), canary[16:]) || strings.Contains(book.String(), canary[:30]) {
			t.Errorf("the log tells a key:\n%s", book.String())
		}
	})
}

func TestManyAddressesTakeLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book bytes.Buffer
		callers := auth.NewCallers(auth.Config{Log: slog.New(slog.NewTextHandler(&book, nil))})
		storm := func(net int) {
			for i := range 5000 {
				address := fmt.Sprintf("10.%d.%d.%d:1", net, i/256, i%256)
				_, _ = callers.Admit(auth.NewAddressContext(t.Context(), address), "Bearer wrong")
			}
		}
		storm(1)
		if got := strings.Count(book.String(), "\n"); got != 1000 {
			t.Errorf("%d lines, want 1000", got)
		}
		time.Sleep(time.Minute)
		storm(2)
		if got := strings.Count(book.String(), "\n"); got != 2000 {
			t.Errorf("%d lines after a minute, want 2000", got)
		}
	})
}

func TestAnAddressThatIsNoneIsToldAsUnknown(t *testing.T) {
	var book bytes.Buffer
	callers := auth.NewCallers(auth.Config{Log: slog.New(slog.NewTextHandler(&book, nil))})
	for _, ctx := range []context.Context{t.Context(), auth.NewAddressContext(t.Context(), "@"), auth.NewAddressContext(t.Context(), "")} {
		_, _ = callers.Admit(ctx, "Bearer wrong")
	}
	if got := book.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "from=unknown") {
		t.Errorf("logged %s", got)
	}
}

func TestTheLocalViewerMayDoAllThatThereIs(t *testing.T) {
	for _, permission := range auth.Permissions() {
		if !auth.Local().May(permission) {
			t.Errorf("the local viewer lacks %s", permission)
		}
	}
	if got := slices.Compact(slices.Sorted(slices.Values(auth.Permissions()))); len(got) != len(auth.Permissions()) {
		t.Errorf("a permission stands twice: %v", auth.Permissions())
	}
}
