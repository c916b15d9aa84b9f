// Package buildkite is the adapter of Buildkite Package Registries.
//
// It speaks Buildkite's REST API: organizations, their members, registries and registry tokens. Facts about the API
// are from https://buildkite.com/docs/apis/rest-api and from Buildkite's own client go-buildkite. What differs from
// other providers:
//
//   - URLs name organizations and registries by slugs, which change; ids hold UUIDs. See slugs.go.
//   - Tokens have one property to choose, the description, which is their name here. They live for ever, cannot be
//     switched off, and read the whole registry.
//   - A token is updated with POST on its own URL.
//   - Lists are bare arrays; a Link header leads to the next page where there is one.
package buildkite

import (
	"strings"

	"regtok/providers"
	"regtok/providers/buildkite/emulator"
)

const (
	name        = "buildkite"
	defaultBase = "https://api.buildkite.com"
)

// Names of settings.
const (
	settingBase          = "base_url"
	settingToken         = "token"
	settingOrganizations = "organizations"
)

// Driver describes Buildkite.
func Driver() providers.Driver {
	return providers.Driver{
		Name:         name,
		Title:        "Buildkite Package Registries",
		Capabilities: capabilities(),
		Settings: []providers.Setting{
			{Name: settingBase, Default: defaultBase, Help: "Address of Buildkite's REST API, without /v2."},
			{
				Name: settingToken, Env: "BUILDKITE_API_TOKEN", Secret: true,
				Help: "API access token with the scopes read_organizations, read_registries, and to change tokens write_registries.",
			},
			{
				Name: settingOrganizations, Env: "BUILDKITE_ORGANIZATION_SLUG",
				Help: "Slugs of the organizations to see, separated by commas. Empty: all that the token sees.",
			},
		},
		Open:             open,
		Native:           strings.ToLower,
		RegistryFromList: true,
		Costs:            costs(),
		Limits:           limits,
		LimitedBy:        limitedBy,
		Emulator:         emulator.New,
	}
}

func capabilities() providers.Capabilities {
	return providers.Capabilities{
		CreateFields:         []providers.TokenField{providers.FieldName},
		RequiredCreateFields: []providers.TokenField{providers.FieldName},
		PatchFields:          []providers.TokenField{providers.FieldName},
	}
}

// costs counts what looking up slugs takes as well: one list of organizations, and one of the organization's registries.
func costs() providers.Costs {
	ofOrganization := providers.Cost{Cold: 2, Warm: 1}
	ofRegistry := providers.Cost{Cold: 3, Warm: 1}
	return providers.Costs{
		Organizations:    providers.Cost{Cold: 1, Warm: 1},
		Registries:       ofOrganization,
		Registry:         ofOrganization,
		Users:            ofOrganization,
		User:             ofOrganization,
		Tokens:           ofRegistry,
		Token:            ofRegistry,
		CreateToken:      ofRegistry,
		PatchToken:       ofRegistry,
		DeleteToken:      ofRegistry,
		CredentialExpiry: providers.Cost{Cold: 1, Warm: 1},
	}
}
