package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"regtok/providers"
)

// changed is what the properties make of a registry's description. Absent ones stay, null ones are cleared.
func (c *call) changed(r *registry, p properties) (about, *refusal) {
	to := r.about
	var refused *refusal
	if p.has("name") {
		if to.name, refused = c.requiredText(p, "name"); refused != nil {
			return about{}, refused
		}
		if to.slug, refused = c.freeSlug(c.organization, r, to.name); refused != nil {
			return about{}, refused
		}
	}
	if to.description, refused = c.textOr(p, "description", to.description); refused != nil {
		return about{}, refused
	}
	if to.emoji, refused = c.textOr(p, "emoji", to.emoji); refused != nil {
		return about{}, refused
	}
	if to.color, refused = c.textOr(p, "color", to.color); refused != nil {
		return about{}, refused
	}
	if p.has("oidc_policy") {
		to.oidcPolicy, refused = c.oidcPolicy(p["oidc_policy"])
	}
	return to, refused
}

var alphanumeric = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// freeSlug derives a registry's slug from its name. Names that leave none, or another registry's, are refused.
func (e *emulator) freeSlug(o *organization, of *registry, name string) (string, *refusal) {
	if e.choices.is(registryName, "alphanumeric") && !alphanumeric.MatchString(name) {
		return "", e.invalid("name", "invalid", "may only contain letters and numbers")
	}
	slug := slugOf(name)
	if slug == "" {
		return "", e.invalid("name", "invalid", "is invalid")
	}
	for _, r := range o.registries {
		if r != of && r.slug == slug {
			return "", e.invalid("name", "taken", "has already been taken")
		}
	}
	return slug, nil
}

// slugOf keeps letters and digits, in lower case, and writes one dash for whatever stands between them.
func slugOf(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	return strings.Join(words, "-")
}

// oidcPolicy takes YAML in a text, or statements in an array, and keeps a text: JSON is YAML.
func (c *call) oidcPolicy(raw json.RawMessage) (*string, *refusal) {
	var text *string
	if json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	var statements []json.RawMessage
	var compact bytes.Buffer
	if json.Unmarshal(raw, &statements) != nil || json.Compact(&compact, raw) != nil {
		return nil, c.invalid("oidc_policy", "invalid", "must be YAML or an array of statements")
	}
	policy := compact.String()
	return &policy, nil
}

// seenEcosystems are those that the vendor's own code and tests name.
func seenEcosystems() []string { return []string{"container", "java", "python", "ruby"} }

func (c *call) ecosystem(p properties) (string, *refusal) {
	ecosystem, refused := c.requiredText(p, "ecosystem")
	if refused != nil {
		return "", refused
	}
	if c.choices.is(registryEcosystem, "known") && !slices.Contains(seenEcosystems(), ecosystem) {
		return "", c.invalid("ecosystem", "inclusion", "is not included in the list")
	}
	return ecosystem, nil
}

// teams are asked for only where the teams feature is on.
func (c *call) teams(p properties) ([]string, *refusal) {
	var teams []string
	if raw, ok := p["team_ids"]; ok && json.Unmarshal(raw, &teams) != nil {
		return nil, c.invalid("team_ids", "invalid", "must be an array of UUIDs")
	}
	if len(teams) == 0 && c.choices.is(teamIDs, "required") {
		return nil, c.blank("team_ids")
	}
	return teams, nil
}

// renameRegistry is an owner's renaming, elsewhere than in this API.
func (e *emulator) renameRegistry(nativeID, name string) error {
	const op = "rename registry"
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range e.organizations {
		for _, r := range o.registries {
			if r.id != nativeID {
				continue
			}
			to := r.about
			var refused *refusal
			to.name = name
			if to.slug, refused = e.freeSlug(o, r, name); refused != nil {
				return &providers.Error{Kind: providers.Invalid, Provider: driver, Op: op, Field: "name",
					Err: fmt.Errorf("%q is no name here, or is taken", name)}
			}
			o.change(r, to)
			return nil
		}
	}
	return providers.NotFoundError(driver, op)
}
