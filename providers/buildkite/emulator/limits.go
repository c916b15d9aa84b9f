package emulator

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	limitWindow = time.Minute
	userLimit   = 50
	orgLimit    = 200
	// generous is how much larger the limits are when they are not enforced: a client that keeps within what it is told
	// must not be slowed down by it.
	generous = 1000

	graphqlLimit  = 20_000
	graphqlWindow = 5 * time.Minute
)

// limits counts the requests of each user and of each organization, in windows that know nothing of one another.
type limits struct {
	mu            sync.Mutex
	users         counter[*person]
	organizations counter[*organization]
}

func newLimits(enforced bool) *limits {
	times := 1
	if !enforced {
		times = generous
	}
	return &limits{
		users:         counter[*person]{"rest_user", times * userLimit, map[*person]*window{}},
		organizations: counter[*organization]{"rest", times * orgLimit, map[*organization]*window{}},
	}
}

// count adds one request to both windows.
func (l *limits) count(caller *person, o *organization) standing {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	return standing{user: l.users.add(caller, 1, now), organization: l.organizations.add(o, 1, now)}
}

// unused is the standing of a request that counts for nobody.
func (l *limits) unused() standing {
	full := int(limitWindow.Seconds())
	return standing{
		user:         allowance{l.users.scope, l.users.limit, 0, full},
		organization: allowance{l.organizations.scope, l.organizations.limit, 0, full},
	}
}

// counter counts for keys, each in windows that begin with the first request after the window before.
type counter[K comparable] struct {
	scope   string
	limit   int
	windows map[K]*window
}

type window struct {
	started time.Time
	used    int
}

func (c *counter[K]) add(key K, requests int, now time.Time) allowance {
	w := c.windows[key]
	if w == nil || now.Sub(w.started) >= limitWindow {
		w = &window{started: now}
		c.windows[key] = w
	}
	w.used += requests
	left := limitWindow - now.Sub(w.started)
	return allowance{c.scope, c.limit, w.used, int((left + time.Second - 1) / time.Second)}
}

// allowance is a window as it stands. Used counts refused requests too, so it passes the limit, as the vendor's does.
type allowance struct {
	scope       string
	limit, used int
	reset       int // seconds
}

func (a allowance) tell(h http.Header, family string) {
	remaining := max(0, a.limit-a.used)
	h.Set(family+"Scope", a.scope)
	h.Set(family+"Remaining", strconv.Itoa(remaining))
	h.Set(family+"Limit", strconv.Itoa(a.limit))
	h.Set(family+"Reset", strconv.Itoa(a.reset))
	if remaining == 0 {
		h.Set(family+"Warning", "You have exceeded your API rate limit.")
	}
}

// standing is where a caller stands with both limits.
type standing struct {
	user, organization allowance
}

func (s standing) tell(h http.Header) {
	s.organization.tell(h, "RateLimit-")
	s.user.tell(h, "RateLimit-User-")
}

type limitExceeded struct {
	Message string `json:"message"`
	Scope   string `json:"scope"`
	Limit   int    `json:"limit"`
	Current int    `json:"current"`
	Reset   int    `json:"reset"`
}

// refusal is the 429 of whichever limit is exceeded, the user's first; nil when none is.
func (s standing) refusal() *refusal {
	for _, a := range []allowance{s.user, s.organization} {
		if a.used <= a.limit {
			continue
		}
		text := fmt.Sprintf("You have exceeded your API rate limit. Please wait %d seconds before making more requests.", a.reset)
		return &refusal{status: http.StatusTooManyRequests, body: limitExceeded{text, a.scope, a.limit, a.used, a.reset}}
	}
	return nil
}

type rateLimits struct {
	Scopes struct {
		REST    rateLimit `json:"rest"`
		GraphQL rateLimit `json:"graphql"`
	} `json:"scopes"`
}

type rateLimit struct {
	Limit    int    `json:"limit"`
	Current  int    `json:"current"`
	Reset    int    `json:"reset"`
	ResetAt  string `json:"reset_at"`
	Enforced bool   `json:"enforced"`
}

// getRateLimit tells an organization's standing; nobody uses GraphQL here, so that allowance is whole.
func (c *call) getRateLimit() (answer, *refusal) {
	if scope := c.choices[rateLimitScope]; scope != "none" && !c.granted(scope) {
		return answer{}, missingScope(scope)
	}
	c.limits.mu.Lock()
	defer c.limits.mu.Unlock()
	now := time.Now()
	rest := c.limits.organizations.add(c.organization, 0, now)
	var body rateLimits
	body.Scopes.REST = c.rateLimit(rest, now)
	body.Scopes.GraphQL = c.rateLimit(allowance{limit: graphqlLimit, reset: int(graphqlWindow.Seconds())}, now)
	return answer{body: body}, nil
}

func (c *call) rateLimit(a allowance, now time.Time) rateLimit {
	resetAt := now.Add(time.Duration(a.reset) * time.Second).UTC().Format(time.RFC3339)
	return rateLimit{Limit: a.limit, Current: a.used, Reset: a.reset, ResetAt: resetAt, Enforced: c.enforced}
}
