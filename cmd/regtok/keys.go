package main

import (
	"errors"
	"fmt"

	"regtok/auth"
)

// keys is about API keys.
type keys struct {
	New newKey `cmd:"" help:"Make an API key. It is printed once, with what the configuration has to say of it."`
}

// newKey makes a key.
type newKey struct {
	Name string `default:"caller" placeholder:"NAME" help:"Who will hold the key: the subject in logs."`
}

// Run implements the command.
func (n newKey) Run(p process) error {
	if n.Name == "" || !plainName(n.Name) {
		return usageError{errors.New("--name needs 1 to 64 letters, digits, dots, dashes and underscores")}
	}
	key := auth.NewKey()
	_, err := fmt.Fprintf(p.stdout, newKeyText, key.Reveal(), n.Name, key.Hash())
	return err
}

// newKeyText is told with the key, the name and the hash.
const newKeyText = `The key, for its caller alone. It is not kept and not shown again:

  %s

For the configuration file of regtok serve, where it has to be among these:

callers:
  - name: %s
    key: %s
    permissions: [TOKENS_READ, EVENTS_READ]
`
