package emulator

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// api is one of the vendor's services.
type api int

const (
	noAPI api = iota
	registryAPI
	cloudAPI
	authAPI
)

// The paths of the services, as the vendor has them on one host.
const (
	registryBase = "/containerregistries"
	cloudBase    = "/cloudapi/v6"
	authBase     = "/auth/v1"
)

// request is a request on its way to a handler.
type request struct {
	*http.Request
	query  url.Values
	params map[string]string // the variable parts of the path; ids in lower case
	body   []byte
	caller caller
	now    time.Time
}

// handler answers a request. It runs with the server locked, so it must not wait for anything.
type handler func(*server, *request) (answer, error)

// route is an operation of an API.
type route struct {
	method, path string
	handle       handler
}

// routes are the operations that exist.
func routes(api api) []route {
	switch api {
	case registryAPI:
		return registryRoutes
	case cloudAPI:
		return cloudRoutes
	}
	return authRoutes
}

var registryRoutes = []route{
	{"GET", "registries", (*server).listRegistries},
	{"POST", "registries", (*server).postRegistry},
	{"GET", "registries/{registry}", (*server).getRegistry},
	{"PUT", "registries/{registry}", (*server).putRegistry},
	{"PATCH", "registries/{registry}", (*server).patchRegistry},
	{"DELETE", "registries/{registry}", (*server).deleteRegistry},
	{"GET", "registries/{registry}/tokens", (*server).listTokens},
	{"POST", "registries/{registry}/tokens", (*server).postToken},
	{"GET", "registries/{registry}/tokens/{token}", (*server).getToken},
	{"PUT", "registries/{registry}/tokens/{token}", (*server).putToken},
	{"PATCH", "registries/{registry}/tokens/{token}", (*server).patchToken},
	{"DELETE", "registries/{registry}/tokens/{token}", (*server).deleteToken},
	{"GET", "locations", (*server).listLocations},
	{"HEAD", "names/{name}", (*server).checkName},
}

var cloudRoutes = []route{
	{"GET", "contracts", (*server).listContracts},
	{"GET", "um/users", (*server).listUsers},
	{"GET", "um/users/{user}", (*server).getUser},
}

var authRoutes = []route{
	{"GET", "tokens", (*server).listCredentials},
	{"GET", "tokens/{credential}", (*server).getCredential},
}

// findAPI tells whose path this is, and cuts what follows the base into its parts, still escaped.
func findAPI(path string) (api, []string) {
	for _, known := range []struct {
		api  api
		base string
	}{{registryAPI, registryBase}, {cloudAPI, cloudBase}, {authAPI, authBase}} {
		if rest, ok := strings.CutPrefix(path, known.base+"/"); ok {
			return known.api, strings.Split(rest, "/")
		}
	}
	return noAPI, nil
}

// findRoute finds the operation. Paths are taken as they are: nothing is cleaned, and nobody is redirected.
func findRoute(api api, method string, parts []string) (handler, map[string]string, error) {
	known := false
	for _, route := range routes(api) {
		params, ok := match(route.path, parts)
		if !ok {
			continue
		}
		known = true
		if route.method != method {
			continue
		}
		for _, name := range []string{"registry", "token"} {
			if id, ok := params[name]; ok && !uuidPattern.MatchString(id) {
				return nil, nil, invalid("the %s id in the path is not a UUID", name)
			}
		}
		return route.handle, params, nil
	}
	switch {
	case api == registryAPI:
		return nil, nil, invalid("no matching operation was found")
	case known:
		return nil, nil, &fault{status: http.StatusMethodNotAllowed, message: "Method not allowed"}
	}
	return nil, nil, notFound()
}

var uuidPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)

// match compares a path's parts with a pattern's and returns the variable ones.
func match(pattern string, parts []string) (map[string]string, bool) {
	params := map[string]string{}
	for i, part := range parts {
		want, rest, more := strings.Cut(pattern, "/")
		if more != (i < len(parts)-1) {
			return nil, false
		}
		pattern = rest
		name, variable := strings.CutPrefix(want, "{")
		if !variable {
			if part != want {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(part)
		if err != nil {
			return nil, false
		}
		name = strings.TrimSuffix(name, "}")
		if name != "name" {
			value = strings.ToLower(value)
		}
		params[name] = value
	}
	return params, true
}

// maxBody is far above any body of these APIs.
const maxBody = 1 << 20

// readBody reads the body of a write, which must be JSON.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Method != http.MethodPost && r.Method != http.MethodPut && r.Method != http.MethodPatch {
		return nil, nil
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return nil, &fault{status: http.StatusUnsupportedMediaType, message: "the Content-Type must be application/json"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, &fault{status: http.StatusRequestEntityTooLarge, message: "the body is too large"}
	}
	if err != nil {
		return nil, invalid("the body cannot be read")
	}
	return body, nil
}
