package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"regtok/auth"
)

// longestConfig bounds a configuration file, in bytes.
const longestConfig = 1 << 20

// configFile is a configuration file. Its keys are the flags of serve, with underscores, `accounts`, `callers` and `oidc`.
// No error of it repeats a value, since that may be a secret that went astray.
type configFile struct {
	path     string
	settings map[string]fileSetting // by flag
	accounts []accountConfig
	callers  []auth.Caller
	issuer   *auth.Issuer      // nil: none
	files    []string          // itself, and those that hold secrets of accounts
	sum      [sha256.Size]byte // of its text
}

// fileSetting is a setting as the command line would have it, and where it stands.
type fileSetting struct{ place, text string }

// entry is one key of a mapping with its value.
type entry struct {
	key       string // empty: something that is no plain text
	at, value ast.Node
}

// readConfig reads a file strictly: what it does not know is an error that tells line and column.
func readConfig(path string, flags []*kong.Flag) (*configFile, error) {
	text, err := readFile(path, longestConfig)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", settingName("config"), err)
	}
	return parseConfig(path, text, flags)
}

func parseConfig(path string, text []byte, flags []*kong.Flag) (*configFile, error) {
	c := &configFile{path: path, settings: map[string]fileSetting{}, files: []string{path}, sum: sha256.Sum256(text)}
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("%s is not UTF-8 text", path)
	}
	file, err := parser.ParseBytes(bytes.TrimPrefix(text, []byte("\ufeff")), 0)
	if err != nil {
		return nil, c.notYAML(err)
	}
	body, err := c.body(file)
	if err != nil {
		return nil, err
	}
	entries, err := c.entries(body, "the file")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if err := c.read(e, flags); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// body finds the one document.
func (c *configFile) body(file *ast.File) (ast.Node, error) {
	var bodies []ast.Node
	for _, document := range file.Docs {
		if _, directive := document.Body.(*ast.DirectiveNode); document.Body != nil && !directive {
			bodies = append(bodies, document.Body)
		}
	}
	switch len(bodies) {
	case 0:
		return nil, fmt.Errorf("%s is empty", c.path)
	case 1:
		return bodies[0], nil
	}
	return nil, c.at(bodies[1], "a second document; one is enough")
}

// read takes one entry of the file's top.
func (c *configFile) read(e entry, flags []*kong.Flag) error {
	switch e.key {
	case "accounts":
		return c.readAccounts(e.value)
	case "callers":
		return c.readCallers(e.value)
	case "oidc":
		return c.readIssuer(e.value)
	}
	keys := keysOf(flags)
	at := slices.IndexFunc(flags, func(f *kong.Flag) bool { return e.key == keyOf(f) })
	if at < 0 || !slices.Contains(keys, e.key) {
		keys = slices.DeleteFunc(keys, func(key string) bool { return strings.HasPrefix(key, "limit_") })
		return c.unknown(e, append(keys, "accounts", "callers", "oidc", "and limits, as `regtok serve -h` lists them"))
	}
	text, err := c.text(e, flags[at].Target.Kind())
	if err != nil {
		return err
	}
	isPath := strings.HasSuffix(e.key, "_file") || e.key == "documents" || strings.HasPrefix(e.key, "tls_")
	if isPath && !filepath.IsAbs(text) {
		text = filepath.Join(filepath.Dir(c.path), text)
	}
	c.settings[flags[at].Name] = fileSetting{place: c.place(e.at) + ": " + e.key, text: text}
	return nil
}

func keyOf(f *kong.Flag) string { return strings.ReplaceAll(f.Name, "-", "_") }

// keysOf are the keys of the flags that a file can set.
func keysOf(flags []*kong.Flag) []string {
	var keys []string
	for _, f := range flags {
		if f.Name != "help" && f.Name != "version" && f.Name != "config" {
			keys = append(keys, keyOf(f))
		}
	}
	return keys
}

// text is a value as the command line would have it. Where a list or a mapping makes sense, one text does, too.
func (c *configFile) text(e entry, kind reflect.Kind) (string, error) {
	var parts []string
	switch value := e.value.(type) {
	case *ast.SequenceNode:
		if kind != reflect.Slice {
			return "", c.at(e.at, e.key+" takes no list: write one value")
		}
		for _, item := range value.Values {
			part, err := c.scalar(e.key, item)
			if err != nil {
				return "", err
			}
			parts = append(parts, part)
		}
	case *ast.MappingNode:
		if kind != reflect.Map {
			return "", c.at(e.at, e.key+" takes no keys of its own: write one value")
		}
		entries, err := c.entries(value, e.key)
		if err != nil {
			return "", err
		}
		for _, inner := range entries {
			part, err := c.scalar(e.key, inner.value)
			if err != nil {
				return "", err
			}
			parts = append(parts, inner.key+"="+part)
		}
	default:
		return c.scalar(e.key, e.value)
	}
	if len(parts) == 0 {
		return "", c.at(e.at, e.key+" has no value; leave the key out for its default")
	}
	return strings.Join(parts, ","), nil
}

// scalar is a value as it is written: a number, too, or 0123 would become 83.
func (c *configFile) scalar(key string, node ast.Node) (string, error) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, nil
	case *ast.NullNode:
		return "", c.at(node, key+" has no value; leave the key out for its default")
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return "", c.at(node, key+": anchors, aliases and tags mean nothing here; write the value out")
	}
	return "", c.at(node, key+" needs a text or a number")
}

func (c *configFile) entries(node ast.Node, what string) ([]entry, error) {
	var values []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		return nil, c.at(node, what+" has to be a mapping: lines of `key: value`")
	}
	entries := make([]entry, len(values))
	for i, value := range values {
		entries[i] = entry{at: value.Key, value: value.Value}
		if key, ok := value.Key.(*ast.StringNode); ok {
			entries[i].key = key.Value
		}
	}
	return entries, nil
}

// plainKey is what cannot be a secret in a key's place.
var plainKey = regexp.MustCompile(`^[A-Za-z_-]{1,32}$`)

func (c *configFile) unknown(e entry, known []string) error {
	named := "unknown key"
	if plainKey.MatchString(e.key) {
		named += " " + e.key
	}
	return c.at(e.at, named+"; there are "+strings.Join(known, ", "))
}

// at is an error at a place of the file.
func (c *configFile) at(node ast.Node, message string) error {
	return errors.New(c.place(node) + ": " + message)
}

func (c *configFile) place(node ast.Node) string {
	if mapping, ok := node.(*ast.MappingNode); ok && len(mapping.Values) > 0 {
		node = mapping.Values[0].Key // its own place is the first colon
	}
	position := node.GetToken().Position
	return fmt.Sprintf("%s:%d:%d", c.path, position.Line, position.Column)
}

// quoted is what the parser repeats of a file.
var quoted = regexp.MustCompile(` ?"(\\.|[^"\\])*"`)

func (c *configFile) notYAML(err error) error {
	e, ok := errors.AsType[yaml.Error](err)
	if !ok || e.GetToken() == nil {
		return fmt.Errorf("%s is not YAML", c.path)
	}
	reason := quoted.ReplaceAllString(e.GetMessage(), "")
	if strings.Contains(reason, "\t") || strings.Contains(reason, "tab character") {
		reason = "a tab; indent with spaces"
	}
	position := e.GetToken().Position
	return fmt.Errorf("%s:%d:%d: not YAML: %s", c.path, position.Line, position.Column, reason)
}

// readFile reads a file of at most that many bytes.
func readFile(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(content)) > most {
		err = fmt.Errorf("%s is longer than %d KiB", path, most>>10)
	}
	return content, err
}
