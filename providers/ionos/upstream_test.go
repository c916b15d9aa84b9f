package ionos

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"regtok/providers"
)

const (
	number       = "31884391"
	registryUUID = "9bc72c7b-14d3-493e-a700-f9bc06b25614"
	tokenUUID    = "1e9f63b6-ff23-41ab-8f7e-57dd1008d6b5"
	otherUUID    = "1e9f63b6-ff23-41ab-8f7e-57dd1008d6b6"
	userUUID     = "63cef532-26fe-4a64-a4e0-de7c8a506c90"
)

var (
	orgID      = providers.OrganizationID(name, number)
	registryID = orgID.RegistryID(registryUUID)
	tokenID    = registryID.TokenID(tokenUUID)
	userID     = providers.UserID(name, userUUID)
)

// upstream answers in IONOS's place, without a network, and remembers what it was asked.
type upstream struct {
	answer http.HandlerFunc
	mu     sync.Mutex
	asked  []string
}

// RoundTrip implements http.RoundTripper.
func (u *upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	line := r.Method + " " + r.URL.RequestURI()
	if r.Body != nil {
		body, _ := io.ReadAll(r.Body)
		line += " " + string(body)
	}
	u.mu.Lock()
	u.asked = append(u.asked, line)
	u.mu.Unlock()
	recorder := httptest.NewRecorder()
	u.answer(recorder, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return recorder.Result(), nil
}

// took returns what was asked since the last time.
func (u *upstream) took() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	asked := u.asked
	u.asked = nil
	return asked
}

// wantAsked compares what was asked since the last time, in order.
func (u *upstream) wantAsked(t *testing.T, what string, want ...string) {
	t.Helper()
	if got := u.took(); !slices.Equal(got, want) {
		t.Errorf("%s asked\n\t%s\nwant\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// account opens an account whose requests u answers, with a token that tells nothing. Settings are pairs of name and
// value.
func (u *upstream) account(t testing.TB, settings ...string) *adapter {
	t.Helper()
	config := providers.Config{
		Account:  "main",
		Settings: providers.Settings{settingToken: providers.NewSecret("opaque")},
		Client:   &http.Client{Transport: u},
	}
	for pair := range slices.Chunk(settings, 2) {
		config.Settings[pair[0]] = providers.NewSecret(pair[1])
	}
	opened, err := open(config)
	if err != nil {
		t.Fatal(err)
	}
	return opened.(*adapter)
}

// contracted opens an account that knows its contract.
func (u *upstream) contracted(t testing.TB) *adapter { return u.account(t, settingContract, number) }

// kindOf is an error's kind, and its reason if it has one.
func kindOf(err error) string {
	if err == nil {
		return "none"
	}
	e, ok := errors.AsType[*providers.Error](err)
	if !ok {
		return fmt.Sprintf("%T", err)
	}
	return strings.TrimSuffix(string(e.Kind)+" "+string(e.Reason), " ")
}

// write sends a body.
func write(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// serves answers everything with one body.
func serves(status int, body string) *upstream {
	return &upstream{answer: func(w http.ResponseWriter, _ *http.Request) { write(w, status, body) }}
}
