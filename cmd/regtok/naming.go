package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// settingName is what a setting is called where it does not matter, or cannot be known, how it was given.
func settingName(flag string) string {
	return "--" + flag + " (REGTOK_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_")) + ")"
}

// nothingThere ends what the parser says of a flag at the end of a command line, which has no value.
const nothingThere = `but got "EOL" (<EOL>)`

// explained is the parser's error in terms of settings: with all the names of the one that it is about, or where that stands.
func explained(err error, from sources) error {
	parse, ok := errors.AsType[*kong.ParseError](err)
	if !ok || parse.Context == nil {
		return err
	}
	flags := parse.Context.Flags()
	if twice := givenTwice(flags, from); twice != nil {
		return twice // be the one that is not needed right or wrong
	}
	if misplaced, ok := errors.AsType[settingError](err); ok {
		return misplaced // without the flag's name in front, which was not used
	}
	for _, flag := range flags {
		rest, found := strings.CutPrefix(err.Error(), "--"+flag.Name)
		if !found || !strings.HasPrefix(rest, ":") && !strings.HasPrefix(rest, " ") {
			continue
		}
		name := "--" + flag.Name
		if flag.Tag.Get("variable") != "" {
			name = settingName(flag.Name)
		}
		if strings.HasSuffix(rest, nothingThere) {
			rest = ": it needs a value"
		}
		return errors.New(name + rest)
	}
	return err
}

// contradiction is what is wrong with settings that are right one by one.
func contradiction(flags []*kong.Flag, from sources) error {
	sweep, cached := flagNamed("sweep", flags), flagNamed("cache", flags)
	if sweep != nil && from.give(sweep) && sweep.Target.String() == "on" && cached.Target.String() == "off" {
		return fmt.Errorf("%s is on and %s is off: the sweep needs the cache", settingName("sweep"), settingName("cache"))
	}
	for _, flag := range flags { // of the command line; others were looked at where they stand
		if err := outOfRange(flag, flag.Target); err != nil {
			return fmt.Errorf("%s: %w", settingName(flag.Name), err)
		}
	}
	only, documents := flagNamed("known-documents-only", flags), flagNamed("documents", flags)
	if only != nil && only.Target.Bool() && documents.Target.String() == "" {
		return fmt.Errorf("%s needs %s: without a manifest every document would be refused", settingName(only.Name), settingName(documents.Name))
	}
	return givenTwice(flags, from)
}

// givenTwice tells of a setting that has a value, and a file with one.
func givenTwice(flags []*kong.Flag, from sources) error {
	for _, flag := range flags {
		file := flagNamed(flag.Name+"-file", flags)
		if file != nil && from.give(flag) && from.give(file) {
			return fmt.Errorf("%s and %s are both given; one is enough", settingName(flag.Name), settingName(file.Name))
		}
	}
	return nil
}

// flagNamed is the flag of that name; nil: there is none.
func flagNamed(name string, flags []*kong.Flag) *kong.Flag {
	at := slices.IndexFunc(flags, func(f *kong.Flag) bool { return f.Name == name })
	if at < 0 {
		return nil
	}
	return flags[at]
}
