package main

import (
	"log/slog"
	"time"

	"regtok/auth"
	"regtok/graph/limits"
	"regtok/graph/transport"
	"regtok/metrics"
	"regtok/server"
)

// limitSettings say how much one operation, one connection and one stream may take. The tag `range` says how far each can be
// changed: see outOfRange. docs/errors-and-limits.md has a row for each.
type limitSettings struct {
	Document           size `default:"64KiB" range:"1KiB..1MiB" variable:"REGTOK_LIMIT_DOCUMENT" placeholder:"SIZE" help:"Longest document of an operation."`
	Tokens             most `default:"1000" range:"100..10000" variable:"REGTOK_LIMIT_TOKENS" placeholder:"NUMBER" help:"Most lexical tokens of a document, and most fields of all its operations together."`
	Depth              most `default:"12" range:"3..50" variable:"REGTOK_LIMIT_DEPTH" placeholder:"NUMBER" help:"Longest chain of fields."`
	IntrospectionDepth most `default:"20" range:"3..50" variable:"REGTOK_LIMIT_INTROSPECTION_DEPTH" placeholder:"NUMBER" help:"The same below introspection."`
	RootFields         most `default:"10" range:"1..100" variable:"REGTOK_LIMIT_ROOT_FIELDS" placeholder:"NUMBER" help:"Most fields at the top of an operation."`
	Aliases            most `default:"15" range:"1..200" variable:"REGTOK_LIMIT_ALIASES" placeholder:"NUMBER" help:"Most aliases, and fields repeated within one pair of braces."`
	Directives         most `default:"50" range:"1..500" variable:"REGTOK_LIMIT_DIRECTIVES" placeholder:"NUMBER" help:"Most directives."`
	ListItems          most `default:"50" range:"1..1000" variable:"REGTOK_LIMIT_LIST_ITEMS" placeholder:"NUMBER" help:"Most items of a list that is given."`
	Objects            most `default:"10000" range:"100..1000000" variable:"REGTOK_LIMIT_OBJECTS" placeholder:"NUMBER" help:"Most items of all lists of an answer, each as long as its first allows."`
	Points             most `default:"5000" range:"100..1000000" variable:"REGTOK_LIMIT_POINTS" placeholder:"NUMBER" help:"Highest cost of an operation."`
	UpstreamRequests   most `default:"500" range:"10..100000" variable:"REGTOK_LIMIT_UPSTREAM_REQUESTS" placeholder:"NUMBER" help:"Most requests to providers that one answer may take, what it writes aside."`
	Errors             most `default:"10" range:"1..100" variable:"REGTOK_LIMIT_ERRORS" placeholder:"NUMBER" help:"Most errors of an answer."`

	PointsPerMinute points `default:"auto" range:"100..10000000" variable:"REGTOK_LIMIT_POINTS_PER_MINUTE" placeholder:"NUMBER|off" help:"Points that each caller may spend in a minute, if not said otherwise of them. Auto: 20000 where callers are configured, else off."`
	PointsBurst     points `default:"auto" range:"100..10000000" variable:"REGTOK_LIMIT_POINTS_BURST" placeholder:"NUMBER" help:"Most points that a caller can have, and so spend at once. Auto: those of a minute."`

	Connections most `default:"10000" range:"10..1000000" variable:"REGTOK_LIMIT_CONNECTIONS" placeholder:"NUMBER" help:"Most connections at a time. Further ones wait. The process has to be allowed more open files than that, for providers and Redis, too."`

	Body       size `default:"1MiB" range:"2KiB..16MiB" variable:"REGTOK_LIMIT_BODY" placeholder:"SIZE" help:"Longest body of a request."`
	Headers    size `default:"64KiB" range:"4KiB..1MiB" variable:"REGTOK_LIMIT_HEADERS" placeholder:"SIZE" help:"Longest headers of a request."`
	HeaderTime span `default:"5s" range:"100ms..1m" variable:"REGTOK_LIMIT_HEADER_TIME" placeholder:"TIME" help:"Longest time in which the headers come."`
	ReadTime   span `default:"15s" range:"100ms..5m" variable:"REGTOK_LIMIT_READ_TIME" placeholder:"TIME" help:"Longest time in which the whole request comes."`
	WriteTime  span `default:"30s" range:"100ms..5m" variable:"REGTOK_LIMIT_WRITE_TIME" placeholder:"TIME" help:"Longest time in which a caller takes an answer."`
	IdleTime   span `default:"90s" range:"1s..1h" variable:"REGTOK_LIMIT_IDLE_TIME" placeholder:"TIME" help:"Longest time for which a connection waits for its next request."`
	DrainTime  span `default:"10s" range:"100ms..5m" variable:"REGTOK_LIMIT_DRAIN_TIME" placeholder:"TIME" help:"Longest time that answers get which are under way when the server ends."`

	Strangers        most `default:"100" range:"1..10000" variable:"REGTOK_LIMIT_STRANGERS" placeholder:"NUMBER" help:"Most WebSockets whose callers were not admitted yet. They do not count to --streams."`
	SocketOperations most `default:"10" range:"1..1000" variable:"REGTOK_LIMIT_SOCKET_OPERATIONS" placeholder:"NUMBER" help:"Most operations at a time on one WebSocket."`
	Message          size `default:"1MiB" range:"2KiB..16MiB" variable:"REGTOK_LIMIT_MESSAGE" placeholder:"SIZE" help:"Longest message of a WebSocket's caller."`
	InitTime         span `default:"5s" range:"100ms..1m" variable:"REGTOK_LIMIT_INIT_TIME" placeholder:"TIME" help:"Longest time for which a WebSocket waits for connection_init."`
	PingTime         span `default:"25s" range:"1s..10m" variable:"REGTOK_LIMIT_PING_TIME" placeholder:"TIME" help:"How often streams send a sign of life; a WebSocket whose caller sends none in twice that time is cut."`
	MessageTime      span `default:"10s" range:"100ms..5m" variable:"REGTOK_LIMIT_MESSAGE_TIME" placeholder:"TIME" help:"Longest time in which a caller takes one message of a stream."`
}

// operation is what one operation may ask for.
func (l limitSettings) operation() limits.Limits {
	return limits.Limits{
		Bytes: int(l.Document), Tokens: int(l.Tokens), Depth: int(l.Depth), IntrospectionDepth: int(l.IntrospectionDepth),
		RootFields: int(l.RootFields), Aliases: int(l.Aliases), Directives: int(l.Directives), ListItems: int(l.ListItems),
		Objects: int(l.Objects), Points: int(l.Points), Errors: int(l.Errors),
	}
}

// allowance is that of callers of whom nothing is said, where there are any.
func (l limitSettings) allowance(callers bool) auth.Allowance {
	perMinute := int(l.PointsPerMinute)
	switch {
	case l.PointsPerMinute == autoPoints && !callers, l.PointsPerMinute == noLimit:
		return auth.Allowance{}
	case l.PointsPerMinute == autoPoints:
		perMinute = defaultPoints
	}
	if l.PointsBurst == autoPoints || l.PointsBurst == noLimit {
		return auth.Allowance{PerMinute: perMinute, Burst: perMinute}
	}
	return auth.Allowance{PerMinute: perMinute, Burst: int(l.PointsBurst)}
}

// connection is what a connection may take, whose operations take no longer than that.
func (l limitSettings) connection(timeout time.Duration) server.Limits {
	return server.Limits{
		Connections: int(l.Connections), Body: int64(l.Body), Headers: int(l.Headers), Header: time.Duration(l.HeaderTime), Read: time.Duration(l.ReadTime), Answer: timeout,
		Write: time.Duration(l.WriteTime), Idle: time.Duration(l.IdleTime), Drain: time.Duration(l.DrainTime),
	}
}

// streams is what streams may take.
func (s settings) streams(figures *metrics.Metrics, log *slog.Logger) transport.StreamConfig {
	return transport.StreamConfig{
		Process: int(s.Streams), Strangers: int(s.Limit.Strangers), Socket: int(s.Limit.SocketOperations), Message: int64(s.Limit.Message),
		Init: time.Duration(s.Limit.InitTime), Ping: time.Duration(s.Limit.PingTime), Write: time.Duration(s.Limit.MessageTime),
		Observe: figures.Delivered, Log: log,
	}
}
