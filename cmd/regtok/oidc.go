package main

import (
	"fmt"
	"time"

	"github.com/goccy/go-yaml/ast"

	"regtok/auth"
	"regtok/providers"
)

// defaultSkew is by how much the issuer's clock may differ.
const defaultSkew = 30 * time.Second

// readIssuer takes the issuer whose tokens admit callers.
func (c *configFile) readIssuer(node ast.Node) error {
	given, err := c.members(node, "oidc", "issuer", "audience", "clock_skew", "claim", "permissions", "reach", "points_per_minute", "points_burst")
	if err != nil {
		return err
	}
	config := auth.IssuerConfig{Skew: defaultSkew}
	if given["issuer"].value == nil || given["audience"].value == nil {
		return c.at(node, "oidc needs `issuer`, the address that stands in its tokens, and `audience`, what this server is called there")
	}
	for _, text := range []struct {
		key    string
		target *string
	}{{"issuer", &config.URL}, {"audience", &config.Audience}, {"claim", &config.Claim}} {
		if *text.target, err = c.word(given, text.key); err != nil {
			return err
		}
	}
	if e, there := given["clock_skew"]; there {
		if config.Skew, err = c.skew(e); err != nil {
			return err
		}
	}
	if e, there := given["permissions"]; there {
		if config.Permissions, err = c.allowances(e); err != nil {
			return err
		}
	}
	if e, there := given["reach"]; there {
		if config.Reach, err = c.reachClaims(e); err != nil {
			return err
		}
	}
	if config.Allowance, err = c.allowance(given); err != nil {
		return err
	}
	if c.issuer, err = auth.NewIssuer(config); err != nil {
		return c.at(given["issuer"].value, "issuer: "+err.Error())
	}
	return nil
}

// word is a text that is not empty; empty: it is not given.
func (c *configFile) word(given map[string]entry, key string) (string, error) {
	e, there := given[key]
	if !there {
		return "", nil
	}
	text, err := c.scalar(key, e.value)
	if err == nil && text == "" {
		err = c.at(e.value, key+" has no value; write one, or leave the key out")
	}
	return text, err
}

func (c *configFile) skew(e entry) (time.Duration, error) {
	text, err := c.scalar(e.key, e.value)
	if err != nil {
		return 0, err
	}
	skew, err := time.ParseDuration(text)
	if err != nil || skew < 0 || skew > auth.MostSkew {
		return 0, c.at(e.value, fmt.Sprintf("clock_skew is a length of time like 30s, of %s at most", auth.MostSkew))
	}
	return skew, nil
}

// allowances are what the values of a claim allow.
func (c *configFile) allowances(e entry) (map[string][]auth.Permission, error) {
	entries, err := c.entries(e.value, "permissions")
	if err != nil {
		return nil, err
	}
	allowed := map[string][]auth.Permission{}
	for _, value := range entries {
		if value.key == "" {
			return nil, c.at(value.at, "a value of the claim has to be a text; put it into quotes")
		}
		list := entry{key: "permissions", at: value.at, value: value.value}
		if allowed[value.key], err = c.permissions(list); err != nil {
			return nil, err
		}
	}
	if len(allowed) == 0 {
		return nil, c.at(e.value, "permissions has no value; leave the key out where the claim's values are names of permissions")
	}
	return allowed, nil
}

// reachClaims are the claims that narrow callers.
func (c *configFile) reachClaims(e entry) (map[providers.ReachPart]string, error) {
	given, err := c.members(e.value, e.key, reachParts()...)
	if err != nil {
		return nil, err
	}
	claims := map[providers.ReachPart]string{}
	for key := range given {
		if claims[providers.ReachPart(key)], err = c.word(given, key); err != nil {
			return nil, err
		}
	}
	if len(claims) == 0 {
		return nil, c.at(e.value, "reach names no claim; leave the key out where every caller is for everything")
	}
	return claims, nil
}
