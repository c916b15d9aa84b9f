package auth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"regtok/providers"
)

const (
	// MostSkew is the most by which an issuer's clock may differ from ours.
	MostSkew = time.Minute
	// longestSubject is that of OpenID Connect, in bytes.
	longestSubject = 255
	// issuerPatience is how long the issuer may take for one answer.
	issuerPatience = 5 * time.Second
)

// IssuerConfig says whose tokens admit callers, and to what.
type IssuerConfig struct {
	// URL is the issuer, as its tokens name it.
	URL string
	// Audience is what this server is called in tokens that are meant for it.
	Audience string
	// Skew is the most by which the issuer's clock differs. At most MostSkew.
	Skew time.Duration
	// Claim holds what a caller may do: a text of words, or a list of texts. "realm_access.roles" is the claim roles in the claim
	// realm_access, unless there is a claim of the whole name. Empty: scope.
	Claim string
	// Permissions are what values of the claim allow; other values allow nothing. None: values are names of permissions.
	Permissions map[string][]Permission
	// Allowance is how many points each of its callers may spend. Nil: as many as every caller.
	Allowance *Allowance
	// Reach names claims, like Claim, whose values are what a caller is narrowed to, part by part. Whose token lacks one, or
	// has none of its values, reaches nothing; a value that is no id where ids are wanted names nothing. None: everybody
	// reaches everything.
	Reach map[providers.ReachPart]string
	// Pause is how long an answer of the issuer, or that there was none, stands before it is asked again. 0: 10 s
	Pause time.Duration
	// Renew is how long its keys are trusted before it is asked whether they still are its keys. 0: 10 min
	Renew time.Duration
}

// Issuer admits callers with tokens (JWT) of an OpenID Connect issuer. It asks that for its keys when the first token comes,
// and again when a token is signed with another one. Safe for concurrent use.
type Issuer struct {
	config IssuerConfig
	client *http.Client

	asks sync.Mutex // held while the issuer is asked where its keys are

	mu      sync.Mutex
	keys    oidc.KeySet // nil: the issuer has not answered yet
	before  oidc.KeySet // until keys have verified something; nil: they have
	renewed time.Time
}

// NewIssuer makes an issuer, which is not asked for anything yet. Its URL has to be one of https, or of a loopback address.
func NewIssuer(c IssuerConfig) (*Issuer, error) {
	if err := checkURL(c.URL); err != nil {
		return nil, err
	}
	if c.Skew < 0 || c.Skew > MostSkew {
		return nil, fmt.Errorf("clocks may differ by %s at most", MostSkew)
	}
	c.Claim = or(c.Claim, "scope")
	c.Pause = or(c.Pause, 10*time.Second)
	c.Renew = or(c.Renew, 10*time.Minute)
	return &Issuer{config: c, client: &http.Client{
		Transport: newSparing(c.Pause),
		Timeout:   issuerPatience,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("it leads elsewhere, and is not followed")
		},
	}}, nil
}

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// algorithms are those with a public key: a shared one, or none, would let callers make their own tokens.
func algorithms() []string {
	return []string{
		oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
	}
}

// admit tells who presents a token.
func (i *Issuer) admit(ctx context.Context, token string) (Viewer, *Error) {
	if strings.Count(token, ".") != 2 {
		return Viewer{}, &Error{Reason: Malformed, Message: "this is neither a key of regtok nor a token of its issuer"}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*issuerPatience)
	defer cancel()
	keys, before, err := i.keySets(ctx)
	if err != nil {
		return Viewer{}, unavailable(err)
	}
	verified, refused := i.verify(ctx, keys, token)
	switch {
	case refused == nil:
		i.trust(keys)
	case refused.Reason == Unavailable && before != nil:
		verified, refused = i.verify(ctx, before, token)
	}
	if refused != nil {
		return Viewer{}, refused
	}
	return i.viewer(verified)
}

// attempt is the key set of one verification: the verifier's own error does not tell whether the issuer failed.
type attempt struct {
	oidc.KeySet
	err error
}

// VerifySignature implements oidc.KeySet.
func (a *attempt) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := a.KeySet.VerifySignature(ctx, token)
	a.err = err
	return payload, err
}

// verify checks a token's signature, issuer and audience. Its times are viewer's.
func (i *Issuer) verify(ctx context.Context, keys oidc.KeySet, token string) (*oidc.IDToken, *Error) {
	a := &attempt{KeySet: keys}
	// The library allows clocks to differ by five minutes at one end and by nothing at the other.
	verifier := oidc.NewVerifier(i.config.URL, a, &oidc.Config{ClientID: i.config.Audience, SupportedSigningAlgs: algorithms(), SkipExpiryCheck: true})
	verified, err := verifier.Verify(ctx, token)
	switch {
	case err == nil:
		return verified, nil
	case errors.Is(a.err, errIssuer) || ctx.Err() != nil:
		return nil, unavailable(a.err)
	case a.err != nil:
		return nil, &Error{Reason: Unknown, Message: "no key of the issuer fits this token"}
	}
	// The library's own words hold claims.
	return nil, &Error{Reason: Unknown, Message: "this token has no right signature, or is not of this server's issuer, or not for this server"}
}

func unavailable(err error) *Error {
	return &Error{Reason: Unavailable, Message: "tokens cannot be checked at the moment, because their issuer does not answer: try again", Err: err}
}

// viewer is who presents a token that is genuine.
func (i *Issuer) viewer(token *oidc.IDToken) (Viewer, *Error) {
	var claims map[string]any
	if err := token.Claims(&claims); err != nil || token.Subject == "" || len(token.Subject) > longestSubject {
		return Viewer{}, &Error{Reason: Malformed, Message: "this token does not say whose it is"}
	}
	if ambiguous(claims) {
		return Viewer{}, &Error{Reason: Malformed, Message: "this token has a claim whose name is iss, sub, aud, exp or nbf but for its letters' case"}
	}
	if token.Expiry.IsZero() {
		return Viewer{}, &Error{Reason: Malformed, Message: "this token has no end"}
	}
	now, end := time.Now(), token.Expiry.Add(i.config.Skew)
	if !now.Before(end) {
		return Viewer{}, &Error{Reason: Expired, Message: "this token has ended", Err: errors.New("it was a token of " + subject(token))}
	}
	switch begin, isNumber := claims["nbf"].(float64); {
	case claims["nbf"] != nil && !isNumber:
		return Viewer{}, &Error{Reason: Malformed, Message: "this token does not say since when it is valid: nbf is a number"}
	case isNumber && float64(now.Add(i.config.Skew).Unix()) < begin: // whose seconds need not fit into a time
		return Viewer{}, &Error{Reason: Expired, Message: "this token is not valid yet"}
	}
	return Viewer{Subject: subject(token), Permissions: i.permissions(claims), Until: end, Reach: i.reach(claims), Allowance: i.config.Allowance}, nil
}

// ambiguous tells whether a claim could be taken for one of those that were verified: the library reads names in letters of either
// case, the last one wins, and issuers let people choose names of other claims.
func ambiguous(claims map[string]any) bool {
	for name := range claims {
		for _, verified := range []string{"iss", "sub", "aud", "exp", "nbf"} {
			if name != verified && strings.EqualFold(name, verified) {
				return true
			}
		}
	}
	return false
}

// subject cannot be mistaken for the name of a caller with a key, which has no colon.
func subject(token *oidc.IDToken) string { return "oidc:" + token.Subject }

// permissions are what the claim allows, each once.
func (i *Issuer) permissions(claims map[string]any) []Permission {
	allowed := map[Permission]bool{}
	for _, value := range words(claim(claims, i.config.Claim)) {
		for _, permission := range i.allows(value) {
			allowed[permission] = true
		}
	}
	return slices.Sorted(maps.Keys(allowed))
}

func (i *Issuer) allows(value string) []Permission {
	if len(i.config.Permissions) > 0 {
		return i.config.Permissions[value]
	}
	if permission := Permission(value); slices.Contains(Permissions(), permission) {
		return []Permission{permission}
	}
	return nil
}

// reach is what the claims narrow to.
func (i *Issuer) reach(claims map[string]any) providers.Reach {
	var reach providers.Reach
	for part, name := range i.config.Reach {
		named := slices.DeleteFunc(words(claim(claims, name)), func(value string) bool {
			_, err := reach.Narrow(part, value)
			return err != nil
		})
		reach, _ = reach.Narrow(part, named...) // else it is nothing
	}
	return reach
}

// claim is the claim of that name, or at the end of that path.
func claim(claims map[string]any, name string) any {
	if value, ok := claims[name]; ok {
		return value
	}
	outer, inner, deeper := strings.Cut(name, ".")
	within, ok := claims[outer].(map[string]any)
	if !deeper || !ok {
		return nil
	}
	return claim(within, inner)
}

func words(value any) []string {
	switch v := value.(type) {
	case string:
		return strings.Fields(v)
	case []any:
		var texts []string
		for _, item := range v {
			if text, ok := item.(string); ok {
				texts = append(texts, text)
			}
		}
		return texts
	}
	return nil
}
