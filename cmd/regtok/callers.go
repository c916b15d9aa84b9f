package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"regtok/auth"
)

// readCallers takes the API keys of the file, as hashes.
func (c *configFile) readCallers(node ast.Node) error {
	list, ok := node.(*ast.SequenceNode)
	if !ok || len(list.Values) == 0 {
		return c.at(node, "callers is a list: start each caller with `- name:`")
	}
	for _, item := range list.Values {
		caller, err := c.readCaller(item)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(c.callers, func(other auth.Caller) bool { return other.Key.ID() == caller.Key.ID() }) {
			return c.at(item, "this key is that of another caller, too; make one for each")
		}
		if slices.ContainsFunc(c.callers, func(other auth.Caller) bool { return !agree(caller.Viewer, other.Viewer) }) {
			return c.at(item, "the caller has another allowance with another key; they are one, and spend one")
		}
		c.callers = append(c.callers, caller)
	}
	return nil
}

// readCaller takes one item of callers.
func (c *configFile) readCaller(node ast.Node) (auth.Caller, error) {
	given, err := c.members(node, "a caller", "name", "key", "permissions", "until", "reach", "points_per_minute", "points_burst")
	if err != nil {
		return auth.Caller{}, err
	}
	for _, key := range []string{"name", "key", "permissions"} {
		if _, there := given[key]; !there {
			return auth.Caller{}, c.at(node, "a caller needs `"+key+"`")
		}
	}
	var caller auth.Caller
	if caller.Viewer.Subject, err = c.scalar("name", given["name"].value); err != nil {
		return auth.Caller{}, err
	}
	if !plainName(caller.Viewer.Subject) || caller.Viewer.Subject == "" {
		return auth.Caller{}, c.at(given["name"].value, "the caller's `name` needs 1 to 64 letters, digits, dots, dashes and underscores")
	}
	if caller.Key, err = c.keyHash(given["key"]); err != nil {
		return auth.Caller{}, err
	}
	if caller.Viewer.Permissions, err = c.permissions(given["permissions"]); err != nil {
		return auth.Caller{}, err
	}
	if until, there := given["until"]; there {
		if caller.Viewer.Until, err = c.moment(until); err != nil {
			return auth.Caller{}, err
		}
	}
	if caller.Viewer.Allowance, err = c.allowance(given); err != nil {
		return auth.Caller{}, err
	}
	if reach, there := given["reach"]; there {
		caller.Viewer.Reach, err = c.reach(reach)
	}
	if err == nil && slices.Contains(caller.Viewer.Permissions, auth.MetricsRead) && !caller.Viewer.May(auth.MetricsRead) {
		err = c.at(node, "METRICS_READ is for figures of everything; leave it out, or `reach`")
	}
	return caller, err
}

// members are the entries of a mapping, by key. Each has to be known.
func (c *configFile) members(node ast.Node, what string, known ...string) (map[string]entry, error) {
	entries, err := c.entries(node, what)
	if err != nil {
		return nil, err
	}
	members := map[string]entry{}
	for _, e := range entries {
		if !slices.Contains(known, e.key) {
			return nil, c.unknown(e, known)
		}
		members[e.key] = e
	}
	return members, nil
}

func (c *configFile) keyHash(e entry) (auth.KeyHash, error) {
	text, err := c.scalar(e.key, e.value)
	if err != nil {
		return auth.KeyHash{}, err
	}
	hash, err := auth.ParseKeyHash(text)
	if err != nil {
		return auth.KeyHash{}, c.at(e.value, "key: "+err.Error())
	}
	return hash, nil
}

// permissions is a list of known ones, each once.
func (c *configFile) permissions(e entry) ([]auth.Permission, error) {
	list, ok := e.value.(*ast.SequenceNode)
	if !ok || len(list.Values) == 0 {
		return nil, c.at(e.value, e.key+" is a list of "+permissionNames())
	}
	var permissions []auth.Permission
	for _, item := range list.Values {
		text, err := c.scalar(e.key, item)
		if err != nil {
			return nil, err
		}
		permission := auth.Permission(text)
		switch {
		case !slices.Contains(auth.Permissions(), permission):
			return nil, c.at(item, "this is no permission; there are "+permissionNames())
		case slices.Contains(permissions, permission):
			return nil, c.at(item, fmt.Sprintf("%s stands here twice", permission))
		}
		permissions = append(permissions, permission)
	}
	return permissions, nil
}

func permissionNames() string {
	names := make([]string, len(auth.Permissions()))
	for i, permission := range auth.Permissions() {
		names[i] = string(permission)
	}
	return strings.Join(names, ", ")
}

// moment is a time, or the end of a day in UTC.
func (c *configFile) moment(e entry) (time.Time, error) {
	text, err := c.scalar(e.key, e.value)
	if err != nil {
		return time.Time{}, err
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, c.at(e.value, e.key+" is a day, like 2027-01-31, which then is the last one, or a time, like 2027-01-31T12:00:00Z")
	}
	return at, nil
}

// knownCallers are those whom the server admits; nil: there are none, and it is for this machine alone.
func (a api) knownCallers(config auth.Config) *auth.Callers {
	if len(a.callers) == 0 && a.issuer == nil {
		return nil
	}
	config.Keys, config.Issuer = a.callers, a.issuer
	return auth.NewCallers(config)
}
