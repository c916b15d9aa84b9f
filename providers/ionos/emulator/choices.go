package emulator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"regtok/providers"
)

// choices are the behaviours that no public source settles; the first value is the default.
func choices() []providers.Choice {
	return []providers.Choice{
		{Name: "replace_status", Values: []string{"200", "201"},
			Help: "Status of a PUT that replaces a token or registry; only 201 is declared, for creating."},
		{Name: "replace_password", Values: []string{"empty", "new"},
			Help: "Password in the answer to a PUT that replaces a token."},
		{Name: "replace_name_change", Values: []string{"409", "400"},
			Help: "Status of a PUT that would change a token's name."},
		{Name: "duplicate_name", Values: []string{"409", "allowed"},
			Help: "A new token with the name of another one of the same registry."},
		{Name: "minimum_expiry", Values: []string{"1h", "past", "none"},
			Help: "Earliest expiryDate taken: an hour ahead (only the web console's manual says so), not in the past, any."},
		{Name: "expiry_delay", Values: []string{"0s", "1m"},
			Help: "How long an expired token is still there."},
		{Name: "not_found_body", Values: []string{"envelope", "msg"},
			Help: `Body of the registry API's 404: the error envelope, or {"msg":"Not Found"} as one manual page shows.`},
		{Name: "last_page", Values: []string{"empty", "absent", "spare"},
			Help: "Last page of registries: pagination.token empty, absent, or there and leading to an empty page."},
		{Name: "max_page_size", Values: []string{"none", "100", "2", "1000_or_400"},
			Help: "Largest page of the registry API: none, cut to that number, or 400 above 1000."},
		{Name: "zoneless_timestamps", Values: []string{"no", "yes"},
			Help: "Timestamps without a zone, which mean UTC."},
		{Name: "scope_order", Values: []string{"kept", "reversed"},
			Help: "Order of scopes, actions and days in answers."},
		{Name: "empty_lists", Values: []string{"array", "null"},
			Help: "How the registry API writes a list with nothing in it."},
		{Name: "token_links", Values: []string{"filled", "empty"},
			Help: "The three _links of a page of tokens."},
		{Name: "url_form", Values: []string{"path", "absolute"},
			Help: "Form of Location and _links in the registry API."},
		{Name: "unknown_fields", Values: []string{"ignored", "400"},
			Help: "Input fields that the API does not know."},
		{Name: "users_visible_to", Values: []string{"admin", "self", "nobody"},
			Help:      "Who sees users: administrators all and others themselves; each only themselves; nobody (403).",
			Restricts: map[string][]string{"nobody": {"Users", "User"}}},
		{Name: "contracts_readable", Values: []string{"yes", "403"},
			Help: "Whether the credential may read its contract."},
		{Name: "default_schedule", Values: []string{"weekly", "absent"},
			Help: "Garbage collection of a registry that was created without a schedule."},
		{Name: "registry_delay", Values: []string{"10s", "0s", "10m"},
			Help: "How long a new registry takes until it runs, and a deleted one until it is gone."},
		{Name: "requests_per_minute", Values: []string{"300", "60", "5"},
			Help: "The limit, where limits are enforced; the vendor publishes none."},
	}
}

// behaviour is what was chosen.
type behaviour struct {
	replaceStatus      int
	renewPassword      bool
	nameChangeStatus   int
	duplicateNames     bool
	minimumExpiry      time.Duration
	anyExpiry          bool
	expiryDelay        time.Duration
	msgNotFound        bool
	lastPage           string
	maxPage            int // 0: none
	refuseLargePage    bool
	zoneless           bool
	reversed           bool
	nullLists          bool
	emptyLinks         bool
	absoluteURLs       bool
	strictFields       bool
	usersVisibleTo     string
	contractsForbidden bool
	weeklySchedule     bool
	registryDelay      time.Duration
	requestsPerMinute  int
}

// newBehaviour reads the choices made and takes the defaults for the others.
func newBehaviour(made map[string]string) (behaviour, error) {
	chosen, err := choose(made)
	if err != nil {
		return behaviour{}, err
	}
	return behaviour{
		replaceStatus:      number(chosen["replace_status"]),
		renewPassword:      chosen["replace_password"] == "new",
		nameChangeStatus:   number(chosen["replace_name_change"]),
		duplicateNames:     chosen["duplicate_name"] == "allowed",
		minimumExpiry:      map[string]time.Duration{"1h": time.Hour}[chosen["minimum_expiry"]],
		anyExpiry:          chosen["minimum_expiry"] == "none",
		expiryDelay:        duration(chosen["expiry_delay"]),
		msgNotFound:        chosen["not_found_body"] == "msg",
		lastPage:           chosen["last_page"],
		maxPage:            map[string]int{"100": 100, "2": 2, "1000_or_400": 1000}[chosen["max_page_size"]],
		refuseLargePage:    chosen["max_page_size"] == "1000_or_400",
		zoneless:           chosen["zoneless_timestamps"] == "yes",
		reversed:           chosen["scope_order"] == "reversed",
		nullLists:          chosen["empty_lists"] == "null",
		emptyLinks:         chosen["token_links"] == "empty",
		absoluteURLs:       chosen["url_form"] == "absolute",
		strictFields:       chosen["unknown_fields"] == "400",
		usersVisibleTo:     chosen["users_visible_to"],
		contractsForbidden: chosen["contracts_readable"] == "403",
		weeklySchedule:     chosen["default_schedule"] == "weekly",
		registryDelay:      duration(chosen["registry_delay"]),
		requestsPerMinute:  number(chosen["requests_per_minute"]),
	}, nil
}

// choose completes the choices made. An unknown name or value is Invalid, and the error names the known ones.
func choose(made map[string]string) (map[string]string, error) {
	known := choices()
	chosen := make(map[string]string, len(known))
	names := make([]string, 0, len(known))
	for _, choice := range known {
		names = append(names, choice.Name)
		chosen[choice.Name] = choice.Values[0]
		value, ok := made[choice.Name]
		if !ok {
			continue
		}
		if !slices.Contains(choice.Values, value) {
			return nil, optionError(choice.Name,
				fmt.Errorf("%q is not one of %s", value, strings.Join(choice.Values, ", ")))
		}
		chosen[choice.Name] = value
	}
	for name := range made {
		if _, ok := chosen[name]; !ok {
			return nil, optionError(name, fmt.Errorf("there is no choice %q, only %s", name, strings.Join(names, ", ")))
		}
	}
	return chosen, nil
}

// number and duration read a value of our own table above: a failure is a bug there.
func number(value string) int {
	n, err := strconv.Atoi(value)
	if err != nil {
		panic("emulator: a choice's value is no number: " + value)
	}
	return n
}

func duration(value string) time.Duration {
	d, err := time.ParseDuration(value)
	if err != nil {
		panic("emulator: a choice's value is no duration: " + value)
	}
	return d
}
