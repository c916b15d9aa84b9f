// Command regtok is one GraphQL API over the registry tokens of several providers.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// program is the command line.
type program struct {
	Demo    demo    `cmd:"" help:"Serve the API over emulators of every provider: no account needed."`
	Serve   serve   `cmd:"" help:"Serve the API over your accounts."`
	Emulate emulate `cmd:"" help:"Serve one provider's own API from memory, for frontends and other clients."`
	Schema  sdl     `cmd:"" help:"Print the GraphQL schema."`
	Keys    keys    `cmd:"" help:"Make API keys for callers."`

	Version kong.VersionFlag `help:"Print the version."`
}

// process is what a command may use of the world.
type process struct {
	context.Context
	getenv         func(string) string
	stdout, stderr io.Writer
}

// run is the program without a process around it. It returns the exit code: 0 when all is well, 2 when it was called
// or configured wrongly, 1 when something failed. It ends when ctx does.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	p := process{ctx, getenv, stdout, stderr}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := p.parse(args)
	if over, ok := errors.AsType[exitCode](err); ok {
		return int(over)
	}
	if err != nil {
		return p.failed(usageError{err})
	}
	if err := command.Run(p); err != nil {
		return p.failed(err)
	}
	return 0
}

// parse reads the command line and, when it names one, the configuration file: flags go before variables, these before
// the file, and that before the defaults.
func (p process) parse(args []string) (*kong.Context, error) {
	var settings program
	from := sources{args: args, getenv: p.getenv}
	parser := p.parser(&settings, from)
	command, err := traced(parser, from)
	if err != nil || settings.Serve.Config == "" {
		return command, err
	}
	at := slices.IndexFunc(parser.Model.Children, func(n *kong.Node) bool { return n.Name == "serve" })
	read := func() (*configFile, error) {
		return readConfig(settings.Serve.Config, parser.Model.Children[at].Flags)
	}
	from.file, err = read()
	if err != nil {
		return nil, err
	}
	var filled program
	command, err = traced(p.parser(&filled, from), from)
	filled.Serve.accounts, filled.Serve.callers, filled.Serve.issuer = from.file.accounts, from.file.callers, from.file.issuer
	filled.Serve.file = fileSource{files: from.file.files, sum: from.file.sum, ofAccounts: len(from.file.accounts) > 0, reread: read}
	return command, err
}

// parser makes a parser of the command line, for settings from all sources.
func (p process) parser(settings *program, from sources) *kong.Kong {
	parser, err := kong.New(settings,
		kong.Name("regtok"),
		kong.Description("One GraphQL API over the registry tokens of several providers."),
		kong.Vars{"version": version(), "providers": driverNames(), "listen": defaultListen},
		kong.Writers(p.stdout, p.stderr),
		kong.Exit(func(code int) { panic(exitCode(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.ValueFormatter(describe),
		kong.Resolvers(from),
	)
	if err != nil {
		panic("the command line's description is wrong: " + err.Error())
	}
	return parser
}

// exitCode is how kong says that the program is over: after -h, for example.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit %d", int(c)) }

func traced(parser *kong.Kong, from sources) (command *kong.Context, err error) {
	defer func() {
		switch over := recover().(type) {
		case nil:
		case exitCode:
			err = over
		default:
			panic(over)
		}
	}()
	command, err = parser.Parse(from.args)
	if err != nil {
		return command, explained(err, from)
	}
	return command, contradiction(command.Flags(), from)
}

// usageError is a mistake of whoever started the program.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func (p process) failed(err error) int {
	fmt.Fprintln(p.stderr, "regtok:", err)
	if errors.As(err, new(usageError)) {
		return 2
	}
	return 1
}
