package main

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"regtok/auth"
	"regtok/providers"
)

// reach is what a caller is narrowed to. Whoever writes the key means to narrow something: without any names it is refused.
func (c *configFile) reach(e entry) (providers.Reach, error) {
	given, err := c.members(e.value, e.key, reachParts()...)
	if err != nil {
		return providers.Reach{}, err
	}
	said := map[providers.ReachPart][]string{}
	for key, part := range given {
		list, ok := part.value.(*ast.SequenceNode)
		if !ok {
			return providers.Reach{}, c.at(part.value, key+" is a list")
		}
		said[providers.ReachPart(key)] = []string{}
		for _, item := range list.Values {
			name, err := c.scalar(key, item)
			if err != nil {
				return providers.Reach{}, err
			}
			said[providers.ReachPart(key)] = append(said[providers.ReachPart(key)], name)
		}
	}
	reach, err := providers.NewReach(said)
	if err != nil {
		return providers.Reach{}, c.at(e.value, "reach: "+err.Error())
	}
	return reach, nil
}

// checkReaches refuses callers who are narrowed to providers or accounts that are not configured: it would be a slip.
func checkReaches(callers []auth.Caller, accounts []accountConfig) error {
	for _, caller := range callers {
		reach := caller.Viewer.Reach
		for _, name := range reach.Providers() {
			if !slices.ContainsFunc(accounts, func(a accountConfig) bool { return a.driver.Name == name }) {
				return fmt.Errorf("the caller %s is narrowed to the provider %q, and there is no account of it", caller.Viewer.Subject, name)
			}
		}
		for _, name := range reach.Accounts() {
			if !slices.ContainsFunc(accounts, func(a accountConfig) bool { return a.name == name }) {
				return fmt.Errorf("the caller %s is narrowed to the account %q, and there is none of that name", caller.Viewer.Subject, name)
			}
		}
	}
	return nil
}

func reachParts() []string {
	names := make([]string, len(providers.ReachParts()))
	for i, part := range providers.ReachParts() {
		names[i] = string(part)
	}
	return names
}
