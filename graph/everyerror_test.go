package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/cache"
	"regtok/catalog"
	"regtok/codes"
	"regtok/expiry"
	"regtok/ledger"
	"regtok/providers"
)

// within is what only the log may hold: an address, and words of whoever is behind it.
const within = "10.11.12.13:6379 NOAUTH hunter2-within"

// saboteur is a provider that fails in one way, whatever it is asked for.
type saboteur struct {
	providers.Provider
	fail func() error
}

func (s saboteur) Organizations(context.Context, providers.PageRequest) (p providers.Page[providers.Organization], err error) {
	return p, s.fail()
}
func (s saboteur) Registries(context.Context, providers.ID, providers.PageRequest) (p providers.Page[providers.Registry], err error) {
	return p, s.fail()
}
func (s saboteur) Registry(context.Context, providers.ID) (r providers.Registry, err error) {
	return r, s.fail()
}
func (s saboteur) Tokens(context.Context, providers.ID, providers.PageRequest) (p providers.Page[providers.Token], err error) {
	return p, s.fail()
}
func (s saboteur) Token(context.Context, providers.ID) (t providers.Token, err error) {
	return t, s.fail()
}
func (s saboteur) Users(context.Context, providers.ID, providers.PageRequest) (p providers.Page[providers.User], err error) {
	return p, s.fail()
}
func (s saboteur) User(context.Context, providers.ID, providers.ID) (u providers.User, err error) {
	return u, s.fail()
}
func (s saboteur) CreateToken(context.Context, providers.ID, providers.TokenState) (c providers.Created, err error) {
	return c, s.fail()
}
func (s saboteur) ReplaceToken(context.Context, providers.ID, providers.TokenState) (c providers.Created, err error) {
	return c, s.fail()
}
func (s saboteur) PatchToken(context.Context, providers.ID, providers.TokenPatch) (t providers.Token, err error) {
	return t, s.fail()
}
func (s saboteur) DeleteToken(context.Context, providers.ID) error { return s.fail() }

// failures are the ways in which something behind a resolver may fail.
func failures() map[string]func() error {
	cause := errors.New(within)
	ways := map[string]func() error{
		"an error of nobody":           func() error { return cause },
		"one that is wrapped":          func() error { return fmt.Errorf("read tokens at %s: %w", within, io.ErrUnexpectedEOF) },
		"a network's":                  func() error { return &net.OpError{Op: "dial", Net: "tcp", Err: cause} },
		"Redis's":                      func() error { return fmt.Errorf("%w: %s", redis.TxFailedErr, within) },
		"the ledger's":                 func() error { return fmt.Errorf("%s: %w", within, ledger.ErrUnavailable) },
		"the events'":                  func() error { return fmt.Errorf("%s: %w", within, expiry.ErrUnavailable) },
		"a panic that the cache met":   func() error { return &cache.PanicError{Value: inside, Stack: []byte(within)} },
		"the end of time":              func() error { return fmt.Errorf("%s: %w", within, context.DeadlineExceeded) },
		"a caller who left":            func() error { return fmt.Errorf("%s: %w", within, context.Canceled) },
		"a panic":                      func() error { panic(within) },
		"a panic with an error":        func() error { panic(cause) },
		"a kind that does not exist":   func() error { return &providers.Error{Kind: "NEW", Provider: "ionos", Err: cause} },
		"no kind":                      func() error { return &providers.Error{Provider: "ionos", Op: within, Err: cause} },
		"two errors, one of them ours": func() error { return errors.Join(cause, &providers.Error{Kind: providers.Conflict, Provider: "ionos"}) },
	}
	for _, kind := range []providers.Kind{
		providers.Invalid, providers.NotFound, providers.Conflict, providers.Unsupported, providers.Unauthorized, providers.Forbidden,
		providers.RateLimited, providers.Unavailable, providers.OutcomeUnknown, providers.Canceled,
	} {
		ways[string(kind)] = func() error {
			return &providers.Error{Kind: kind, Reason: providers.Unreachable, Provider: "ionos", Op: "get token", Status: 418, RetryAfter: time.Minute, Err: cause}
		}
	}
	return ways
}

func TestEveryErrorHasACodeAndTellsNothingOfWhatIsInside(t *testing.T) {
	asked := goldens(t, "nodes/*.graphql")
	for _, pattern := range []string{"lists/*.graphql", "mutations/*.graphql"} {
		for path, text := range goldens(t, pattern) {
			asked[path] = text
		}
	}
	for name, fail := range failures() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, plan{cacheOff: true, change: func(a *catalog.Account) { a.Provider = saboteur{a.Provider, fail} }})
			told := 0
			for path, text := range asked {
				variables := readGolden(t, strings.TrimSuffix(path, ".graphql")+".json").Variables
				said, _ := w.post(t, map[string]any{"query": text, "variables": variables})
				told += checkErrors(t, path, said)
			}
			if told == 0 && name != codes.NotFound { // that is null
				t.Error("nothing failed")
			}
			if !strings.Contains(w.log.String(), "hunter2-within") && strings.Contains(name, "panic") {
				t.Error("not even the log tells what happened")
			}
		})
	}
}

// checkErrors looks at an answer, and returns how many errors it has.
func checkErrors(t *testing.T, path string, text []byte) int {
	t.Helper()
	for _, secret := range strings.Fields(within) {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("%s answered %s", path, text)
		}
	}
	if bytes.Contains(text, []byte("goroutine")) || bytes.Contains(text, []byte(".go:")) {
		t.Errorf("%s answered with a stack: %s", path, text)
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatalf("%s answered no JSON: %s", path, text)
	}
	for _, e := range a.Errors {
		extensions, _ := e["extensions"].(map[string]any)
		code, _ := extensions["code"].(string)
		if !codes.Known(code) {
			t.Errorf("%s: the code %q is none of docs/errors.md: %v", path, code, e)
		}
		if message, _ := e["message"].(string); message == "" {
			t.Errorf("%s: an error without a message: %v", path, e)
		}
		if id, _ := extensions["requestId"].(string); code == codes.Internal && id == "" {
			t.Errorf("%s: an error that is masked has no request id: %v", path, e)
		}
	}
	return len(a.Errors)
}

// TestTheGoldensHaveNoOtherCodes walks what operations were answered that we looked at once.
func TestTheGoldensHaveNoOtherCodes(t *testing.T) {
	told := 0
	for path := range goldens(t, "*/*.graphql") {
		told += checkErrors(t, path, pretty(t, readGolden(t, strings.TrimSuffix(path, ".graphql")+".json").Answer))
	}
	if told < 20 {
		t.Errorf("there are %d errors in all, too few to be all", told)
	}
}
