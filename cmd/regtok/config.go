package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"regtok/providers"
	"regtok/providers/all"
)

// configFile is a configuration file. Its keys are the flags of serve, with underscores, and `accounts`.
type configFile struct {
	path     string
	settings map[string]any // by flag
	accounts []accountConfig
}

// accountConfig is one account as it is configured.
type accountConfig struct {
	driver   providers.Driver
	name     string
	settings providers.Settings
}

// readConfig reads a file strictly: a key that it does not know is an error that tells line and column.
func readConfig(path string, flags []*kong.Flag) (*configFile, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, fmt.Errorf("%s is not YAML: %s", path, yaml.FormatError(err, false, false))
	}
	c := &configFile{path: path, settings: map[string]any{}}
	if len(parsed.Docs) == 0 || parsed.Docs[0].Body == nil {
		return nil, fmt.Errorf("%s is empty", path)
	}
	if len(parsed.Docs) > 1 {
		return nil, c.at(parsed.Docs[1].Body, "a second document; one is enough")
	}
	entries, err := c.mapping(parsed.Docs[0].Body, "the file")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if err := c.read(entry, flags); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// read takes one entry of the file's top.
func (c *configFile) read(entry *ast.MappingValueNode, flags []*kong.Flag) error {
	key := entry.Key.String()
	if key == "accounts" {
		return c.readAccounts(entry.Value)
	}
	name := strings.ReplaceAll(key, "_", "-")
	if strings.Contains(key, "-") || !slices.ContainsFunc(flags, func(f *kong.Flag) bool { return f.Name == name }) {
		return c.unknown(entry, key, append(keysOf(flags), "accounts"))
	}
	var value any
	if err := yaml.NodeToValue(entry.Value, &value); err != nil || value == nil {
		return c.at(entry, key+" has no value that makes sense; leave the key out for the default")
	}
	if flag := value; flag == true || flag == false {
		value = fmt.Sprint(flag)
	}
	c.settings[name] = value
	return nil
}

func (c *configFile) readAccounts(node ast.Node) error {
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		return c.at(node, "accounts is a list: start each account with `- provider:`")
	}
	for _, item := range list.Values {
		account, err := c.readAccount(item)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(c.accounts, account.sameName) {
			return c.at(item, fmt.Sprintf("there are two accounts %q of %s; give each a name of its own", account.name, account.driver.Name))
		}
		c.accounts = append(c.accounts, account)
	}
	return nil
}

// readAccount takes one item of accounts. Which keys it may have depends on its provider.
func (c *configFile) readAccount(node ast.Node) (accountConfig, error) {
	entries, err := c.mapping(node, "an account")
	if err != nil {
		return accountConfig{}, err
	}
	texts := map[string]string{}
	for _, entry := range entries {
		scalar, ok := entry.Value.(ast.ScalarNode)
		if !ok || scalar.GetValue() == nil {
			return accountConfig{}, c.at(entry, entry.Key.String()+" needs a text or a number")
		}
		texts[entry.Key.String()] = fmt.Sprint(scalar.GetValue())
	}
	driver, err := driverNamed(texts["provider"])
	if err != nil {
		return accountConfig{}, c.at(node, fmt.Sprintf("an account needs `provider`: one of %s", driverNames()))
	}
	for _, entry := range entries {
		if key := entry.Key.String(); !slices.Contains(accountKeys(driver), key) {
			return accountConfig{}, c.unknown(entry, key, accountKeys(driver))
		}
	}
	account := accountConfig{driver: driver, name: texts["name"], settings: providers.Settings{}}
	if account.name == "" {
		account.name = driver.Name
	}
	if !plainName(account.name) {
		return accountConfig{}, c.at(node, fmt.Sprintf("the account's name %q: use 1 to 64 letters, digits, dots, dashes and underscores", account.name))
	}
	for _, setting := range driver.Settings {
		value, err := settingIn(setting, texts)
		if err != nil {
			return accountConfig{}, c.at(node, err.Error())
		}
		account.settings[setting.Name] = providers.NewSecret(value)
	}
	return account, nil
}

// settingIn finds a setting's value among an account's texts, or in the file that they name.
func settingIn(setting providers.Setting, texts map[string]string) (string, error) {
	value, given := texts[setting.Name]
	path, inFile := texts[setting.Name+"_file"]
	switch {
	case given && inFile:
		return "", fmt.Errorf("%s and %s_file are both given; one is enough", setting.Name, setting.Name)
	case inFile:
		return readSecret(setting.Name+"_file", path)
	case given:
		return value, nil
	}
	return setting.Default, nil
}

// readSecret reads the one line of a file that holds a secret.
func readSecret(key, path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	secret := strings.TrimSpace(string(content))
	if secret == "" || strings.ContainsAny(secret, "\r\n") {
		return "", fmt.Errorf("%s: %s has to hold exactly one line", key, path)
	}
	return secret, nil
}

// accountsFrom finds accounts in the variables that the providers' own tools use: one of each provider that has a
// secret there.
func accountsFrom(getenv func(string) string) []accountConfig {
	var accounts []accountConfig
	for _, driver := range all.Drivers() {
		account := accountConfig{driver: driver, name: driver.Name, settings: providers.Settings{}}
		found := false
		for _, setting := range driver.Settings {
			value := setting.Default
			if setting.Env != "" {
				if given := getenv(setting.Env); given != "" {
					value, found = given, found || setting.Secret
				}
			}
			account.settings[setting.Name] = providers.NewSecret(value)
		}
		if found {
			accounts = append(accounts, account)
		}
	}
	return accounts
}

func (a accountConfig) sameName(b accountConfig) bool {
	return a.driver.Name == b.driver.Name && a.name == b.name
}

// accountKeys are the keys that an account of a provider may have.
func accountKeys(d providers.Driver) []string {
	keys := []string{"provider", "name"}
	for _, s := range d.Settings {
		keys = append(keys, s.Name)
		if s.Secret {
			keys = append(keys, s.Name+"_file")
		}
	}
	return keys
}

func plainName(name string) bool {
	return len(name) <= 64 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}

func keysOf(flags []*kong.Flag) []string {
	var keys []string
	for _, f := range flags {
		if f.Name != "help" && f.Name != "version" && f.Name != "config" {
			keys = append(keys, strings.ReplaceAll(f.Name, "-", "_"))
		}
	}
	return keys
}

func (c *configFile) mapping(node ast.Node, what string) ([]*ast.MappingValueNode, error) {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values, nil
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, nil
	}
	return nil, c.at(node, what+" has to be a mapping: lines of `key: value`")
}

func (c *configFile) unknown(entry *ast.MappingValueNode, key string, known []string) error {
	return c.at(entry.Key, fmt.Sprintf("unknown key %q; there are %s", key, strings.Join(known, ", ")))
}

// at is an error at a place of the file.
func (c *configFile) at(node ast.Node, message string) error {
	if entry, ok := node.(*ast.MappingValueNode); ok {
		node = entry.Key
	}
	place := node.GetToken().Position
	return errors.New(fmt.Sprint(c.path, ":", place.Line, ":", place.Column, ": ", message))
}

// environment resolves flags from their variables.
func environment(getenv func(string) string) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		for _, name := range flag.Envs {
			if value := getenv(name); value != "" {
				return value, nil
			}
		}
		return nil, nil
	})
}

// Resolve implements kong.Resolver with the file's settings.
func (c *configFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	return c.settings[flag.Name], nil
}

// Validate implements kong.Resolver.
func (c *configFile) Validate(*kong.Application) error { return nil }

// withDefaults fills in the settings that are not given.
func withDefaults(d providers.Driver, given providers.Settings) providers.Settings {
	settings := providers.Settings{}
	for _, setting := range d.Settings {
		settings[setting.Name] = providers.NewSecret(setting.Default)
		if value, ok := given[setting.Name]; ok {
			settings[setting.Name] = value
		}
	}
	return settings
}

// secretVariables are the variables of the environment that make an account.
func secretVariables() []string {
	var names []string
	for _, d := range all.Drivers() {
		for _, s := range d.Settings {
			if s.Secret && s.Env != "" {
				names = append(names, s.Env)
			}
		}
	}
	return names
}

// explain tells what is wrong with an account's settings, and under which names they can be given.
func explain(err error, d providers.Driver) string {
	e, ok := errors.AsType[*providers.Error](err)
	if !ok || e.Message == "" {
		return err.Error()
	}
	for _, s := range d.Settings {
		if s.Name == e.Field && s.Env != "" {
			return fmt.Sprintf("%s (%s): %s", s.Name, s.Env, e.Message)
		}
	}
	return e.Field + ": " + e.Message
}
