package main

import (
	"fmt"
	"strings"

	"regtok/server"
)

// frontSettings are about who reaches the server, and how.
type frontSettings struct {
	Origins originNames `variable:"REGTOK_ORIGINS" placeholder:"ORIGIN,..." help:"Origins whose pages may use the API from a browser, besides the server's own: each with scheme, host, and a port that is not the scheme's own, like https://app.example.com."`
}

// originNames are origins of pages, separated by commas.
type originNames []string

// UnmarshalText implements encoding.TextUnmarshaler. It adds: a flag may be given more than once.
func (o *originNames) UnmarshalText(text []byte) error {
	for part := range strings.SplitSeq(string(text), ",") {
		origin, err := server.ParseOrigin(strings.TrimSpace(part))
		if err != nil {
			return fmt.Errorf("%q: %w", part, err)
		}
		*o = append(*o, origin)
	}
	return nil
}
