package emulator

import (
	"net/url"
	"strings"
)

// action is what one method of a route does: run, for credentials with scope. An empty scope asks for none.
type action struct {
	scope string
	run   func(*call) (answer, *refusal)
}

// route is one path of the API. Segments in braces match any name but the empty one.
type route struct {
	path     string
	segments []string
	allow    string // the documented methods
	methods  map[string]action
}

const (
	registriesPath = "/v2/packages/organizations/{org}/registries"
	registryPath   = registriesPath + "/{registry}"
	tokensPath     = registryPath + "/tokens"
	tokenPath      = tokensPath + "/{token}"
)

// routes is the whole API but its greeting.
func routes() []route {
	all := []route{
		{path: "/v2/organizations", allow: "GET", methods: map[string]action{
			"GET": {"read_organizations", (*call).listOrganizations},
		}},
		{path: "/v2/organizations/{org}", allow: "GET", methods: map[string]action{
			"GET": {"read_organizations", (*call).getOrganization},
		}},
		{path: "/v2/organizations/{org}/members", allow: "GET", methods: map[string]action{
			"GET": {"read_organizations", (*call).listMembers},
		}},
		{path: "/v2/organizations/{org}/members/{user}", allow: "GET", methods: map[string]action{
			"GET": {"read_organizations", (*call).getMember},
		}},
		{path: "/v2/organizations/{org}/rate_limit", allow: "GET", methods: map[string]action{
			"GET": {"", (*call).getRateLimit},
		}},
		{path: "/v2/user", allow: "GET", methods: map[string]action{
			"GET": {"read_user", (*call).getUser},
		}},
		{path: "/v2/access-token", allow: "DELETE, GET", methods: map[string]action{
			"GET":    {"", (*call).getAccessToken},
			"DELETE": {"", (*call).revokeAccessToken},
		}},
		{path: registriesPath, allow: "GET, POST", methods: map[string]action{
			"GET":  {"read_registries", (*call).listRegistries},
			"POST": {"write_registries", (*call).createRegistry},
		}},
		{path: registryPath, allow: "DELETE, GET, POST, PUT", methods: map[string]action{
			"GET":    {"read_registries", ofRegistry((*call).getRegistry)},
			"POST":   {"write_registries", ofRegistry((*call).updateRegistry)},
			"PUT":    {"write_registries", ofRegistry((*call).updateRegistry)},
			"PATCH":  {"write_registries", ofRegistry((*call).patchRegistry)},
			"DELETE": {"delete_registries", ofRegistry((*call).deleteRegistry)},
		}},
		{path: tokensPath, allow: "GET, POST", methods: map[string]action{
			"GET":  {"read_registries", ofTokens((*call).listTokens)},
			"POST": {"write_registries", ofTokens((*call).createToken)},
		}},
		{path: tokenPath, allow: "DELETE, GET, POST", methods: map[string]action{
			"GET":    {"read_registries", ofToken((*call).getToken)},
			"POST":   {"write_registries", ofToken((*call).updateToken)},
			"PUT":    {"write_registries", (*call).undocumentedUpdate},
			"PATCH":  {"write_registries", (*call).undocumentedUpdate},
			"DELETE": {"write_registries", ofToken((*call).deleteToken)},
		}},
	}
	for i := range all {
		all[i].segments = strings.Split(all[i].path, "/")
	}
	return all
}

// match finds the route of a path as it stood in the request, and the names in it. A name keeps what was escaped:
// "a%2Fb" is one name with a slash, never two segments.
func (e *emulator) match(escaped string) (route, map[string]string, bool) {
	segments := strings.Split(escaped, "/")
	for _, r := range e.routes {
		if names, ok := r.match(segments); ok {
			return r, names, true
		}
	}
	return route{}, nil, false
}

func (r route) match(segments []string) (map[string]string, bool) {
	if len(segments) != len(r.segments) {
		return nil, false
	}
	var names map[string]string
	for i, want := range r.segments {
		if !strings.HasPrefix(want, "{") {
			if segments[i] != want {
				return nil, false
			}
			continue
		}
		name, err := url.PathUnescape(segments[i])
		if err != nil || name == "" {
			return nil, false
		}
		if names == nil {
			names = make(map[string]string, 3)
		}
		names[strings.Trim(want, "{}")] = name
	}
	return names, true
}
