package catalog

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/cache"
	"regtok/providers"
)

// TestAfterAWriteNobodyGetsWhatWasCachedBeforeIt whatever came of the write, and whichever account reads.
func TestAfterAWriteNobodyGetsWhatWasCachedBeforeIt(t *testing.T) {
	unknown := &providers.Error{Kind: providers.OutcomeUnknown, Reason: providers.Timeout, Provider: "p", Op: "write"}
	for outcome, spoil := range map[string]func(s *source){
		"it is done":                   func(*source) {},
		"it is done, and that is lost": func(s *source) { s.losing(unknown) },
		"it fails":                     func(s *source) { s.failing(unknown, "create", "replace", "patch", "delete") },
		"it is refused":                func(s *source) { s.failing(errForbidden, "create", "replace", "patch", "delete") },
		"it has a fault":               func(s *source) { s.failing(errors.New("bug"), "create", "replace", "patch", "delete") },
		"it panics": func(s *source) {
			s.behave(func(op string, _ providers.ID) error {
				if op != "tokens" && op != "token" {
					panic("bug")
				}
				return nil
			})
		},
	} {
		for op := range every(nil) {
			s := newWriter(2, 2)
			a, b := s.account("a"), s.account("b")
			c := over(t, a, b)
			t0, t1 := grid.r0.TokenID("t0"), grid.r0.TokenID("t1")
			read := func() {
				for _, account := range []*Account{a, b} {
					c.views.tokens.Get(t.Context(), at{account, grid.r0})
					c.views.token.Get(t.Context(), within{at{account, grid.r0}, t0})
					c.views.token.Get(t.Context(), within{at{account, grid.r0}, t1})
					c.views.tokens.Get(t.Context(), at{account, grid.r1})
				}
			}
			read()
			c.OrganizationLists(t.Context(), c.all())
			s.requests()
			spoil(s)
			func() {
				defer func() { _ = recover() }()
				_, _ = every(c)[op](t.Context())
			}()
			expectRequests(t, s.requests(), map[string]int{op: 1})
			read()
			if diff := cmp.Diff(s.requests(), map[string]int{"tokens": 2, "token": 4}); diff != "" {
				t.Errorf("%s, and %s: the requests of the next readers differ (-got +want):\n%s", op, outcome, diff)
			}
		}
	}
}

func TestAWriteThatIsRefusedUnsentEndsNothingInTheCache(t *testing.T) {
	s := newWriter(1, 1)
	c := over(t, s.account("a"))
	token := grid.r0.TokenID("t0")
	c.TokenLists(t.Context(), []providers.ID{grid.r0})
	s.requests()
	refused(t)(c.CreateToken(t.Context(), CreateToken{Registry: grid.r0}))
	refused(t)(c.PatchToken(t.Context(), PatchToken{Token: token}))
	refused(t)(c.ReplaceToken(t.Context(), ReplaceToken{Token: token, Name: "n"}))
	c.TokenLists(t.Context(), []providers.ID{grid.r0})
	expectRequests(t, s.requests(), map[string]int{})
}

// TestWhoIsToldToReadAgainGetsWhatThereIs: the version that is not any more may have been out of the cache.
func TestWhoIsToldToReadAgainGetsWhatThereIs(t *testing.T) {
	s := newWriter(1, 1)
	c := over(t, s.account("a"))
	c.TokenLists(t.Context(), []providers.ID{grid.r0})
	s.requests()
	refused(t)(c.DeleteToken(t.Context(), DeleteToken{Token: grid.r0.TokenID("t0"), IfVersion: new("another")}))
	c.TokenLists(t.Context(), []providers.ID{grid.r0})
	expectRequests(t, s.requests(), map[string]int{"token": 1, "tokens": 1})
}

// lateReader answers with what there was when it was asked, once its gate is open.
type lateReader struct {
	*source
	gate chan struct{}
}

func (l lateReader) Tokens(ctx context.Context, registry providers.ID, page providers.PageRequest) (providers.Page[providers.Token], error) {
	read, err := l.source.Tokens(ctx, registry, page)
	<-l.gate
	return read, err
}

func TestAReaderWhoBeganBeforeAWriteDoesNotPutTheOldValueBack(t *testing.T) {
	for op := range every(nil) {
		synctest.Test(t, func(t *testing.T) {
			late := lateReader{newWriter(1, 1), make(chan struct{})}
			c := over(t, &Account{Name: "a", Driver: late.driver, Provider: late})
			before := make(chan cache.Entry[[]*Token])
			go func() { before <- c.TokenLists(t.Context(), []providers.ID{grid.r0})[0] }()
			synctest.Wait()
			done(t)(every(c)[op](t.Context()))
			close(late.gate)
			old := <-before
			now := c.TokenLists(t.Context(), []providers.ID{grid.r0})[0]
			if old.Err != nil || now.Err != nil {
				t.Fatal(old.Err, now.Err)
			}
			same := len(old.Value) == len(now.Value) && old.Value[0].Version() == now.Value[0].Version()
			if same || late.requests()["tokens"] != 2 {
				t.Errorf("%s: the next reader gets what was read before", op)
			}
		})
	}
}

// TestWhatIsReadWhileAWriteIsUnderWayIsNotKept: it may be from before the write.
func TestWhatIsReadWhileAWriteIsUnderWayIsNotKept(t *testing.T) {
	for op := range every(nil) {
		synctest.Test(t, func(t *testing.T) {
			s := newWriter(1, 1)
			c := over(t, s.account("a"))
			s.behave(func(asked string, _ providers.ID) error {
				if asked == op {
					time.Sleep(10 * time.Second)
				}
				return nil
			})
			var all sync.WaitGroup
			all.Go(func() { done(t)(every(c)[op](t.Context())) })
			time.Sleep(5 * time.Second)
			c.TokenLists(t.Context(), []providers.ID{grid.r0})
			all.Wait()
			c.TokenLists(t.Context(), []providers.ID{grid.r0})
			expectRequests(t, s.requests(), map[string]int{op: 1, "tokens": 2})
		})
	}
}
