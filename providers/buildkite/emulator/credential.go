package emulator

import (
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
	"time"
)

// credential is the hash of an API access token: enough to know it again, in constant time.
type credential [sha256.Size]byte

func hash(token string) credential { return sha256.Sum256([]byte(token)) }

// authenticate finds the owner of a request's credential; nil: it has none that we accept.
func (e *emulator) authenticate(r *http.Request) (credential, *person) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return credential{}, nil
	}
	key := hash(token)
	if !e.token.Empty() && key != hash(e.token.Reveal()) {
		return credential{}, nil
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.revoked[key] {
		return credential{}, nil
	}
	return key, e.owner(token)
}

// owner is the person whose first name ends the token, else the first of the story.
func (e *emulator) owner(token string) *person {
	name := token[strings.LastIndexByte(token, '_')+1:]
	for _, p := range e.people {
		if first, _, _ := strings.Cut(p.name, " "); strings.EqualFold(first, name) {
			return p
		}
	}
	return e.people[0]
}

// scopes are what the credential may do. No table of scopes has read_accounts, yet one endpoint asks for it.
func (e *emulator) scopes() []string {
	switch e.choices[scopesChoice] {
	case "read_only":
		return []string{"read_organizations", "read_user", "read_registries", "read_packages"}
	case "user_only":
		return []string{"read_user"}
	}
	return []string{
		"read_organizations", "read_user", "read_registries", "write_registries", "delete_registries",
		"read_packages", "write_packages", "delete_packages", "read_accounts",
	}
}

func (e *emulator) granted(scope string) bool {
	return scope == "" || slices.Contains(e.scopes(), scope)
}

type accessToken struct {
	UUID        string   `json:"uuid"`
	Scopes      []string `json:"scopes"`
	Description string   `json:"description"`
	CreatedAt   string   `json:"created_at"`
	ExpiresAt   *string  `json:"expires_at"`
	User        owner    `json:"user"`
}

type owner struct {
	Email string `json:"email"`
	Name  string `json:"name"`
}

const (
	accessTokenAge = 30 * 24 * time.Hour
	accessTokenEnd = 7 * 24 * time.Hour
)

func (c *call) getAccessToken() (answer, *refusal) {
	layout := "2006-01-02 15:04:05 UTC"
	if c.choices.is(accessTokenTime, "rfc3339") {
		layout = time.RFC3339
	}
	at := func(d time.Duration) *string {
		text := c.started.Add(d).UTC().Format(layout)
		return &text
	}
	body := accessToken{
		UUID:        uuid(c.credential, 4),
		Scopes:      c.scopes(),
		Description: "regtok",
		CreatedAt:   *at(-accessTokenAge),
		User:        owner{c.caller.email, c.caller.name},
	}
	if c.choices.is(accessTokenExpiry, "in_seven_days") {
		body.ExpiresAt = at(accessTokenEnd)
	}
	return answer{body: body}, nil
}

// revokeAccessToken ends the credential that asks, for good.
func (c *call) revokeAccessToken() (answer, *refusal) {
	c.revoked[c.credential] = true
	return answer{status: http.StatusNoContent}, nil
}
