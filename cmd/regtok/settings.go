package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

const defaultListen = "127.0.0.1:8080"

// settings are those of every command that serves the API. The tag `variable` names a setting's variable for sources:
// kong's own tag would read the process's environment behind getenv's back, and for commands that are not asked for.
type settings struct {
	Listen     string     `default:"${listen}" variable:"REGTOK_LISTEN" placeholder:"ADDRESS" help:"Where to listen. Loopback only, unless callers are configured."`
	Hosts      hostNames  `variable:"REGTOK_HOSTS" placeholder:"NAME,..." help:"Names by which callers may address the server, besides localhost: for a proxy on this machine that keeps the Host header. Where callers are configured and no name is given, any will do."`
	Cache      string     `default:"on" enum:"on,off" variable:"REGTOK_CACHE" placeholder:"on|off" help:"Off: every query reads through, and only equal reads at the same time are shared. There is no sweep then."`
	SweepShare percent    `default:"40%" variable:"REGTOK_SWEEP_SHARE" placeholder:"PERCENT" help:"Most of a provider's request allowance that the sweep, and watching for events, may take, from 1% to 90%."`
	CacheSize  size       `default:"64MiB" variable:"REGTOK_CACHE_SIZE" placeholder:"SIZE" help:"Most memory that cached answers take."`
	MaxBody    size       `default:"32MiB" variable:"REGTOK_MAX_BODY" placeholder:"SIZE" help:"Longest answer of a provider that is read."`
	Timeout    span       `default:"30s" variable:"REGTOK_TIMEOUT" placeholder:"TIME" help:"Longest time that one operation may take."`
	Thresholds thresholds `default:"P30D,P14D,P7D,P3D,P1D,PT1H" variable:"REGTOK_THRESHOLDS" placeholder:"DURATION,..." help:"How long before it is due a token is worth a warning, and an event. All processes with the same Redis have to have the same."`
	Events     string     `default:"on" enum:"on,off" variable:"REGTOK_EVENTS" placeholder:"on|off" help:"On: tokens are watched, and each step towards an end is told. For that every registry is read now and then, with or without a sweep, within its share. All processes with the same Redis have to have the same."`
	Streams    most       `default:"1000" variable:"REGTOK_STREAMS" placeholder:"NUMBER" help:"Most subscriptions at a time, and most WebSockets."`
	APQ        string     `name:"apq" default:"on" enum:"on,off" variable:"REGTOK_APQ" placeholder:"on|off" help:"On: who sent a document with its SHA-256 may send the hash alone from then on (automatic persisted queries). Each process keeps 1,000 documents, and 4 MiB of them, at most."`
	Metrics    string     `default:"on" enum:"on,off" variable:"REGTOK_METRICS" placeholder:"on|off" help:"Figures for Prometheus at /metrics; where callers are configured, for those with METRICS_READ."`
	LogLevel   string     `default:"info" enum:"debug,info,warn,error" variable:"REGTOK_LOG_LEVEL" placeholder:"LEVEL" help:"debug, info, warn or error."`
	LogFormat  string     `default:"auto" enum:"auto,json,text" variable:"REGTOK_LOG_FORMAT" placeholder:"FORMAT" help:"auto, json or text. Auto: text on a terminal, else JSON."`

	frontSettings
	Limit limitSettings `embed:"" prefix:"limit-" group:"Limits:"`
}

// describe is a setting's help: what it is, its default, its range and its variable.
func describe(value *kong.Value) string {
	var text strings.Builder
	text.WriteString(value.Help)
	variable := value.Tag.Get("variable")
	switch {
	case value.HasDefault:
		fmt.Fprintf(&text, " Default: %s.", value.Default)
	case variable != "" && value.IsBool():
		text.WriteString(" Default: false.")
	}
	if least, most, limited := strings.Cut(value.Tag.Get("range"), ".."); limited {
		fmt.Fprintf(&text, " From %s to %s.", least, most)
	}
	if variable != "" {
		fmt.Fprintf(&text, " Variable: %s.", variable)
	}
	return text.String()
}
