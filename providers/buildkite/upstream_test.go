package buildkite

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
	orgUUID      = "018a456f-e581-44b6-c5a4-1d8a5f7094ee"
	otherOrgUUID = "018a456f-e581-44b6-c5a4-1d8a5f7094ef"
	registryUUID = "018f56ef-9ef4-70f0-aba2-0f4578e3d69d"
	otherUUID    = "018f56ef-9ef4-70f0-aba2-0f4578e3d69e"
	tokenUUID    = "0191b6a2-aa51-70d0-8a5f-aabce115b0fd"
	userUUID     = "0191b13b-0eb6-470d-a4c0-2085974f3580"
)

var (
	orgID      = providers.OrganizationID(name, orgUUID)
	registryID = orgID.RegistryID(registryUUID)
	tokenID    = registryID.TokenID(tokenUUID)
	userID     = providers.UserID(name, userUUID)
)

// upstream answers in Buildkite's place, without a network, and remembers what it was asked.
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

// wantAsked compares what was asked since the last time, in any order.
func (u *upstream) wantAsked(t *testing.T, what string, want ...string) {
	t.Helper()
	got := u.took()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s asked\n\t%s\nwant\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// account opens an account whose requests u answers. Settings are pairs of name and value.
func (u *upstream) account(t testing.TB, settings ...string) *adapter {
	t.Helper()
	config := providers.Config{
		Account:  "main",
		Settings: providers.Settings{settingToken: providers.NewSecret("bkua_test")},
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

// The requests that look slugs up, and those of the world's registry under its first names.
const (
	getOrganizations = "GET /v2/organizations?page=1&per_page=100"
	getRegistries    = "GET /v2/packages/organizations/acme/registries"
	getTokens        = getRegistries + "/images/tokens"
	getToken         = getTokens + "/" + tokenUUID
)

// world is a small Buildkite: organizations and registries by their slugs, whose owner may rename them.
type world struct {
	mu            sync.Mutex
	organizations map[string]string            // slug to UUID
	registries    map[string]map[string]string // organization's UUID to slug to UUID
	tokens        map[string][]string          // registry's UUID to tokens' UUIDs
}

func newWorld() *world {
	return &world{
		organizations: map[string]string{"acme": orgUUID},
		registries:    map[string]map[string]string{orgUUID: {"images": registryUUID}},
		tokens:        map[string][]string{registryUUID: {tokenUUID}},
	}
}

// renameRegistry moves a registry of the first organization to another slug.
func (w *world) renameRegistry(from, to string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	registries := w.registries[orgUUID]
	registries[to] = registries[from]
	delete(registries, from)
}

// upstream serves the world.
func (w *world) upstream() *upstream {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/organizations", func(rw http.ResponseWriter, _ *http.Request) {
		var items []string
		for slug, id := range w.organizations {
			items = append(items, fmt.Sprintf(`{"id":%q,"slug":%q,"name":%q}`, id, slug, slug))
		}
		write(rw, 200, "["+strings.Join(items, ",")+"]")
	})
	mux.HandleFunc("GET /v2/packages/organizations/{org}/registries", func(rw http.ResponseWriter, r *http.Request) {
		registries, ok := w.registries[w.organizations[r.PathValue("org")]]
		if !ok {
			write(rw, 404, `{"message":"No organization found"}`)
			return
		}
		var items []string
		for slug, id := range registries {
			items = append(items, fmt.Sprintf(`{"id":%q,"slug":%q,"name":%q}`, id, slug, slug))
		}
		write(rw, 200, "["+strings.Join(items, ",")+"]")
	})
	mux.HandleFunc("/v2/packages/organizations/{org}/registries/{registry}/tokens", w.serveTokens)
	mux.HandleFunc("/v2/packages/organizations/{org}/registries/{registry}/tokens/{token}", w.serveTokens)
	return &upstream{answer: func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		mux.ServeHTTP(rw, r)
	}}
}

func (w *world) serveTokens(rw http.ResponseWriter, r *http.Request) {
	org, registry := r.PathValue("org"), r.PathValue("registry")
	orgID := w.organizations[org]
	id, ok := w.registries[orgID][registry]
	if !ok {
		write(rw, 404, `{"message":"No registry found"}`)
		return
	}
	show := func(token, secret string) string {
		return fmt.Sprintf(`{"id":%q,"description":"ci","organization":{"id":%q,"slug":%q},"registry":{"id":%q,"slug":%q}%s}`,
			token, orgID, org, id, registry, secret)
	}
	token := r.PathValue("token")
	switch {
	case token == "" && r.Method == http.MethodGet:
		var items []string
		for _, token := range w.tokens[id] {
			items = append(items, show(token, ""))
		}
		write(rw, 200, "["+strings.Join(items, ",")+"]")
	case token == "":
		write(rw, 201, show(otherUUID, `,"token":"bkpt_secret"`))
	case !slices.Contains(w.tokens[id], token):
		write(rw, 404, `{"message":"No registry token found"}`)
	case r.Method == http.MethodDelete:
		rw.WriteHeader(200)
	default:
		write(rw, 200, show(token, ""))
	}
}
