// Package ionos is the adapter of the IONOS Cloud Container Registry.
//
// It speaks two of IONOS's APIs: the container registry API for registries and tokens, and the Cloud API for contracts
// and users. Facts are from IONOS's own API description (version 1.0 and later), its generated clients and its
// documentation at https://docs.ionos.com. What differs from other providers:
//
//   - The organization is the contract, and an account has one. See contract.go.
//   - A token can be created under an id of the caller's choice, with PUT, which also replaces it.
//   - A token's name is fixed, and is the user name at login. Its password is told once; reads show "" in its place.
//   - A token that reaches its end is deleted by IONOS.
//   - PATCH bodies are flat, and tell absent from null.
package ionos

import (
	"time"

	"regtok/providers"
	"regtok/providers/ionos/emulator"
)

const (
	name        = "ionos"
	defaultBase = "https://api.ionos.com/containerregistries"
)

// Names of settings.
const (
	settingBase     = "base_url"
	settingCloud    = "cloud_url"
	settingToken    = "token"
	settingUsername = "username"
	settingPassword = "password"
	settingContract = "contract_number"
	settingRequests = "requests_per_minute"
)

// Driver describes IONOS.
func Driver() providers.Driver {
	return providers.Driver{
		Name:         name,
		Title:        "IONOS Cloud Container Registry",
		Capabilities: capabilities(),
		Settings: []providers.Setting{
			{
				Name: settingBase, Env: "IONOS_API_URL", Default: defaultBase,
				Help: "Address of the container registry API. A host alone, or its Cloud API, means /containerregistries there.",
			},
			{Name: settingCloud, Help: "Address of the Cloud API. Empty: /cloudapi/v6 on the host of base_url."},
			{Name: settingToken, Env: "IONOS_TOKEN", Secret: true, Help: "Bearer token. It goes before username and password."},
			{Name: settingUsername, Env: "IONOS_USERNAME", Help: "User name, where there is no token."},
			{Name: settingPassword, Env: "IONOS_PASSWORD", Secret: true, Help: "Password, where there is no token."},
			{
				Name: settingContract, Env: "IONOS_CONTRACT_NUMBER",
				Help: "Contract number. Needed for users of several contracts; sent as X-Contract-Number.",
			},
			{
				// No Default, which would change the fingerprints of all accounts that are there.
				Name: settingRequests,
				Help: "Most requests a minute; empty: 200. IONOS publishes no number, and refusals slow the server down.",
			},
		},
		Open:         open,
		Native:       canonical,
		Organization: func(id providers.ID) providers.Organization { return organization(id.Native) },
		Costs:        costs(),
		Start:        start,
		Emulator:     emulator.New,
	}
}

func capabilities() providers.Capabilities {
	whole := []providers.TokenField{
		providers.FieldName, providers.FieldExpiry, providers.FieldScopes, providers.FieldEnabled,
	}
	return providers.Capabilities{
		CreateFields:         whole,
		RequiredCreateFields: []providers.TokenField{providers.FieldName},
		ReplaceFields:        whole,
		PatchFields:          []providers.TokenField{providers.FieldExpiry, providers.FieldScopes, providers.FieldEnabled},
		Expiry:               true,
		Scopes:               true,
		Names: providers.NameRule{
			Pattern: `^[A-Za-z][A-Za-z0-9\-]{0,61}[A-Za-z0-9]$`, // the API description's, with its hyphen escaped
			Help:    "a token's name has 2 to 63 letters, digits and hyphens, begins with a letter and does not end with a hyphen",
			Unique:  true,
		},
		SoonestExpiry: time.Hour, // the manual of the web console: https://docs.ionos.com
	}
}

// costs are those of a credential that tells its contract number, or an account that sets it. Any other asks once
// more with its first call.
func costs() providers.Costs {
	one := providers.Cost{Cold: 1, Warm: 1}
	return providers.Costs{
		Registries: one, Registry: one, Tokens: one, Token: one, Users: one, User: one,
		CreateToken: one, ReplaceToken: one, PatchToken: one, DeleteToken: one,
	}
}
