package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/auth"
	"regtok/providers"
)

func TestWhoseTokenIsTaken(t *testing.T) {
	i := newIssuer(t)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i.change(func() { i.keys["curve"] = curve })
	public, err := x509.MarshalPKIXPublicKey(i.keys["one"].Public())
	if err != nil {
		t.Fatal(err)
	}
	own := newRSA(t)
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	callers := callersOf(t, i, auth.IssuerConfig{Skew: 30 * time.Second})
	good := i.token(nil)
	tests := []struct {
		name, token string
		want        auth.Reason
	}{
		{"a good one", good, ""},
		{"one of several audiences", i.token(claims{"aud": []string{"other", audience}}), ""},
		{"one with an elliptic curve", signed(t, curve, claims{"alg": "ES256", "kid": "curve"}, i.claims(nil)), ""},
		{"one that ended within the skew", i.token(claims{"exp": in(-10 * time.Second)}), ""},
		{"one that begins within the skew", i.token(claims{"nbf": in(10 * time.Second)}), ""},
		{"for another audience", i.token(claims{"aud": "other"}), auth.Unknown},
		{"for no audience", i.token(claims{"aud": nil}), auth.Unknown},
		{"of another issuer", i.token(claims{"iss": "https://evil.example"}), auth.Unknown},
		{"of an issuer that begins alike", i.token(claims{"iss": i.url + "/"}), auth.Unknown},
		{"of nobody", i.token(claims{"sub": nil}), auth.Malformed},
		{"without an end", i.token(claims{"exp": nil}), auth.Malformed},
		{"that has ended", i.token(claims{"exp": in(-time.Minute)}), auth.Expired},
		{"that is not valid yet", i.token(claims{"nbf": in(3 * time.Minute)}), auth.Expired},
		{"that is not valid yet, as a text", i.token(claims{"nbf": fmt.Sprint(in(3 * time.Minute))}), auth.Malformed},
		{"that is not valid before the end of time", i.token(claims{"nbf": 1e300}), auth.Expired},
		{"whose beginning is no time", i.token(claims{"nbf": true}), auth.Unknown},
		{"with an end by another name", i.token(claims{"exp": nil, "EXP": in(time.Hour)}), auth.Malformed},
		{"with an audience by another name", i.token(claims{"aud": nil, "Aud": audience}), auth.Malformed},
		{"of an issuer by another name", i.token(claims{"iss": nil, "ISS": i.url}), auth.Malformed},
		{"of somebody by another name, too", i.token(claims{"\u017fub": "eve"}), auth.Malformed},
		{"without a signature", unsigned(t, claims{"alg": "none"}, i.claims(nil)) + ".", auth.Unknown},
		{"with alg none and a signature", unsigned(t, claims{"alg": "none", "kid": "one"}, i.claims(nil)) + "." + strings.Split(good, ".")[2], auth.Unknown},
		{"with the public key as a secret", hmacked(t, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), i.claims(nil)), auth.Unknown},
		{"with the public key's bytes as a secret", hmacked(t, public, i.claims(nil)), auth.Unknown},
		{"with a secret that the issuer publishes", hmacked(t, []byte(publishedSecret), i.claims(nil)), auth.Unknown},
		{"with an unknown kid", signed(t, own, claims{"alg": "RS256", "kid": "two"}, i.claims(nil)), auth.Unknown},
		{"with a known kid and another key", signed(t, own, claims{"alg": "RS256", "kid": "one"}, i.claims(nil)), auth.Unknown},
		{"that brings its key along", signed(t, own, claims{"alg": "RS256", "jwk": jwk("one", own)}, i.claims(nil)), auth.Unknown},
		{"that says where its key is", signed(t, own, claims{"alg": "RS256", "kid": "two", "jku": i.url + "/keys"}, i.claims(nil)), auth.Unknown},
		{"with an algorithm of another key", signed(t, curve, claims{"alg": "RS256", "kid": "curve"}, i.claims(nil)), auth.Unknown},
		{"with other claims under its signature", unsigned(t, claims{"alg": "RS256", "kid": "one"}, i.claims(claims{"sub": "eve"})) + "." + strings.Split(good, ".")[2], auth.Unknown},
		{"cut off", good[:len(good)-10], auth.Unknown},
		{"that is none", "a.b.c", auth.Unknown},
		{"of a part", strings.Split(good, ".")[1], auth.Malformed},
		{"a key of nobody", auth.NewKey().Reveal(), auth.Unknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := callers.Admit(t.Context(), "Bearer "+test.token)
			if got := reasonOf(err); got != test.want {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestWhatATokenAllows(t *testing.T) {
	i := newIssuer(t)
	read, write := auth.TokensRead, auth.TokensWrite
	mapped := map[string][]auth.Permission{"readers": {read, auth.EventsRead}, "writers": {read, write}}
	tests := []struct {
		name    string
		config  auth.IssuerConfig
		changes claims
		want    []auth.Permission
	}{
		{"the names in its scope", auth.IssuerConfig{}, claims{"scope": "openid TOKENS_READ TOKENS_WRITE"}, []auth.Permission{read, write}},
		{"nothing without a scope", auth.IssuerConfig{}, claims{"scope": nil}, nil},
		{"nothing by other names", auth.IssuerConfig{}, claims{"scope": "EVERYTHING tokens_read"}, nil},
		{"the names in a list", auth.IssuerConfig{Claim: "roles"}, claims{"roles": []any{"TOKENS_READ", 1, nil}}, []auth.Permission{read}},
		{"what its groups stand for, each once", auth.IssuerConfig{Claim: "groups", Permissions: mapped}, claims{"groups": []string{"readers", "writers", "staff"}},
			[]auth.Permission{auth.EventsRead, read, write}},
		{"nothing by names where groups are mapped", auth.IssuerConfig{Claim: "groups", Permissions: mapped}, claims{"groups": []string{"TOKENS_WRITE"}}, nil},
		{"what a claim within a claim says", auth.IssuerConfig{Claim: "realm_access.roles"}, claims{"realm_access": claims{"roles": []string{"TOKENS_READ"}}}, []auth.Permission{read}},
		{"what a claim with dots says", auth.IssuerConfig{Claim: "https://regtok.example/roles"}, claims{"https://regtok.example/roles": "TOKENS_READ"}, []auth.Permission{read}},
		{"nothing by a claim of another form", auth.IssuerConfig{Claim: "roles"}, claims{"roles": claims{"TOKENS_READ": true}}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.config.Skew = 10 * time.Second
			test.changes["exp"] = 4102444800
			got, err := callersOf(t, i, test.config).Admit(t.Context(), "Bearer "+i.token(test.changes))
			if err != nil {
				t.Fatal(err)
			}
			want := auth.Viewer{Subject: "oidc:ada", Permissions: test.want, Until: time.Unix(4102444810, 0)}
			if diff := cmp.Diff(got, want); diff != "" {
				t.Errorf("viewer (-got +want):\n%s", diff)
			}
		})
	}
}

func TestWhatATokenReaches(t *testing.T) {
	i := newIssuer(t)
	organization := providers.ID{Kind: providers.OrganizationKind, Provider: "ionos", Native: "one"}
	registry := providers.ID{Kind: providers.RegistryKind, Provider: "ionos", Organization: "one", Native: "r"}
	by := func(part providers.ReachPart) map[providers.ReachPart]string {
		return map[providers.ReachPart]string{part: "of." + string(part)}
	}
	narrowed := func(part providers.ReachPart, names ...string) providers.Reach {
		reach, err := providers.Reach{}.Narrow(part, names...)
		if err != nil {
			t.Fatal(err)
		}
		return reach
	}
	both := by(providers.ReachProviders)
	both[providers.ReachRegistries] = "list"
	inBoth, err := narrowed(providers.ReachProviders, "ionos").Narrow(providers.ReachRegistries, registry.String())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		by     map[providers.ReachPart]string
		claims claims
		want   providers.Reach
	}{
		{"everything, unless claims narrow", nil, claims{"of": claims{"accounts": "main"}}, providers.Reach{}},
		{"what the claim lists", by(providers.ReachAccounts), claims{"of": claims{"accounts": []string{"main", "spare"}}}, narrowed(providers.ReachAccounts, "main", "spare")},
		{"what the claim says in words", by(providers.ReachAccounts), claims{"of": claims{"accounts": "main spare"}}, narrowed(providers.ReachAccounts, "main", "spare")},
		{"nothing without the claim", by(providers.ReachAccounts), claims{}, narrowed(providers.ReachAccounts)},
		{"nothing by an empty claim", by(providers.ReachRegistries), claims{"of": claims{"registries": []string{}}}, narrowed(providers.ReachRegistries)},
		{"nothing by a claim of another form", by(providers.ReachProviders), claims{"of": claims{"providers": claims{"ionos": true}}}, narrowed(providers.ReachProviders)},
		{"nothing by ids of something else", by(providers.ReachRegistries), claims{"of": claims{"registries": []string{organization.String(), "*", ""}}}, narrowed(providers.ReachRegistries)},
		{"the ids among other values", by(providers.ReachOrganizations), claims{"of": claims{"organizations": []any{1, "*", organization.String()}}}, narrowed(providers.ReachOrganizations, organization.String())},
		{"what all claims allow", both, claims{"of": claims{"providers": "ionos"}, "list": []string{registry.String()}}, inBoth},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := callersOf(t, i, auth.IssuerConfig{Reach: test.by}).Admit(t.Context(), "Bearer "+i.token(test.claims))
			if err != nil {
				t.Fatal(err)
			}
			if !got.Reach.Equal(test.want) {
				t.Errorf("reaches %v, want %v", got.Reach, test.want)
			}
		})
	}
}

func TestAnIssuerMayRotateItsKeys(t *testing.T) {
	i := newIssuer(t)
	callers := callersOf(t, i, auth.IssuerConfig{})
	old := i.token(nil)
	if _, err := callers.Admit(t.Context(), "Bearer "+old); err != nil {
		t.Fatal(err)
	}
	key := newRSA(t)
	i.change(func() { i.keys["two"] = key })
	rotated := signed(t, key, claims{"alg": "RS256", "kid": "two"}, i.claims(nil))
	for _, token := range []string{rotated, old} {
		if _, err := callers.Admit(t.Context(), "Bearer "+token); err != nil {
			t.Errorf("after a new key was published: %v", err)
		}
	}
	again := callersOf(t, i, auth.IssuerConfig{Renew: time.Nanosecond})
	if _, err := again.Admit(t.Context(), "Bearer "+old); err != nil {
		t.Fatal(err)
	}
	i.change(func() { delete(i.keys, "one") })
	if _, err := again.Admit(t.Context(), "Bearer "+old); reasonOf(err) != auth.Unknown {
		t.Errorf("after its key was taken back: %v, want %s", err, auth.Unknown)
	}
}

func TestStrangersCannotMakeTheServerAskTheIssuer(t *testing.T) {
	i := newIssuer(t)
	callers := callersOf(t, i, auth.IssuerConfig{Pause: time.Hour})
	own := newRSA(t)
	for n := range 50 {
		token := signed(t, own, claims{"alg": "RS256", "kid": strings.Repeat("x", n)}, i.claims(nil))
		if _, err := callers.Admit(t.Context(), "Bearer "+token); reasonOf(err) != auth.Unknown {
			t.Fatalf("%v, want %s", err, auth.Unknown)
		}
	}
	for _, path := range []string{"/.well-known/openid-configuration", "/keys"} {
		if got := i.timesAsked(path); got != 1 {
			t.Errorf("%s was asked %d times, want once", path, got)
		}
	}
}

func TestAnIssuerMayBeDown(t *testing.T) {
	i := newIssuer(t)
	good := i.token(nil)
	t.Run("at the start, and come back", func(t *testing.T) {
		i.change(func() { i.down = true })
		callers := callersOf(t, i, auth.IssuerConfig{})
		_, err := callers.Admit(t.Context(), "Bearer "+good)
		if reasonOf(err) != auth.Unavailable || strings.Contains(err.Error(), "503") {
			t.Errorf("%v, want %s without the reason", err, auth.Unavailable)
		}
		i.change(func() { i.down = false })
		if _, err := callers.Admit(t.Context(), "Bearer "+good); err != nil {
			t.Errorf("when it is back: %v", err)
		}
	})
	t.Run("and who is known stays known", func(t *testing.T) {
		callers := callersOf(t, i, auth.IssuerConfig{Renew: time.Nanosecond})
		if _, err := callers.Admit(t.Context(), "Bearer "+good); err != nil {
			t.Fatal(err)
		}
		i.change(func() { i.down = true })
		for range 3 {
			if _, err := callers.Admit(t.Context(), "Bearer "+good); err != nil {
				t.Errorf("while it is down: %v", err)
			}
		}
		other := signed(t, newRSA(t), claims{"alg": "RS256", "kid": "two"}, i.claims(nil))
		if _, err := callers.Admit(t.Context(), "Bearer "+other); reasonOf(err) != auth.Unavailable {
			t.Errorf("with a key that may be new: %v, want %s", err, auth.Unavailable)
		}
		i.change(func() { i.down = false })
	})
	t.Run("as far as its keys go, when it should tell them anew", func(t *testing.T) {
		callers := callersOf(t, i, auth.IssuerConfig{Renew: time.Nanosecond})
		if _, err := callers.Admit(t.Context(), "Bearer "+good); err != nil {
			t.Fatal(err)
		}
		i.change(func() { i.silent = true })
		defer i.change(func() { i.silent = false })
		for range 3 {
			if _, err := callers.Admit(t.Context(), "Bearer "+good); err != nil {
				t.Errorf("while it is silent: %v", err)
			}
		}
	})
	for name, garbage := range map[string]string{"no JSON": "<html>c4n4ry", "another's": `{"issuer":"https://evil.example","jwks_uri":"https://evil.example/keys"}`,
		"without keys": `{"issuer":"` + i.url + `"}`, "with keys in the open": `{"issuer":"` + i.url + `","jwks_uri":"http://evil.example/keys"}`} {
		t.Run("or say nonsense: "+name, func(t *testing.T) {
			i.change(func() { i.garbage = garbage })
			defer i.change(func() { i.garbage = "" })
			if _, err := callersOf(t, i, auth.IssuerConfig{}).Admit(t.Context(), "Bearer "+good); reasonOf(err) != auth.Unavailable {
				t.Errorf("%v, want %s", err, auth.Unavailable)
			}
		})
	}
}

func TestManyCallersMayBringTokensAtOnce(t *testing.T) {
	i := newIssuer(t)
	callers := callersOf(t, i, auth.IssuerConfig{Pause: time.Hour})
	good := i.token(nil)
	var running sync.WaitGroup
	for range 32 {
		running.Go(func() {
			if _, err := callers.Admit(t.Context(), "Bearer "+good); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	if got := i.timesAsked("/keys"); got != 1 {
		t.Errorf("its keys were asked for %d times, want once", got)
	}
}

func TestAnIssuersAddress(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://login.example.com": true, "https://login.example.com/realms/main": true, "http://127.0.0.1:8080": true, "http://localhost": true, "http://[::1]:1": true,
		"http://login.example.com": false, "login.example.com": false, "": false, "https://": false, "ftp://127.0.0.1": false, "https://u:p@login.example.com": false,
		"http://127.0.0.1.evil.example": false,
	} {
		if _, err := auth.NewIssuer(auth.IssuerConfig{URL: address, Audience: audience}); (err == nil) != ok {
			t.Errorf("NewIssuer of %q: %v, want it taken: %t", address, err, ok)
		}
	}
	if _, err := auth.NewIssuer(auth.IssuerConfig{URL: "https://a.example", Audience: audience, Skew: time.Minute + 1}); err == nil {
		t.Error("a skew of more than a minute was taken")
	}
}
