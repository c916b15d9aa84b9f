package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAWrongIssuerIsRefusedWithThePlace(t *testing.T) {
	const good = "oidc:\n  issuer: https://login.example.com\n  audience: regtok\n"
	tests := []struct{ name, text, want string }{
		{"a text", "oidc: " + canary + "\n", "regtok.yaml:1:7: oidc has to be a mapping"},
		{"no issuer", "oidc:\n  audience: regtok\n", "regtok.yaml:2:3: oidc needs `issuer`"},
		{"no audience", "oidc:\n  issuer: https://login.example.com\n", "regtok.yaml:2:3: oidc needs `issuer`"},
		{"an empty audience", "oidc:\n  issuer: https://login.example.com\n  audience: ''\n", "regtok.yaml:3:13: audience has no value"},
		{"an issuer without TLS", "oidc:\n  issuer: http://" + canary + ".example\n  audience: regtok\n", "regtok.yaml:2:11: issuer: an issuer is asked by https"},
		{"an issuer with a password", "oidc:\n  issuer: https://x:" + canary + "@login.example\n  audience: regtok\n", "regtok.yaml:2:11: issuer: an issuer's address looks like"},
		{"a secret, which it has no use for", good + "  client_secret: " + canary + "\n", "regtok.yaml:4:3: unknown key client_secret; there are issuer, audience,"},
		{"too much skew", good + "  clock_skew: 5m\n", "regtok.yaml:4:15: clock_skew is a length of time like 30s, of 1m0s at most"},
		{"a skew of no length", good + "  clock_skew: " + canary + "\n", "regtok.yaml:4:15: clock_skew is a length"},
		{"an empty claim", good + "  claim: ''\n", "regtok.yaml:4:10: claim has no value"},
		{"permissions of a list", good + "  permissions: [TOKENS_READ]\n", "regtok.yaml:4:16: permissions has to be a mapping"},
		{"permissions of nothing", good + "  permissions: {}\n", "regtok.yaml:4:16: permissions has no value"},
		{"an unknown permission", good + "  permissions: {staff: [" + canary + "]}\n", "regtok.yaml:4:25: this is no permission; there are"},
		{"a reach of a list", good + "  reach: [registries]\n", "regtok.yaml:4:10: reach has to be a mapping"},
		{"a reach of nothing", good + "  reach: {}\n", "regtok.yaml:4:10: reach names no claim"},
		{"a reach by no claim", good + "  reach: {registries: ''}\n", "regtok.yaml:4:23: registries has no value"},
		{"a reach of ids", good + "  reach: {registries: [" + canary + "]}\n", "regtok.yaml:4:23: registries"},
		{"a reach of what there is not", good + "  reach: {tokens: list}\n", "regtok.yaml:4:11: unknown key tokens; there are providers,"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseConfig("regtok.yaml", []byte(test.text), serveFlags())
			if err == nil || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), canary) {
				t.Errorf("refused with %v, want %q", err, test.want)
			}
		})
	}
	for _, more := range []string{"", "  clock_skew: 1m\n", "  claim: realm_access.roles\n  permissions:\n    \"https://example.com/staff\": [TOKENS_READ]\n    ops: [TOKENS_WRITE]\n"} {
		if got, err := parseConfig("regtok.yaml", []byte(good+more), serveFlags()); err != nil || got.issuer == nil {
			t.Errorf("%s was refused with %v", good+more, err)
		}
	}
}

// tokensOf starts an issuer and returns its address, and what makes tokens of its.
func tokensOf(t testing.TB) (url string, token func(subject string, end time.Time) string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":"%[1]s/keys"}`, server.URL)
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"keys":[{"kty":"RSA","kid":"one","n":%q,"e":%q}]}`, encode(key.N.Bytes()), encode(big.NewInt(int64(key.E)).Bytes()))
	})
	return server.URL, func(subject string, end time.Time) string {
		claims, err := json.Marshal(map[string]any{"iss": server.URL, "aud": "regtok", "sub": subject, "exp": end.Unix(), "groups": []string{"staff"}})
		if err != nil {
			t.Fatal(err)
		}
		text := encode([]byte(`{"alg":"RS256","kid":"one"}`)) + "." + encode(claims)
		sum := sha256.Sum256([]byte(text))
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return text + "." + encode(signature)
	}
}

func TestTokensOfAnIssuerReachWhatTheirClaimsName(t *testing.T) {
	url, token := tokensOf(t)
	text := "accounts:\n"
	for _, name := range []string{"staff", "others"} { // each token's groups are staff
		text += fmt.Sprintf("- {provider: ionos, name: %s, token: %s, base_url: '%s'}\n", name, canary, start(t, nil, "emulate", "ionos").url)
	}
	text += fmt.Sprintf("oidc: {issuer: '%s', audience: regtok, claim: groups, permissions: {staff: [TOKENS_READ]}", url)
	ada := "Bearer " + token("ada", time.Now().Add(time.Hour))
	for name, test := range map[string]struct{ reach, want string }{
		"by nothing":                 {"}\n", `[{"name":"staff"},{"name":"others"}]`},
		"by a claim":                 {", reach: {accounts: groups}}\n", `[{"name":"staff"}]`},
		"by a claim that it has not": {", reach: {accounts: teams}}\n", `[]`},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "regtok.yaml")
			writeFile(t, path, text+test.reach)
			r := start(t, nil, "serve", "-c", path)
			status, said := with(t, http.MethodPost, r.url+"/graphql", ada, `{"query":"{ accounts { name } }"}`)
			if want := `{"data":{"accounts":` + test.want + `}`; status != 200 || !strings.HasPrefix(said, want) {
				t.Errorf("answered %d %s, want %s", status, said, want)
			}
			r.end(t)
		})
	}
}

// TestTokensOfAnIssuerAdmitCallers presents tokens, right and wrong, and looks for them in all that the program says.
func TestTokensOfAnIssuerAdmitCallers(t *testing.T) {
	url, token := tokensOf(t)
	ionos := start(t, nil, "emulate", "ionos")
	path := filepath.Join(t.TempDir(), "regtok.yaml")
	writeFile(t, path, fmt.Sprintf("log_level: debug\naccounts:\n- {provider: ionos, token: %s, base_url: '%s'}\n"+
		"oidc:\n  issuer: %s\n  audience: regtok\n  claim: groups\n  permissions: {staff: [TOKENS_READ, METRICS_READ]}\n", canary, ionos.url, url))
	r := start(t, nil, "serve", "-c", path)
	const asked = `{"query":"{ viewer { subject permissions } tokens { totalCount } }"}`
	good, ended := token("ada", time.Now().Add(time.Hour)), token("eve", time.Now().Add(-time.Hour))
	status, said := with(t, http.MethodPost, r.url+"/graphql", "Bearer "+good, asked)
	if want := `{"data":{"viewer":{"subject":"oidc:ada","permissions":["METRICS_READ","TOKENS_READ"]},"tokens":{`; status != 200 || !strings.HasPrefix(said, want) {
		t.Errorf("answered %d %s, want %s", status, said, want)
	}
	forged := good[:strings.LastIndex(good, ".")] + ended[strings.LastIndex(ended, "."):]
	for _, wrong := range []string{ended, forged, good + "x", "regtok_" + good} {
		status, said := with(t, http.MethodPost, r.url+"/graphql", "Bearer "+wrong, asked)
		if status != 401 || !strings.Contains(said, `"UNAUTHENTICATED"`) || strings.Contains(said, wrong[20:60]) {
			t.Errorf("answered %d %s, want 401", status, said)
		}
	}
	_, told := with(t, http.MethodGet, r.url+"/metrics", "Bearer "+good, "")
	if !strings.Contains(told, `regtok_authentication_failures_total{reason="expired"} 1`) {
		t.Errorf("the figures do not tell of an ended token: %s", told)
	}
	r.end(t)
	for where, text := range map[string]string{"the log": r.stdout.String() + r.stderr.String(), "the figures": told} {
		for _, secret := range []string{good, ended} {
			for _, part := range strings.Split(secret, ".")[1:] {
				if strings.Contains(text, part[:40]) {
					t.Errorf("%s hold a token:\n%s", where, text)
				}
			}
		}
	}
}

func TestAnIssuerThatIsDownStopsNoStart(t *testing.T) {
	ionos := start(t, nil, "emulate", "ionos")
	path := filepath.Join(t.TempDir(), "regtok.yaml")
	key, callers := madeKey(t, "ci")
	writeFile(t, path, fmt.Sprintf("accounts:\n- {provider: ionos, token: %s, base_url: '%s'}\noidc: {issuer: 'http://127.0.0.1:1', audience: regtok}\n%s", canary, ionos.url, callers))
	r := start(t, nil, "serve", "-c", path)
	const asked = `{"query":"{ viewer { subject } }"}`
	if status, said := with(t, http.MethodPost, r.url+"/graphql", "Bearer "+key, asked); status != 200 {
		t.Errorf("who has a key is answered %d %s", status, said)
	}
	_, token := tokensOf(t)
	if status, said := with(t, http.MethodPost, r.url+"/graphql", "Bearer "+token("ada", time.Now().Add(time.Hour)), asked); status != 503 || !strings.Contains(said, `"UNAVAILABLE"`) {
		t.Errorf("who has a token is answered %d %s, want 503", status, said)
	}
}

func TestWhatACallerOfAnIssuerDoesIsToldWithTheirSubject(t *testing.T) {
	url, token := tokensOf(t)
	ionos := start(t, nil, "emulate", "ionos")
	path := filepath.Join(t.TempDir(), "regtok.yaml")
	writeFile(t, path, fmt.Sprintf("accounts:\n- {provider: ionos, token: %s, base_url: '%s'}\n"+
		"oidc: {issuer: '%s', audience: regtok, claim: groups, permissions: {staff: [TOKENS_READ, TOKENS_WRITE, ACTIVITY_READ]}}\n", canary, ionos.url, url))
	r := start(t, nil, "serve", "-c", path)
	ask := func(subject, text string) string {
		t.Helper()
		return r.tells(t, token(subject, time.Now().Add(time.Hour)), text)
	}
	_, rest, _ := strings.Cut(ask("ada", `{ tokens(first: 1) { nodes { id } } }`), `"id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	ask("ada", fmt.Sprintf(`mutation { patchToken(input: {token: {id: %q}, enabled: false}) { errors { code } } }`, id))
	want := `{"data":{"tokenActivityEvents":{"nodes":[{"kind":"CHANGED","actor":"oidc:ada"}]}}`
	if said := ask("grace", `{ tokenActivityEvents { nodes { kind actor } } }`); !strings.HasPrefix(said, want) {
		t.Errorf("another caller is told %s, want %s", said, want)
	}
	if said := r.stderr.String() + r.stdout.String(); !strings.Contains(said, `"actor":"oidc:ada"`) {
		t.Errorf("the log does not tell who did it: %s", said)
	}
}
