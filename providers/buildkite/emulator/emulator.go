// Package emulator is a stateful double of Buildkite's REST API, as far as registry tokens need it: organizations,
// members, the current user, the access token, registries and their tokens. It is written from the vendor's documents,
// keeps their quirks, and lives in memory. What the documents leave open is a [providers.Choice].
//
// Every credential belongs to the same seeded person, the first of the story, unless it ends with an underscore and
// the first name of another: "bkua_grace" is Grace's, and sees, makes and exhausts what Grace does.
package emulator

import (
	"cmp"
	"errors"
	"net/http"
	"sync"
	"time"

	"regtok/providers"
)

const (
	driver            = "buildkite"
	defaultCredential = "bkua_emulator"
)

// emulator holds the double's state. People and organizations never change; what they own does, under mu.
type emulator struct {
	token    providers.Secret // the only credential accepted; empty: any
	enforced bool             // the request limits
	choices  choices
	limits   *limits
	routes   []route
	started  time.Time

	people        []*person
	organizations []*organization

	mu      sync.RWMutex
	revoked map[credential]bool
}

// New makes an emulator. Senseless options are Invalid; an unknown choice is answered with the known ones.
func New(options providers.EmulatorOptions) (*providers.Emulator, error) {
	if options.Registries < 0 || options.Tokens < 0 {
		return nil, invalidOption("registries", errors.New("registries and tokens cannot be negative"))
	}
	settled, err := settle(options.Choices)
	if err != nil {
		return nil, invalidOption("choices", err)
	}
	e := &emulator{
		token:    providers.NewSecret(options.Token),
		enforced: options.RateLimit,
		choices:  settled,
		limits:   newLimits(options.RateLimit),
		routes:   routes(),
		started:  time.Now(),
		revoked:  map[credential]bool{},
	}
	e.seed(options.Registries, options.Tokens)
	return &providers.Emulator{
		Handler: e,
		Settings: func(base string) providers.Settings {
			accepted := cmp.Or(options.Token, defaultCredential)
			return providers.Settings{"base_url": providers.NewSecret(base), "token": providers.NewSecret(accepted)}
		},
		Choices:        knownChoices(),
		RenameRegistry: e.renameRegistry,
	}, nil
}

func invalidOption(field string, err error) error {
	return &providers.Error{Kind: providers.Invalid, Provider: driver, Op: "emulate", Field: field, Err: err}
}

// call is one authenticated request on its way to a handler.
type call struct {
	*emulator
	request      *http.Request
	base         string // where the caller reached us: "http://127.0.0.1:9001"
	names        map[string]string
	credential   credential
	caller       *person
	organization *organization // nil where the path names none
	body         []byte
}

// ServeHTTP answers one request.
func (e *emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	allowBrowsers(w.Header())
	if r.Method == http.MethodOptions {
		preflight(w.Header())
		w.WriteHeader(http.StatusNoContent)
		return
	}
	got, refused := e.answer(w, r)
	if refused != nil {
		got = refused.answer()
	}
	got.write(w)
}

func (e *emulator) answer(w http.ResponseWriter, r *http.Request) (answer, *refusal) {
	if r.URL.Path == "/" {
		e.limits.unused().tell(w.Header())
		return greet(r.Method)
	}
	key, caller := e.authenticate(r)
	if caller == nil {
		e.limits.unused().tell(w.Header())
		return answer{}, unauthenticated()
	}
	target, names, found := e.match(r.URL.EscapedPath())
	c := &call{emulator: e, request: r, base: baseOf(r), names: names, credential: key, caller: caller}
	c.organization = e.organizationOf(caller, names["org"])
	standing := e.limits.count(caller, cmp.Or(c.organization, e.home(caller)))
	standing.tell(w.Header())
	if refused := standing.refusal(); e.enforced && refused != nil {
		return answer{}, refused
	}
	if !found {
		return answer{}, noRoute()
	}
	return c.run(w, target)
}

// run does what the request's method means there. A foreign organization is not found before any right is looked at.
func (c *call) run(w http.ResponseWriter, target route) (answer, *refusal) {
	method := c.request.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	action, ok := target.methods[method]
	if !ok {
		return answer{}, methodNotAllowed(target.allow)
	}
	if _, named := c.names["org"]; named && c.organization == nil {
		return answer{}, c.notFound("organization")
	}
	if !c.granted(action.scope) {
		return answer{}, missingScope(action.scope)
	}
	if method == http.MethodGet {
		c.mu.RLock()
		defer c.mu.RUnlock()
		return action.run(c)
	}
	body, refused := readBody(w, c.request)
	if refused != nil {
		return answer{}, refused
	}
	c.body = body
	c.mu.Lock()
	defer c.mu.Unlock()
	return action.run(c)
}

// baseOf is the address under which the caller knows us, for the URLs in answers.
func baseOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
