package ionos

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"regtok/providers"
)

// authorize makes the Authorization header of a bearer token, else of user name and password, and names the setting
// that it came from.
func authorize(settings providers.Settings) (header providers.Secret, setting string, err error) {
	token, username, password := settings[settingToken], settings[settingUsername], settings[settingPassword]
	invalid := func(setting, message string) (providers.Secret, string, error) {
		return providers.Secret{}, "", providers.InvalidError(name, "configure", setting, message)
	}
	switch {
	case !token.Empty():
		return providers.NewSecret("Bearer " + token.Reveal()), settingToken, nil
	case username.Empty() && password.Empty():
		return invalid(settingToken, "a token is needed, or username and password")
	case username.Empty():
		return invalid(settingUsername, "the password needs a username")
	case password.Empty():
		return invalid(settingPassword, "the username needs a password")
	case strings.Contains(username.Reveal(), ":"):
		return invalid(settingUsername, "a username holds no colon")
	}
	pair := base64.StdEncoding.EncodeToString([]byte(username.Reveal() + ":" + password.Reveal()))
	return providers.NewSecret("Basic " + pair), settingUsername, nil
}

// claims are what a bearer token tells about itself.
type claims struct {
	contract string    // empty: it does not tell
	expires  time.Time // zero: it does not tell
}

// readClaims reads a bearer token that is a JWT, without verifying it: what it opens is IONOS's to judge, and a
// configured credential has no reason to lie. Any other token tells nothing.
func readClaims(token providers.Secret) claims {
	parts := strings.Split(token.Reveal(), ".")
	if len(parts) != 3 {
		return claims{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return claims{}
	}
	var told struct {
		Expires  json.RawMessage `json:"exp"`
		Identity struct {
			ContractNumber json.RawMessage `json:"contractNumber"` // a number, seen as a text too
		} `json:"identity"`
	}
	// A claim of an odd shape tells nothing; the others still count.
	_ = json.Unmarshal(payload, &told)
	var read claims
	if number := strings.Trim(string(told.Identity.ContractNumber), `"`); contractNumber.MatchString(number) {
		read.contract = number
	}
	var seconds float64 // a NumericDate may have a fraction
	if json.Unmarshal(told.Expires, &seconds) == nil && seconds > 0 && seconds < endOfTime {
		read.expires = time.Unix(int64(seconds), 0).UTC()
	}
	return read
}

// endOfTime is the first second of the year 10000, which RFC 3339 cannot write.
const endOfTime = 253402300800
