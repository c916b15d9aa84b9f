package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"regtok/auth"
	"regtok/cache"
	"regtok/catalog"
	"regtok/graph"
	"regtok/graph/transport"
	"regtok/metrics"
	"regtok/providers/all"
	"regtok/providers/budget"
	"regtok/server"
)

// serve serves the API over accounts.
type serve struct {
	Config         string       `short:"c" variable:"REGTOK_CONFIG" placeholder:"FILE" help:"YAML file with accounts, callers, and any of these settings; underscores for dashes."`
	MaxAge         maxAges      `variable:"REGTOK_MAX_AGE" placeholder:"PROVIDER=DURATION,..." help:"Rotation policy: how old tokens of a provider may become, for example P90D. None: as old as they like."`
	RedisURL       redisURL     `name:"redis-url" variable:"REGTOK_REDIS_URL" placeholder:"URL" help:"Redis that replicas share: for what was read, and for idempotency keys, rotations and scheduled deletions, which it has to keep. Without it these are lost when the process ends, and a deletion that would have to be scheduled is refused. redis://, redis+sentinel://, redis+cluster://, each with rediss for TLS, or unix://."`
	RedisURLFile   redisURLFile `name:"redis-url-file" variable:"REGTOK_REDIS_URL_FILE" placeholder:"FILE" help:"File that holds the URL of Redis in one line, instead of --redis-url, never beside it: it may hold a password."`
	RedisTimeout   redisTime    `name:"redis-timeout" default:"50ms" variable:"REGTOK_REDIS_TIMEOUT" placeholder:"TIME" help:"How long an answer waits for Redis until it goes on without, from 10ms to 2s. Where something has to be remembered five times as long."`
	Sweep          string       `default:"on" enum:"on,off" variable:"REGTOK_SWEEP" placeholder:"on|off" help:"On: one of all processes with the same Redis keeps the inventory fresh, so that lists over very many registries are read before they are asked for. It needs the cache, and all processes have to have the same."`
	EventRetention isoDuration  `name:"event-retention" default:"P35D" variable:"REGTOK_EVENT_RETENTION" placeholder:"DURATION" help:"How long Redis keeps events, for those who come back. Without Redis they are kept while the process lives, the last 100,000 of them."`
	Introspection  bool         `variable:"REGTOK_INTROSPECTION" help:"Let callers read the schema, which the playground needs for completion."`
	documentSettings
	settings

	accounts []accountConfig // of the file
	callers  []auth.Caller   // of the file
	issuer   *auth.Issuer    // of the file; nil: none
	file     fileSource
}

// fileSource is where a configuration file can be read again.
type fileSource struct {
	files      []string                    // it, and those that hold secrets of accounts
	sum        [sha256.Size]byte           // of what was in it
	ofAccounts bool                        // accounts stand there, and not in variables
	reread     func() (*configFile, error) // nil: there is no file
}

// Help tells what an account can be configured with.
func (serve) Help() string {
	var text strings.Builder
	text.WriteString("Accounts stand in the configuration file under `accounts`, each with `provider`, a `name` of your choice, and the settings below. " +
		"A secret can be in a file of its own, beside the configuration or anywhere: NAME_file. Without accounts in a file, those of the variables below are used.\n\n" +
		"Callers stand there under `callers`, each with `name`, `key` (the hash that `regtok keys new` prints), `permissions`, if the key ends `until`, `reach` if it is not for everything, and `points_per_minute` with `points_burst` if they may spend more or less than others. " +
		"Permissions: " + permissionNames() + ". " +
		"`oidc` admits those with tokens of an OpenID Connect issuer: `issuer`, `audience`, and if need be `clock_skew`, `claim`, `permissions`, `reach`, `points_per_minute` and `points_burst`. Without either whoever reaches the server may do everything, so that it listens on loopback only.\n")
	for _, driver := range all.Drivers() {
		fmt.Fprintf(&text, "\n%s (provider: %s)\n", driver.Title, driver.Name)
		for _, setting := range driver.Settings {
			fmt.Fprintf(&text, "  %s", setting.Name)
			if setting.Env != "" {
				fmt.Fprintf(&text, " ($%s)", setting.Env)
			}
			if setting.Default != "" {
				fmt.Fprintf(&text, ", default %s", setting.Default)
			}
			fmt.Fprintf(&text, "\n      %s\n", setting.Help)
		}
	}
	return text.String()
}

// Run implements the command.
func (s serve) Run(p process) error {
	accounts := s.accounts
	if len(accounts) == 0 {
		accounts = accountsFrom(p.getenv)
	}
	if len(accounts) == 0 {
		return usageError{errors.New("there is no account: set " + strings.Join(secretVariables(), " or ") +
			", or name a file with accounts by --config; `regtok demo` needs none")}
	}
	return api{
		settings: s.settings, documentSettings: s.documentSettings, accounts: accounts, callers: s.callers, issuer: s.issuer, maxAge: s.MaxAge, redis: s.redis(), redisTimeout: time.Duration(s.RedisTimeout), sweep: s.Sweep == "on", eventRetention: s.EventRetention, introspection: s.Introspection,
		exposed: openServe, fileSource: s.file,
	}.serve(p, func(string) {})
}

// redis is the address of Redis, wherever it stands.
func (s serve) redis() redisURL {
	if s.RedisURLFile.options != nil {
		return redisURL{s.RedisURLFile.options, settingName("redis-url-file")}
	}
	return redisURL{s.RedisURL.options, settingName("redis-url")}
}

// api is all that it takes to serve the API.
type api struct {
	settings
	documentSettings
	accounts       []accountConfig
	callers        []auth.Caller // neither these nor an issuer: everybody who reaches the server
	issuer         *auth.Issuer
	maxAge         maxAges
	redis          redisURL
	redisTimeout   time.Duration
	sweep          bool
	eventRetention isoDuration
	introspection  bool
	fileSource
	exposed string // what is wrong with listening where others reach it, without callers
}

// openServe is why a server without callers does not listen where others reach it.
const openServe = "no callers are configured, so that whoever reaches it could create tokens: " +
	"list `callers` in the configuration file (`regtok keys new` makes a key for each), or name an issuer under `oidc`, or listen on 127.0.0.1 or [::1]"

// sweeps tells whether the inventory is kept fresh for readers.
func (a api) sweeps() bool { return a.sweep && a.Cache != "off" }

// sweepsFor tells for whom registries are read without being asked for.
func (a api) sweepsFor() string {
	switch {
	case a.sweeps():
		return "on"
	case a.readAhead() > 0:
		return "for events"
	}
	return "off"
}

// readAhead is the part of each allowance that may be spent on reading what nobody asked for; 0: nothing is read so.
func (a api) readAhead() float64 {
	if !a.sweeps() && a.Events == "off" {
		return 0
	}
	return a.SweepShare.part()
}

// serve is the wiring, from configuration to server. It calls started with the address once it listens, and returns
// when the process is told to end and everything has.
func (a api) serve(p process, started func(base string)) error {
	log := server.NewLog(p.stderr, a.LogFormat, levelNamed(a.LogLevel))
	figures := metrics.New(version())
	common := a.share(p, log)
	defer common.leave()
	accounts := &openAccounts{api: a, log: log, common: common, see: figures.Upstream, lasts: 4 * time.Duration(a.Timeout)}
	if err := accounts.open(); err != nil {
		return usageError{err}
	}
	defer accounts.close()
	if err := checkReaches(a.callers, a.accounts); err != nil {
		return usageError{err}
	}
	limit := a.Limit.operation()
	limit.Introspection = a.introspection
	documents, err := a.known(limit)
	if err != nil {
		return usageError{err}
	}
	callers := a.knownCallers(auth.Config{Refused: figures.Refused, Log: log})
	certificate, err := a.certificate()
	if err != nil {
		return usageError{err}
	}
	listener, err := server.Listen(a.Listen, callers != nil)
	if errors.Is(err, server.ErrOpen) {
		err = fmt.Errorf("%q can be reached from other machines, and %s", a.Listen, a.exposed)
	}
	if err != nil {
		return usageError{fmt.Errorf("%s: %w", settingName("listen"), inUse(err))}
	}
	timeout := time.Duration(a.Timeout)
	views := cache.New(cache.Options{Off: a.Cache == "off", Bytes: int64(a.CacheSize), Parallel: 64, Store: common.store, StoreTimeout: a.redisTimeout, Report: common.health.Of("the shared cache"), Log: log})
	defer views.Close()
	ends := a.watch(common, log)
	defer ends.close()
	known := catalog.New(catalog.Options{
		Drivers: all.Drivers(), Accounts: accounts.known(), Cache: views, Ledger: common.ledger, Policy: a.policy(), LoadTimeout: timeout / 2, Report: common.health.Report, Log: log,
		SweepShare: a.readAhead(), SweepToTell: !a.sweeps(), Tell: ends.tell, Trail: ends.trail,
	})
	defer inBackground(context.WithoutCancel(p), ends.follow)() // until the last answer is given
	defer inBackground(p, known.KeepSchedule)()
	defer inBackground(p, known.Sweep)()
	defer inBackground(p, ends.run(known))()
	defer inBackground(p, renewing(append(a.rereadable(accounts, known, callers, log), renewedCertificate(certificate)...), log))()
	streams := transport.NewStreams(a.streams(figures, log))
	defer streams.Close()
	figures.Watch(metrics.Sources{Cache: views.Stats, Shared: common.store != nil, Redis: a.redisWorks(common), Accounts: func() []*catalog.Account { return known.Accounts(context.Background()) }, Swept: a.swept(known), Events: ends.figures, Activity: ends.deeds, Streams: streams.Stats})
	front := server.New(server.Config{
		GraphQL:     graph.New(graph.Options{Catalog: known, Events: ends.events, Activity: ends.activity, Streams: streams, Callers: callers, Version: version(), Limits: limit, Documents: documents, Requests: int(a.Limit.UpstreamRequests), Quota: a.quota(callers != nil, common, figures, log), Timeout: timeout, Observe: figures.Operation, Log: log}),
		Metrics:     a.shown(figures),
		Playground:  a.playground(),
		SDL:         graph.SDL(),
		Callers:     callers,
		Hosts:       a.Hosts,
		Origins:     a.Origins,
		Proxies:     a.TrustedProxies,
		Certificate: certificate,
		Ending:      streams.Close,
		Log:         log,
		Limits:      a.Limit.connection(timeout),
	})
	log.Info("serving", "address", listener.Addr().String(), "accounts", names(a.accounts), "cache", a.Cache, "shared", common.store != nil, "durable", common.durable, "sweep", a.sweepsFor(), "events", ends.events != nil, "introspection", a.introspection, "documents", documents.Known.Len(), "onlyKnown", documents.Only, "callers", len(a.callers), "oidc", a.issuer != nil)
	a.warn(log, listener.Addr())
	started(base(listener, certificate))
	return front.Serve(p, listener)
}

// base is the address that callers write.
func base(listener net.Listener, certificate *server.Certificate) string {
	if certificate != nil {
		return "https://" + listener.Addr().String()
	}
	return "http://" + listener.Addr().String()
}

// inBackground runs a function that ends with its context. stop ends it and waits for that.
func inBackground(ctx context.Context, run func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

// inUse adds to the commonest of errors what helps.
func inUse(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w: choose another, or port 0 for a free one", err)
	}
	return err
}

// swept is what tells how far the sweeps are; nil: there are none.
func (a api) swept(known *catalog.Catalog) func() []catalog.SweepStatus {
	if a.readAhead() == 0 {
		return nil
	}
	return known.Swept
}

// shown is what answers for the figures; nil: nothing does.
func (a api) shown(figures *metrics.Metrics) http.Handler {
	if a.Metrics == "off" {
		return nil
	}
	return figures.Handler()
}

// budget is what keeps the account within its provider's allowances, together with all replicas where there is a Redis.
func (a accountConfig) budget(fingerprint string, common shared) budget.Config {
	config := budget.Config{
		Key: cache.Join(a.driver.Name, a.name, fingerprint), Shared: common.budgets, Report: common.health.Of("the request budget of " + a.String()),
	}
	if a.driver.Start != nil {
		config.Start = a.driver.Start(a.settings)
	}
	return config
}

// names are the accounts as the log tells them.
func names(accounts []accountConfig) []string {
	list := make([]string, len(accounts))
	for i, account := range accounts {
		list[i] = account.String()
	}
	return list
}

func (a api) policy() catalog.Policy {
	policy := catalog.Policy{MaxAge: map[string]time.Duration{}}
	for provider, age := range a.maxAge {
		policy.MaxAge[provider] = time.Duration(age)
	}
	for _, threshold := range a.Thresholds {
		policy.Thresholds = append(policy.Thresholds, time.Duration(threshold))
	}
	return policy
}

// levelNamed is the level of that name, which was one of the known.
func levelNamed(name string) slog.Level {
	var level slog.Level
	if err := level.UnmarshalText([]byte(name)); err != nil {
		panic("the log level was not checked: " + err.Error())
	}
	return level
}
