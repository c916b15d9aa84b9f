package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// sources are where settings come from: the command line, which kong reads, else a variable, else the file.
type sources struct {
	args   []string
	getenv func(string) string
	file   *configFile // nil: there is none
}

var _ kong.Resolver = sources{}

// Resolve implements kong.Resolver. It tries a value out, because only here is known where it came from.
func (s sources) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	place, text := s.find(flag)
	if place == "" {
		return nil, nil
	}
	if err := tryOut(flag, text); err != nil {
		return nil, settingError{fmt.Errorf("%s: %w", place, err)}
	}
	return text, nil
}

// give tells whether a flag has a value that is not its default.
func (s sources) give(flag *kong.Flag) bool {
	place, _ := s.find(flag)
	return place != "" || slices.ContainsFunc(s.args, func(arg string) bool {
		name, _, _ := strings.Cut(arg, "=")
		return name == "--"+flag.Name
	})
}

// Validate implements kong.Resolver.
func (sources) Validate(*kong.Application) error { return nil }

// find returns the value that counts, and where it stands; an empty place: nowhere. An empty variable is none.
func (s sources) find(flag *kong.Flag) (place, text string) {
	if name := flag.Tag.Get("variable"); name != "" {
		if text := s.getenv(name); text != "" {
			return name, text
		}
	}
	if s.file == nil {
		return "", ""
	}
	found := s.file.settings[flag.Name]
	return found.place, found.text
}

func tryOut(flag *kong.Flag, text string) error {
	if known := flag.EnumSlice(); flag.Enum != "" && !slices.Contains(known, text) {
		return fmt.Errorf("%q is none of %s", text, strings.Join(known, ", "))
	}
	target := reflect.New(flag.Target.Type()).Elem()
	scan := kong.Scan().PushTyped(text, kong.FlagValueToken)
	if err := flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, target); err != nil {
		return err
	}
	return outOfRange(flag, target)
}

// settingError is about a value that did not come from the command line. It says where it stands.
type settingError struct{ error }

func (e settingError) Unwrap() error { return e.error }
