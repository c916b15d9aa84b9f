package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/alecthomas/units"
	"github.com/sosodev/duration"

	"regtok/cache"
	"regtok/catalog"
	"regtok/graph"
	"regtok/graph/limits"
	"regtok/providers"
	"regtok/providers/all"
	"regtok/providers/rest"
	"regtok/server"
	"regtok/web"
)

const defaultListen = "127.0.0.1:8080"

// settings are those of every command that serves the API.
type settings struct {
	Listen     string           `default:"${listen}" env:"REGTOK_LISTEN" help:"Address to listen on. Loopback only: callers cannot be told apart yet."`
	RedisURL   string           `name:"redis-url" env:"REGTOK_REDIS_URL" placeholder:"URL" help:"Not supported yet: the cache is kept in the process."`
	Cache      string           `default:"on" enum:"on,off" env:"REGTOK_CACHE" help:"on or off. Off: every query reads through, only equal reads at the same time are shared."`
	CacheSize  units.Base2Bytes `default:"64MiB" env:"REGTOK_CACHE_SIZE" help:"Most memory that cached answers take."`
	MaxBody    units.Base2Bytes `default:"32MiB" env:"REGTOK_MAX_BODY" help:"Longest answer of a provider that is read."`
	Timeout    time.Duration    `default:"30s" env:"REGTOK_TIMEOUT" help:"Longest time that one operation may take."`
	Thresholds []isoDuration    `default:"P30D,P14D,P7D,P3D,P1D,PT1H" env:"REGTOK_THRESHOLDS" help:"How long before it is due a token is worth a warning."`
	LogLevel   slog.Level       `default:"info" env:"REGTOK_LOG_LEVEL" help:"debug, info, warn or error."`
	LogFormat  string           `default:"auto" enum:"auto,json,text" env:"REGTOK_LOG_FORMAT" help:"auto, json or text. Auto: text on a terminal, else json."`
}

// serve serves the API over accounts.
type serve struct {
	Config        string                 `short:"c" env:"REGTOK_CONFIG" placeholder:"FILE" help:"YAML file with accounts, and with any of these settings; underscores for dashes."`
	MaxAge        map[string]isoDuration `env:"REGTOK_MAX_AGE" placeholder:"PROVIDER=DURATION" mapsep:"," help:"Rotation policy: how old tokens of a provider may become, for example P90D. None: as old as they like."`
	Introspection bool                   `env:"REGTOK_INTROSPECTION" help:"Let callers read the schema, which the playground needs for completion."`
	settings

	accounts []accountConfig // of the file
}

// Help tells what an account can be configured with.
func (serve) Help() string {
	var text strings.Builder
	text.WriteString("Accounts stand in the configuration file under `accounts`, each with `provider`, a `name` of your choice, and the settings below. " +
		"A secret can be in a file of its own: NAME_file. Without accounts in a file, those of the variables below are used.\n")
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
	return api{settings: s.settings, accounts: accounts, maxAge: s.MaxAge, introspection: s.Introspection}.serve(p, func(string) {})
}

// api is all that it takes to serve the API.
type api struct {
	settings
	accounts      []accountConfig
	maxAge        map[string]isoDuration
	introspection bool
}

// serve is the wiring, from configuration to server. It calls started with the address once it listens, and returns
// when the process is told to end and everything has.
func (a api) serve(p process, started func(base string)) error {
	if a.RedisURL != "" {
		return usageError{errors.New("--redis-url: this version keeps its cache in the process; leave the setting out")}
	}
	policy, err := a.policy()
	if err != nil {
		return usageError{err}
	}
	log := server.NewLog(p.stderr, a.LogFormat, a.LogLevel)
	listener, err := server.Listen(a.Listen)
	if err != nil {
		return usageError{fmt.Errorf("--listen: %w", err)}
	}
	accounts, err := a.open(log)
	if err != nil {
		return usageError{err}
	}
	store := cache.New(cache.Options{Off: a.Cache == "off", Bytes: int64(a.CacheSize), Parallel: 64, Log: log})
	defer store.Close()
	known := catalog.New(catalog.Options{
		Drivers: all.Drivers(), Accounts: accounts, Cache: store, Policy: policy, LoadTimeout: a.Timeout,
	})
	limit := limits.Default()
	limit.Introspection = a.introspection
	front := server.New(server.Config{
		GraphQL:    graph.New(graph.Options{Catalog: known, Version: version(), Limits: limit, Timeout: a.Timeout, Log: log}),
		Playground: web.Playground(),
		SDL:        graph.SDL(),
		Log:        log,
		Limits:     server.Limits{Answer: a.Timeout},
	})
	log.Info("serving", "address", listener.Addr().String(), "accounts", names(a.accounts), "cache", a.Cache, "introspection", a.introspection)
	started("http://" + listener.Addr().String())
	return front.Serve(p, listener)
}

// open makes the adapters.
func (a api) open(log *slog.Logger) ([]*catalog.Account, error) {
	var opened []*catalog.Account
	for _, account := range a.accounts {
		transport := rest.NewTransport(rest.TransportConfig{
			Provider: account.driver.Name, Account: account.name, Limits: account.driver.Limits, Log: log,
		})
		provider, err := account.driver.Open(providers.Config{
			Account: account.name, Settings: account.settings, Client: &http.Client{Transport: transport}, MaxBody: int64(a.MaxBody),
		})
		if err != nil {
			return nil, fmt.Errorf("account %s of %s: %s", account.name, account.driver.Name, explain(err, account.driver))
		}
		opened = append(opened, &catalog.Account{Name: account.name, Driver: account.driver, Provider: provider, Health: transport.Health})
	}
	return opened, nil
}

// names are the accounts as the log tells them.
func names(accounts []accountConfig) []string {
	list := make([]string, len(accounts))
	for i, account := range accounts {
		list[i] = account.driver.Name + "/" + account.name
	}
	return list
}

func (a api) policy() (catalog.Policy, error) {
	policy := catalog.Policy{MaxAge: map[string]time.Duration{}}
	for name, age := range a.maxAge {
		if _, err := driverNamed(name); err != nil {
			return policy, fmt.Errorf("--max-age: %w", err)
		}
		if age <= 0 {
			return policy, fmt.Errorf("--max-age: %s needs a duration longer than nothing", name)
		}
		policy.MaxAge[name] = time.Duration(age)
	}
	for _, threshold := range a.Thresholds {
		if threshold <= 0 {
			return policy, errors.New("--thresholds: each has to be longer than nothing")
		}
		policy.Thresholds = append(policy.Thresholds, time.Duration(threshold))
	}
	return policy, nil
}

// isoDuration is a span of time in ISO 8601.
type isoDuration time.Duration

// UnmarshalText reads P30D or PT12H.
func (d *isoDuration) UnmarshalText(text []byte) error {
	parsed, err := duration.Parse(string(text))
	if err != nil || parsed.Years != 0 || parsed.Months != 0 {
		return fmt.Errorf("%q is not an ISO 8601 duration in days, hours, minutes and seconds, like P90D or PT12H", text)
	}
	*d = isoDuration(parsed.ToTimeDuration())
	return nil
}
