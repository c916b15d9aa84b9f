package buildkite

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"regtok/providers"
)

// Buildkite counts by minute, twice at once: all requests of an organization and those of a user. Each answer tells
// both in headers; a refusal's body tells the one that refused. See
// https://buildkite.com/docs/apis/rest-api/rate-limits.
//
// The path names the organization. Which one a request counts for that names none, such as the list of organizations, is
// not documented: what its answer tells of an organization cannot be kept for any, unless it was refused, and then
// nothing that might count for the same one may follow.

// Scopes of limits, and Buildkite's words for them.
const (
	limitOrganization = "organization" // "rest"
	limitUser         = "user"         // "rest_user"
)

// limitedBy is the slug of the organization in a request's path; empty: there is none.
func limitedBy(r *http.Request) string {
	_, path, _ := strings.Cut(r.URL.EscapedPath(), "/v2/")
	path = strings.TrimPrefix(path, "packages/")
	path, ok := strings.CutPrefix(path, "organizations/")
	if !ok {
		return ""
	}
	slug, _, _ := strings.Cut(path, "/")
	slug, err := url.PathUnescape(slug)
	if err != nil {
		return ""
	}
	return slug
}

// limits reads both header families, and the body of a refusal.
func limits(r *http.Request, status int, header http.Header, body []byte) []providers.Limit {
	slug := limitedBy(r)
	told := read(status, header, body)
	if slug == "" {
		return slices.DeleteFunc(told, func(l providers.Limit) bool { return l.Scope == limitOrganization && l.Remaining > 0 })
	}
	for i := range told {
		if told[i].Scope == limitOrganization {
			told[i].Of = slug
		}
	}
	return told
}

// read reads what an answer tells, whoever was asked for.
func read(status int, header http.Header, body []byte) []providers.Limit {
	var told []providers.Limit
	if limit, ok := family(header, "RateLimit-", limitOrganization); ok {
		told = append(told, limit)
	}
	if limit, ok := family(header, "RateLimit-User-", limitUser); ok {
		told = append(told, limit)
	}
	if status != http.StatusTooManyRequests {
		return told
	}
	exhausted, ok := refused(body)
	if !ok {
		return told
	}
	for i := range told {
		if told[i].Scope == exhausted.Scope {
			told[i] = exhausted
			return told
		}
	}
	return append(told, exhausted)
}

func family(header http.Header, prefix, scope string) (providers.Limit, bool) {
	limit, okLimit := count(header.Get(prefix + "Limit"))
	remaining, okRemaining := count(header.Get(prefix + "Remaining"))
	reset, okReset := count(header.Get(prefix + "Reset"))
	if !okLimit || !okRemaining || !okReset {
		return providers.Limit{}, false
	}
	return providers.Limit{
		Scope: scope, Limit: limit, Remaining: remaining, Reset: time.Duration(reset) * time.Second,
	}, true
}

// refused reads the body of a refusal. It tells nothing when it is damaged, or about something else.
func refused(body []byte) (providers.Limit, bool) {
	var told struct {
		Scope string      `json:"scope"`
		Limit json.Number `json:"limit"`
		Reset json.Number `json:"reset"`
	}
	if json.Unmarshal(body, &told) != nil {
		return providers.Limit{}, false
	}
	limit, okLimit := count(told.Limit.String())
	reset, okReset := count(told.Reset.String())
	scope, okScope := map[string]string{"rest": limitOrganization, "rest_user": limitUser}[told.Scope]
	if !okLimit || !okReset || !okScope {
		return providers.Limit{}, false
	}
	return providers.Limit{Scope: scope, Limit: limit, Reset: time.Duration(reset) * time.Second}, true
}

// count reads a whole number of at most 31 bits, which any int holds, and any duration as seconds.
func count(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err == nil
}
