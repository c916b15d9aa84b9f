package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"regtok/providers"
	"regtok/providers/all"
)

// longestSecret bounds a file that holds a secret, in bytes.
const longestSecret = 64 << 10

// accountConfig is one account as it is configured.
type accountConfig struct {
	driver   providers.Driver
	name     string
	settings providers.Settings
	place    string // in the configuration file; empty: it comes from variables
}

func (c *configFile) readAccounts(node ast.Node) error {
	list, ok := node.(*ast.SequenceNode)
	if !ok || len(list.Values) == 0 {
		return c.at(node, "accounts is a list: start each account with `- provider:`")
	}
	for _, item := range list.Values {
		account, err := c.readAccount(item)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(c.accounts, account.sameName) {
			return c.at(item, fmt.Sprintf("there are two accounts %s of %s; give each a `name` of its own", account.name, account.driver.Name))
		}
		c.accounts = append(c.accounts, account)
	}
	return nil
}

// readAccount takes one item of accounts. Which keys it may have depends on its provider.
func (c *configFile) readAccount(node ast.Node) (accountConfig, error) {
	entries, err := c.entries(node, "an account")
	if err != nil {
		return accountConfig{}, err
	}
	driver, err := driverOf(entries)
	if err != nil {
		return accountConfig{}, c.at(node, "an account needs `provider`, and that has to be one of "+driverNames())
	}
	texts, err := c.texts(entries, accountKeys(driver))
	if err != nil {
		return accountConfig{}, err
	}
	account := accountConfig{driver: driver, name: texts["name"], settings: providers.Settings{}, place: c.place(node)}
	if account.name == "" {
		account.name = driver.Name
	}
	if !plainName(account.name) {
		return accountConfig{}, c.at(node, "the account's `name` needs 1 to 64 letters, digits, dots, dashes and underscores")
	}
	for _, setting := range driver.Settings {
		value, err := c.setting(setting, texts)
		if err != nil {
			return accountConfig{}, c.at(node, err.Error())
		}
		account.settings[setting.Name] = providers.NewSecret(value)
	}
	return account, nil
}

func driverOf(entries []entry) (providers.Driver, error) {
	for _, e := range entries {
		if name, ok := e.value.(*ast.StringNode); ok && e.key == "provider" {
			return driverNamed(name.Value)
		}
	}
	return driverNamed("")
}

func (c *configFile) texts(entries []entry, known []string) (map[string]string, error) {
	texts := map[string]string{}
	for _, e := range entries {
		if !slices.Contains(known, e.key) {
			return nil, c.unknown(e, known)
		}
		text, err := c.scalar(e.key, e.value)
		if err != nil {
			return nil, err
		}
		texts[e.key] = text
	}
	return texts, nil
}

// setting finds a setting's value among an account's texts, or in the file that they name.
func (c *configFile) setting(setting providers.Setting, texts map[string]string) (string, error) {
	value, given := texts[setting.Name]
	path, inFile := texts[setting.Name+"_file"]
	switch {
	case given && inFile:
		return "", fmt.Errorf("%s and %s_file are both given; one is enough", setting.Name, setting.Name)
	case inFile:
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(c.path), path)
		}
		c.files = append(c.files, path)
		value, err := readSecret(path)
		if err != nil {
			return "", fmt.Errorf("%s_file: %w", setting.Name, err)
		}
		return value, nil
	case given:
		return value, nil
	}
	return setting.Default, nil
}

// readSecret reads the one line of a file that holds a secret. No error names the path: that is where people put the
// secret itself by mistake.
func readSecret(path string) (string, error) {
	content, err := readFile(path, longestSecret)
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return "", fmt.Errorf("the file cannot be read: %w", e.Err)
	}
	secret := strings.TrimSpace(string(content))
	if err != nil || secret == "" || strings.ContainsAny(secret, "\r\n") {
		return "", errors.New("the file has to hold the secret in one line, and nothing else")
	}
	return secret, nil
}

// accountsFrom finds accounts in the variables that the providers' own tools use: one of each provider that has a
// secret there.
func accountsFrom(getenv func(string) string) []accountConfig {
	var accounts []accountConfig
	for _, driver := range all.Drivers() {
		given, found := providers.Settings{}, false
		for _, setting := range driver.Settings {
			if setting.Env == "" {
				continue
			}
			if value := getenv(setting.Env); value != "" {
				given[setting.Name] = providers.NewSecret(value)
				found = found || setting.Secret
			}
		}
		if found {
			accounts = append(accounts, accountConfig{driver: driver, name: driver.Name, settings: withDefaults(driver, given)})
		}
	}
	return accounts
}

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

func (a accountConfig) sameName(b accountConfig) bool {
	return a.driver.Name == b.driver.Name && a.name == b.name
}

// String names the account in logs.
func (a accountConfig) String() string { return a.driver.Name + "/" + a.name }

// explain tells what is wrong with an account's settings, and under which names they can be given.
func (a accountConfig) explain(err error) error {
	e, ok := errors.AsType[*providers.Error](err)
	if !ok {
		return fmt.Errorf("account %s: %w", a, err)
	}
	reason := e.Message
	if reason == "" && e.Err != nil {
		reason = e.Err.Error()
	}
	return fmt.Errorf("%s: %s", a.nameOf(e.Field), reason)
}

// nameOf tells where a setting of this account is found.
func (a accountConfig) nameOf(name string) string {
	at := slices.IndexFunc(a.driver.Settings, func(s providers.Setting) bool { return s.Name == name })
	switch {
	case a.place != "" && at >= 0 && a.driver.Settings[at].Secret:
		return fmt.Sprintf("%s: account %s: %s, or %s_file", a.place, a, name, name)
	case a.place != "":
		return fmt.Sprintf("%s: account %s: %s", a.place, a, name)
	case at >= 0 && a.driver.Settings[at].Env != "":
		return a.driver.Settings[at].Env
	}
	return fmt.Sprintf("account %s: %s", a, name)
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
