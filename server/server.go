// Package server is the HTTP side of regtok: routes, guards, health, logs, and an end without loss.
package server

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"regtok/auth"
	"regtok/codes"
	"regtok/server/requestid"
)

// Config is what a Server is made of.
type Config struct {
	// GraphQL answers /graphql. It finds the caller by auth.FromContext, and answers every method and content type.
	GraphQL http.Handler
	// Playground answers /playground and everything below. Nil: there is none.
	Playground http.Handler
	// Metrics answers /metrics. Nil: there are none.
	Metrics http.Handler
	// SDL is what /schema.graphqls shows.
	SDL string
	// Callers are those whom /graphql answers, and /metrics if they hold auth.MetricsRead. Nil: whoever reaches this server is
	// auth.Local, so it has to listen on loopback only.
	Callers *auth.Callers
	// Ready tells whether requests make sense yet. It has a second. Nil: always.
	Ready func(context.Context) error
	// Ending is called when the server begins to end, for what does not end by itself: streams. It must not wait for them. Nil:
	// there is nothing of that kind.
	Ending func()
	// Hosts are the names by which callers may address this server, besides those of the loopback interface. None, and
	// Callers: any name.
	Hosts []string
	// Origins are those whose pages may use /graphql from a browser, besides the server's own: as ParseOrigin returns them.
	Origins []string
	// Proxies are the addresses of proxies in front, whose X-Forwarded-For tells where requests come from. It is for the log alone.
	// None: the address of the connection is all that counts.
	Proxies []netip.Prefix
	// Certificate lets the server speak TLS, with HTTP/2 for those who can. Nil: it speaks plain HTTP/1.1.
	Certificate *Certificate
	// Log gets a line for each request. NewLog makes one that names the request in every line. Nil: none.
	Log    *slog.Logger
	Limits Limits
}

// Limits bound what a connection may take. A zero stands for the default.
type Limits struct {
	Connections int           // most connections at a time; others wait. 10,000
	Body        int64         // longest body of a request, in bytes. 1 MiB
	Headers     int           // longest request line and headers, in bytes. 64 KiB
	Header      time.Duration // longest time in which the headers come. 5 s
	Read        time.Duration // longest time in which the whole request comes. 15 s
	Answer      time.Duration // longest time that Config.GraphQL takes, which has to keep it by itself. 30 s
	Write       time.Duration // longest time in which a caller takes its answer. 30 s
	Idle        time.Duration // longest time for which a connection waits for its next request. 90 s
	Drain       time.Duration // longest time that the answers under way get when the server ends. 10 s
}

func (l Limits) orDefaults() Limits {
	return Limits{
		Connections: or(l.Connections, 10_000),
		Body:        or(l.Body, 1<<20),
		Headers:     or(l.Headers, 64<<10),
		Header:      or(l.Header, 5*time.Second),
		Read:        or(l.Read, 15*time.Second),
		Answer:      or(l.Answer, 30*time.Second),
		Write:       or(l.Write, 30*time.Second),
		Idle:        or(l.Idle, 90*time.Second),
		Drain:       or(l.Drain, 10*time.Second),
	}
}

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// Server serves regtok over HTTP. It is safe for concurrent use.
type Server struct {
	config  Config
	log     *slog.Logger
	limits  Limits
	door    door
	handler http.Handler
}

// New returns a server that does not listen yet.
func New(c Config) *Server {
	s := &Server{config: c, log: c.Log, limits: c.Limits.orDefaults()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.handler = requestid.Handler(s.located(s.observed(s.guarded(s.routes()))))
	return s
}

// routes is every path.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/graphql", s.shared(s.known(true, http.HandlerFunc(s.graphql))))
	mux.HandleFunc("GET /schema.graphqls", s.schema)
	mux.HandleFunc("GET /livez", s.livez)
	mux.HandleFunc("GET /readyz", s.readyz)
	if s.config.Metrics != nil {
		mux.Handle("GET /metrics", s.permitted(auth.MetricsRead, s.config.Metrics))
	}
	mux.HandleFunc("GET /{$}", s.index)
	if s.config.Playground != nil {
		mux.Handle("/playground", s.config.Playground)
		mux.Handle("/playground/", s.config.Playground)
	}
	return refusing(mux)
}

// ServeHTTP implements http.Handler, without the limits of time and of header length, which belong to a connection.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *Server) graphql(w http.ResponseWriter, r *http.Request) {
	if !s.door.enter() {
		w.Header().Set("Connection", "close")
		refuse(w, r, http.StatusServiceUnavailable, codes.Unavailable, "this server is shutting down: try again")
		return
	}
	defer s.door.leave()
	r.Body = http.MaxBytesReader(w, r.Body, s.limits.Body)
	s.config.GraphQL.ServeHTTP(w, r)
}

func (s *Server) schema(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-cache")
	text(w, http.StatusOK, s.config.SDL)
}

// index helps people who know the address only.
func (s *Server) index(w http.ResponseWriter, r *http.Request) {
	if s.config.Playground != nil && acceptsHTML(r) {
		http.Redirect(w, r, "/playground", http.StatusFound)
		return
	}
	page := "regtok: one GraphQL API over the registry tokens of several providers\n\n" +
		"POST /graphql            queries, as JSON\n" +
		"GET  /schema.graphqls    what can be asked\n" +
		"GET  /livez, /readyz     health\n"
	if s.config.Metrics != nil {
		page += "GET  /metrics            figures for Prometheus\n"
	}
	if s.config.Playground != nil {
		page += "GET  /playground         to try it in a browser\n"
	}
	text(w, http.StatusOK, page)
}

func text(w http.ResponseWriter, status int, content string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, content) // a caller that is gone cannot be told
}
