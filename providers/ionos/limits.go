package ionos

import (
	"strconv"
	"time"

	"regtok/providers"
)

// IONOS refuses who asks too often, and tells neither how often that is nor how much is left. So the account is taken to
// be allowed what its owner says.

// limitContract is the scope of the one limit: requests are counted for the contract, as far as is known.
const limitContract = "contract"

// defaultRequests and mostRequests are numbers of requests in a minute.
const (
	defaultRequests = 200
	mostRequests    = 1_000_000
)

// start is what an account is taken to be allowed.
func start(settings providers.Settings) []providers.Limit {
	requests, ok := requestsPerMinute(settings)
	if !ok {
		requests = defaultRequests
	}
	return []providers.Limit{{Scope: limitContract, Limit: requests, Remaining: requests, Reset: time.Minute}}
}

// requestsPerMinute reads the setting; !ok: it makes no sense.
func requestsPerMinute(settings providers.Settings) (requests int, ok bool) {
	text := settings[settingRequests].Reveal()
	if text == "" {
		return defaultRequests, true
	}
	requests, err := strconv.Atoi(text)
	return requests, err == nil && requests >= 1 && requests <= mostRequests
}
