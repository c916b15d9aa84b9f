package providertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"regtok/providers"
)

func errorCases() []testCase {
	return []testCase{
		{"each status is its kind", statusKinds, false},
		{"the vendor's message survives", messageSurvives, false},
		{"the wait is carried", waitCarried, false},
		{"an allowance is not exceeded", allowanceKept, false},
		{"an allowance that is used up is waited for when there is time", waitFits, false},
		{"a refused credential is UNAUTHORIZED", refusedCredential, false},
	}
}

// statuses are the kinds of refusals, of reads and of writes.
func statuses() map[int][2]providers.Kind {
	both := func(k providers.Kind) [2]providers.Kind { return [2]providers.Kind{k, k} }
	lost := [2]providers.Kind{providers.Unavailable, providers.OutcomeUnknown}
	return map[int][2]providers.Kind{
		400: both(providers.Invalid), 401: both(providers.Unauthorized), 402: both(providers.Forbidden), 403: both(providers.Forbidden),
		404: both(providers.NotFound), 409: both(providers.Conflict), 410: both(providers.NotFound), 422: both(providers.Invalid),
		405: both(providers.Unavailable), 415: both(providers.Unavailable), 418: both(providers.Unavailable),
		429: both(providers.RateLimited), 500: lost, 502: lost, 503: lost, 504: lost,
	}
}

// canary marks what must not come through.
const canary = "canary-5d41"

// refuse answers a request with a status and a body.
func refuse(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Retry-After", "3600")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func statusKinds(t *testing.T, s subject) {
	bodies := []string{
		"", "<html><title>" + canary + "</title></html>", `{"` + canary + `":"` + canary + `","errors":["`,
		`{"message":{"` + canary + `":1},"messages":"` + canary + `","errors":7}`,
	}
	s.inBubble(t, options{}, func(t *testing.T, r *rig) {
		for status, kinds := range statuses() {
			for i, body := range bodies {
				for _, m := range r.methods() {
					r.provider = r.warm(t)
					r.spoilAll(func(w http.ResponseWriter, _ *http.Request) { refuse(w, status, body) })
					r.tryRefused(t, fmt.Sprintf("%s refused with %d and body %d", m.name, status, i), m, status, kinds)
					r.tap.Spoil(nil)
				}
			}
		}
	})
}

// warm is a new adapter that has learnt what it can.
func (r *rig) warm(t *testing.T) providers.Provider {
	t.Helper()
	p := r.open(t)
	must(p.Token(t.Context(), r.world.token.ID))(t)
	must(p.Users(t.Context(), r.world.organization, providers.PageRequest{}))(t)
	return p
}

func (r *rig) tryRefused(t *testing.T, what string, m method, status int, kinds [2]providers.Kind) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	r.tap.Reset()
	value, err := m.call(ctx, r.provider, r.world)
	if r.managesWithout(t, what, m, value, err) {
		return
	}
	want := kinds[:1]
	if m.writes {
		want = kinds[1:]
	}
	if m.name == "User" && want[0] == providers.Forbidden {
		want = []providers.Kind{providers.Forbidden, providers.NotFound} // who may not be seen is not there
	}
	e := r.wantKind(t, what, err, want...)
	if e.Status != status && e.Kind != providers.NotFound {
		t.Errorf("%s: the error's status is %d", what, e.Status)
	}
	if text := e.Error() + e.Message + e.Field + e.RequiredScope; strings.Contains(text, canary) {
		t.Errorf("%s: the body is in the error: %s", what, text)
	}
	if status == http.StatusTooManyRequests && e.RetryAfter != time.Hour {
		t.Errorf("%s: the wait is %v, want 1h0m0s", what, e.RetryAfter)
	}
}

// managesWithout tells whether a method got by without the provider's answer, as one may where that is no secret of
// the provider's: the list of organizations whose ids say it all, or what costs no request.
func (r *rig) managesWithout(t *testing.T, what string, m method, value any, err error) bool {
	t.Helper()
	if err != nil {
		return false
	}
	switch {
	case m.cost.Warm == 0:
		return true
	case m.name == "Organizations" && r.driver.Organization != nil:
		got := value.(providers.Page[providers.Organization])
		same(t, what+": the organizations differ", got.Items, []providers.Organization{r.driver.Organization(r.world.organization)})
		return true
	}
	return false
}

// vendorRefusal is how the emulator refuses a request without a credential, and the texts in it.
func (r *rig) vendorRefusal(t *testing.T, like *http.Request) (body []byte, texts []string) {
	t.Helper()
	bare := like.Clone(t.Context())
	bare.Header.Del("Authorization")
	bare.Body = http.NoBody
	w := httptest.NewRecorder()
	r.emulator.Handler.ServeHTTP(w, bare)
	decoder := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return w.Body.Bytes(), texts
		}
		if err != nil {
			t.Errorf("the vendor's refusal is not JSON: %v", err)
			return w.Body.Bytes(), texts
		}
		if text, ok := token.(string); ok {
			texts = append(texts, text)
		}
	}
}

// messageSurvives refuses with each status in the vendor's own words.
func messageSurvives(t *testing.T, s subject) {
	s.inBubble(t, options{}, func(t *testing.T, r *rig) {
		for status := range statuses() {
			for _, m := range r.methods() {
				r.tryVendorsWords(t, m, status)
			}
		}
	})
}

func (r *rig) tryVendorsWords(t *testing.T, m method, status int) {
	t.Helper()
	r.provider = r.warm(t)
	var texts []string
	r.spoilAll(func(w http.ResponseWriter, req *http.Request) {
		body, told := r.vendorRefusal(t, req)
		texts = told
		refuse(w, status, string(body))
	})
	defer r.tap.Spoil(nil)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	value, err := m.call(ctx, r.provider, r.world)
	what := fmt.Sprintf("%s refused with %d", m.name, status)
	if r.managesWithout(t, what, m, value, err) {
		return
	}
	e, ok := errors.AsType[*providers.Error](err)
	if !ok {
		t.Fatalf("%s: %v", what, err)
	}
	if e.Message == "" || !slices.Contains(texts, e.Message) {
		t.Errorf("%s: the message is %q, want one of %q", what, e.Message, texts)
	}
	if e.Message != "" && strings.Contains(err.Error(), e.Message) {
		t.Errorf("%s: the vendor's message is in the text for logs: %v", what, err)
	}
}

// waitCarried uses a real allowance up.
func waitCarried(t *testing.T, s subject) {
	s.inBubble(t, options{rateLimit: true}, func(t *testing.T, r *rig) {
		err := r.useUp(t)
		e := r.wantKind(t, "one request too many", err, providers.RateLimited)
		if e.RetryAfter <= 0 || e.RetryAfter > time.Hour {
			t.Errorf("the wait is %v, want some", e.RetryAfter)
		}
		r.tap.Reset()
		r.wantKind(t, "the next request", r.useUp(t), providers.RateLimited)
		r.wantRequests(t, "an account whose allowance is used up", 0)
		time.Sleep(e.RetryAfter)
		if _, err := r.provider.Token(t.Context(), r.world.token.ID); err != nil {
			t.Errorf("after the wait: %v", err)
		}
	})
}

// allowanceKept: who reads what is left of an allowance, or starts with less than there is, is never told that it is
// used up.
func allowanceKept(t *testing.T, s subject) {
	s.inBubble(t, options{rateLimit: true}, func(t *testing.T, r *rig) {
		var told, refused atomic.Int32
		r.tap.Spoil(func(w http.ResponseWriter, req *http.Request, _ int) bool {
			answer := httptest.NewRecorder()
			r.emulator.Handler.ServeHTTP(answer, req)
			if r.driver.Limits != nil && len(r.driver.Limits(req, answer.Code, answer.Header(), nil)) > 0 {
				told.Add(1)
			}
			if answer.Code == http.StatusTooManyRequests {
				refused.Add(1)
			}
			maps.Copy(w.Header(), answer.Header())
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
			return true
		})
		r.wantKind(t, "one request too many", r.useUp(t), providers.RateLimited)
		publishes, knows := r.driver.Limits != nil, r.driver.Limits != nil || r.driver.Start != nil
		if (told.Load() > 0) != publishes || (refused.Load() == 0) != knows {
			t.Errorf("the driver reads allowances: %v, or knows of some: %v; %d answers told of one, and %d refused",
				publishes, knows, told.Load(), refused.Load())
		}
	})
}

// useUp sends requests from one account until there are too many. Each leaves the transport no time to wait.
func (r *rig) useUp(t *testing.T) error {
	t.Helper()
	for range 10_000 {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := r.provider.Token(ctx, r.world.token.ID)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

func waitFits(t *testing.T, s subject) {
	s.inBubble(t, options{rateLimit: true}, func(t *testing.T, r *rig) {
		e := r.wantKind(t, "one request too many", r.useUp(t), providers.RateLimited)
		ctx, cancel := context.WithTimeout(t.Context(), 2*e.RetryAfter+time.Minute)
		defer cancel()
		start := time.Now()
		if _, err := r.provider.Token(ctx, r.world.token.ID); err != nil {
			t.Errorf("with time enough: %v", err)
		}
		if waited := time.Since(start); waited < e.RetryAfter/2 {
			t.Errorf("the answer came after %v, want about %v", waited, e.RetryAfter)
		}
	})
}

func refusedCredential(t *testing.T, s subject) {
	r := s.newRig(t, options{credential: "the-only-one-" + canary})
	settings := r.emulator.Settings(r.base)
	for name, value := range settings {
		if strings.Contains(value.Reveal(), canary) {
			settings[name] = providers.NewSecret("another-one-" + canary)
		}
	}
	p := must(r.openWith(settings))(t)
	for _, m := range r.methods() {
		value, err := m.call(t.Context(), p, r.world)
		if r.managesWithout(t, m.name, m, value, err) {
			continue
		}
		e := r.wantKind(t, m.name+" with a refused credential", err, providers.Unauthorized)
		if strings.Contains(e.Error()+e.Message, canary) {
			t.Errorf("%s shows the credential: %v %q", m.name, err, e.Message)
		}
	}
}
