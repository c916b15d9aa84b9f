package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"regtok/auth"
)

const audience = "regtok"

// What no issuer should publish, and some have: a secret, and its kid.
const publishedSecret, sharedKid = "an issuer's secret that everybody can read", "shared"

// issuer is a real one, over loopback HTTP.
type issuer struct {
	t   testing.TB
	url string

	mu      sync.Mutex
	keys    map[string]crypto.Signer // what it publishes, by kid
	down    bool
	silent  bool // about its keys alone
	garbage string
	asked   map[string]int // by path
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	i := &issuer{t: t, keys: map[string]crypto.Signer{"one": newRSA(t)}, asked: map[string]int{}}
	server := httptest.NewServer(http.HandlerFunc(i.answer))
	t.Cleanup(server.Close)
	i.url = server.URL
	return i
}

func newRSA(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (i *issuer) answer(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked[r.URL.Path]++
	w.Header().Set("Content-Type", "application/json")
	switch {
	case i.down || i.silent && r.URL.Path == "/keys":
		http.Error(w, "c4n4ry: not today", http.StatusServiceUnavailable)
	case i.garbage != "":
		_, _ = w.Write([]byte(i.garbage))
	case r.URL.Path == "/.well-known/openid-configuration":
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": i.url, "jwks_uri": i.url + "/keys", "id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"}})
	case r.URL.Path == "/keys":
		var published []map[string]string
		for kid, key := range i.keys {
			published = append(published, jwk(kid, key))
		}
		published = append(published, map[string]string{"kty": "oct", "kid": sharedKid, "k": encoded([]byte(publishedSecret))})
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": published})
	}
}

func jwk(kid string, key crypto.Signer) map[string]string {
	number := func(n *big.Int) string { return encoded(n.Bytes()) }
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		return map[string]string{"kty": "RSA", "kid": kid, "use": "sig", "n": number(public.N), "e": number(big.NewInt(int64(public.E)))}
	case *ecdsa.PublicKey:
		point, err := public.Bytes()
		if err != nil {
			panic(err)
		}
		return map[string]string{"kty": "EC", "kid": kid, "use": "sig", "crv": "P-256", "x": encoded(point[1:33]), "y": encoded(point[33:])}
	}
	panic("no such key")
}

// change changes what the issuer does.
func (i *issuer) change(how func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	how()
}

func (i *issuer) timesAsked(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked[path]
}

type claims = map[string]any

// claims are those of a good token, but for changes. nil takes a claim out.
func (i *issuer) claims(changes claims) claims {
	c := claims{"iss": i.url, "aud": audience, "sub": "ada", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(), "scope": "openid TOKENS_READ"}
	for name, value := range changes {
		c[name] = value
		if value == nil {
			delete(c, name)
		}
	}
	return c
}

// token is a good one, but for changes of its claims.
func (i *issuer) token(changes claims) string {
	i.mu.Lock()
	key := i.keys["one"]
	i.mu.Unlock()
	return signed(i.t, key, claims{"alg": "RS256", "kid": "one"}, i.claims(changes))
}

func encoded(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// unsigned is a token up to its signature.
func unsigned(t testing.TB, header, payload claims) string {
	t.Helper()
	var parts []string
	for _, part := range []claims{header, payload} {
		text, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, encoded(text))
	}
	return strings.Join(parts, ".")
}

func signed(t testing.TB, key crypto.Signer, header, payload claims) string {
	t.Helper()
	text := unsigned(t, header, payload)
	sum := sha256.Sum256([]byte(text))
	var signature []byte
	var err error
	switch k := key.(type) {
	case *rsa.PrivateKey:
		signature, err = rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
	case *ecdsa.PrivateKey:
		var r, s *big.Int
		r, s, err = ecdsa.Sign(rand.Reader, k, sum[:])
		signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + encoded(signature)
}

// hmacked is a token with a secret that everybody knows.
func hmacked(t testing.TB, secret []byte, payload claims) string {
	t.Helper()
	kid := "one"
	if string(secret) == publishedSecret {
		kid = sharedKid
	}
	text := unsigned(t, claims{"alg": "HS256", "kid": kid}, payload)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return text + "." + encoded(mac.Sum(nil))
}

// callersOf are those with tokens of an issuer, which is asked again at once unless the configuration says otherwise.
func callersOf(t testing.TB, i *issuer, c auth.IssuerConfig) *auth.Callers {
	t.Helper()
	c.URL, c.Audience = i.url, audience
	if c.Pause == 0 {
		c.Pause = time.Nanosecond
	}
	known, err := auth.NewIssuer(c)
	if err != nil {
		t.Fatal(err)
	}
	return auth.NewCallers(auth.Config{Issuer: known})
}
