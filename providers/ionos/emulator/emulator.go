// Package emulator is a stateful double, in memory, of the IONOS Container Registry API, and of what goes with it: the
// contracts and users of the Cloud API and the token list of the Auth API. It serves the vendor's own paths,
// /containerregistries/…, /cloudapi/v6/… and /auth/v1/….
//
// It is written from the vendor's published specification, generated SDKs, documentation and recorded answers, and
// shares nothing with our adapter. What none of those settles is a choice. The codes of business errors are not
// published; apart from paas-auth-1, paas-validation-1, 309 and 451, those here are the emulator's own.
package emulator

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"regtok/providers"
)

// New makes an emulator. Without options it holds the story: one contract with a few people, six registries in
// different states, and tokens that expire in a minute, in hours, in days and never; ids are the same each time, dates
// count from now. An unknown choice or value, or a negative number, is an Invalid error.
func New(options providers.EmulatorOptions) (*providers.Emulator, error) {
	behaviour, err := newBehaviour(options.Choices)
	if err != nil {
		return nil, err
	}
	if options.Registries < 0 || options.Tokens < 0 {
		return nil, optionError("registries", fmt.Errorf("the numbers of registries and tokens cannot be negative"))
	}
	start := time.Now().UTC().Truncate(time.Second)
	s := &server{
		behaviour: behaviour,
		only:      providers.NewSecret(options.Token),
		started:   start,
		users:     seedUsers(start),
		store:     newStore(behaviour.expiryDelay),
	}
	if options.RateLimit {
		s.window = &window{limit: behaviour.requestsPerMinute}
	}
	if options.Registries > 0 {
		seedMany(s.store, s.users, start, options.Registries, options.Tokens)
	} else {
		seedStory(s.store, s.users, start)
	}
	return &providers.Emulator{Handler: s, Settings: s.settings, Choices: choices()}, nil
}

// server is the emulated service.
type server struct {
	behaviour
	only    providers.Secret // the only credential accepted; empty: any
	started time.Time
	users   []*user // never changes

	mu     sync.Mutex // guards what follows
	store  *store
	window *window // nil: no limit
}

// settings point an adapter here. The credential is a token of the contract's owner.
func (s *server) settings(base string) providers.Settings {
	token := s.only
	if token.Empty() {
		token = providers.NewSecret(s.ownerToken())
	}
	settings := providers.Settings{
		"base_url":  providers.NewSecret(base + registryBase),
		"cloud_url": providers.NewSecret(base + cloudBase),
		"token":     token,
	}
	if s.window == nil { // then nobody has to be slowed down
		settings["requests_per_minute"] = providers.NewSecret("1000000")
	}
	return settings
}

// ServeHTTP answers one request.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	api, rest := findAPI(r.URL.EscapedPath())
	got, err := s.answer(w, r, api, rest)
	if err != nil {
		got = s.explain(api, err)
	}
	got.write(w)
}

// answer does everything that may fail, in the order of the vendor's gateway: who asks, how often, what for.
func (s *server) answer(w http.ResponseWriter, r *http.Request, api api, rest []string) (answer, error) {
	if api == noAPI {
		return answer{}, notFound()
	}
	req := &request{Request: r, query: r.URL.Query(), now: time.Now()}
	var err error
	if req.caller, err = s.authenticate(r, req.now); err != nil {
		return answer{}, err
	}
	if err := s.admit(req.now); err != nil {
		return answer{}, err
	}
	if api == registryAPI && !req.caller.registries {
		return answer{}, forbidden("you are not allowed to access or manage registries")
	}
	handle, params, err := findRoute(api, r.Method, rest)
	if err != nil {
		return answer{}, err
	}
	req.params = params
	if req.body, err = readBody(w, r); err != nil {
		return answer{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// The body may have taken a while to come.
	req.now = time.Now()
	s.store.sweep(req.now)
	return handle(s, req)
}

// admit counts a request against the limit.
func (s *server) admit(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.window == nil {
		return nil
	}
	return s.window.take(now)
}

// optionError is an option that makes no sense.
func optionError(field string, err error) error {
	return &providers.Error{Kind: providers.Invalid, Provider: "ionos", Op: "emulate", Field: field, Err: err}
}
