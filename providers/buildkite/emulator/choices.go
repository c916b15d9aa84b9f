package emulator

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"regtok/providers"
)

// The choices. What each means stands in its Help.
const (
	scopesChoice         = "scopes"
	membersChoice        = "members"
	memberRole           = "member_role"
	slugCase             = "slug_case"
	paginateLists        = "paginate_lists"
	listOrder            = "list_order"
	registryByUUID       = "registry_by_uuid"
	registryPatch        = "registry_patch"
	registryName         = "registry_name"
	registryEcosystem    = "registry_ecosystem"
	registryType         = "registry_type"
	registryWebURL       = "registry_web_url"
	teamIDs              = "team_ids"
	tokenPutPatch        = "token_put_patch"
	emptyUpdate          = "empty_update"
	publicRegistryTokens = "public_registry_tokens"
	nullFields           = "null_fields"
	createStatus         = "create_status"
	deleteAnswer         = "delete_answer"
	validationErrors     = "validation_errors"
	notFoundText         = "not_found_text"
	accessTokenTime      = "access_token_time"
	accessTokenExpiry    = "access_token_expiry"
	rateLimitScope       = "rate_limit_scope"
)

// knownChoices lists every choice; the first value is the default.
func knownChoices() []providers.Choice {
	return []providers.Choice{
		{Name: scopesChoice, Values: []string{"all", "read_only", "user_only"},
			Help: "What the credential may do: everything, only read, or only read its own user.",
			Restricts: map[string][]string{
				"read_only": {"CreateToken", "PatchToken", "DeleteToken"},
				"user_only": {
					"Organizations", "Registries", "Registry", "Tokens", "Token", "Users", "User",
					"CreateToken", "PatchToken", "DeleteToken",
				},
			}},
		{Name: membersChoice, Values: []string{"visible", "forbidden"},
			Help:      "Whether the caller may view teams, which listing members asks for besides its scope.",
			Restricts: map[string][]string{"forbidden": {"Users", "User"}}},
		{Name: memberRole, Values: []string{"told", "absent"},
			Help: "Whether members have a role; older answers had none."},
		{Name: slugCase, Values: []string{"sensitive", "insensitive"},
			Help: "Whether slugs in a path must be written as they are."},
		{Name: paginateLists, Values: []string{"never", "always"},
			Help: "Whether members, registries and tokens come in pages with a Link, as organizations do."},
		{Name: listOrder, Values: []string{"oldest_first", "newest_first"},
			Help: "The order of members, registries and tokens, which no document promises."},
		{Name: registryByUUID, Values: []string{"no", "yes"},
			Help: "Whether a registry's UUID may stand in a path instead of its slug."},
		{Name: registryPatch, Values: []string{"updates", "404", "405"},
			Help: "What PATCH on a registry does; the documents have POST, vendor code also sends PUT and PATCH."},
		{Name: registryName, Values: []string{"free", "alphanumeric"},
			Help: "What a registry may be called: anything that leaves a slug, or only letters and digits."},
		{Name: registryEcosystem, Values: []string{"any", "known"},
			Help: "Whether a new registry's ecosystem must be one that public sources name."},
		{Name: registryType, Values: []string{"absent", "source"},
			Help: "Whether registries tell a type, which vendor code reads and the documents lack."},
		{Name: registryWebURL, Values: []string{"uniform", "as_sampled"},
			Help: "Whether a registry's web_url is the same in lists and alone; in the documents' samples it is not."},
		{Name: teamIDs, Values: []string{"optional", "required", "absent"},
			Help: "Teams: told and free to leave out of a create, or told and asked for, or not told."},
		{Name: tokenPutPatch, Values: []string{"404", "405"},
			Help: "How PUT and PATCH on a token are refused; POST is what updates."},
		{Name: emptyUpdate, Values: []string{"422", "200"},
			Help: "What a token's update without a description gets: a refusal, or the token unchanged."},
		{Name: publicRegistryTokens, Values: []string{"listed", "404"},
			Help: "Whether a public registry's tokens exist for the API; the web interface hides them."},
		{Name: nullFields, Values: []string{"never", "some"},
			Help: "Whether some seeded tokens have a null description or created_by, as the GraphQL type allows."},
		{Name: createStatus, Values: []string{"200", "201"},
			Help: "The status of a create; the documents say 200, sister endpoints answer 201."},
		{Name: deleteAnswer, Values: []string{"200_empty", "204", "200_object"},
			Help: "What a delete answers: 200 without a body, 204, or 200 with what was deleted."},
		{Name: validationErrors, Values: []string{"message", "fields", "strings"},
			Help: "How a 422 tells the reason: in its message, or in errors as objects, or in errors as texts."},
		{Name: notFoundText, Values: []string{"named", "plain"},
			Help: "What a 404 says: \"No registry found\", or \"Not Found\"."},
		{Name: accessTokenTime, Values: []string{"utc", "rfc3339"},
			Help: "How the access token's times are written: \"2025-07-16 06:07:42 UTC\", or by RFC 3339."},
		{Name: accessTokenExpiry, Values: []string{"never", "in_seven_days"},
			Help: "When the credential itself ends; seven days is what new ones get when nobody says otherwise."},
		{Name: rateLimitScope, Values: []string{"read_accounts", "none"},
			Help: "The scope that reading an organization's limits asks for; no table of scopes has the documented one."},
	}
}

// choices are settled: every choice has one of its values.
type choices map[string]string

func (c choices) is(name, value string) bool { return c[name] == value }

// settle completes what was given with the defaults, and refuses what is not in the list.
func settle(given map[string]string) (choices, error) {
	settled := choices{}
	allowed := map[string][]string{}
	for _, choice := range knownChoices() {
		settled[choice.Name] = choice.Values[0]
		allowed[choice.Name] = choice.Values
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		values, ok := allowed[name]
		if !ok {
			known := slices.Sorted(maps.Keys(allowed))
			return nil, fmt.Errorf("unknown choice %q; known: %s", name, strings.Join(known, ", "))
		}
		if !slices.Contains(values, given[name]) {
			return nil, fmt.Errorf("choice %s cannot be %q; known: %s", name, given[name], strings.Join(values, ", "))
		}
		settled[name] = given[name]
	}
	return settled, nil
}
