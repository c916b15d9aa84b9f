package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"regtok/auth"
	"regtok/redistest"
)

// TestNoCredentialOfACallerIsKept presents keys and tokens, right and wrong, over all that carries them, to a server with Redis. Then it
// looks through all that the server has said and left.
func TestNoCredentialOfACallerIsKept(t *testing.T) {
	redis := redistest.Start(t)
	ionos := start(t, nil, "emulate", "ionos")
	issuer, token := tokensOf(t)
	key, callers := madeKey(t, "ci")
	callers = strings.Replace(callers, "EVENTS_READ]", "EVENTS_READ, TOKENS_WRITE, ACTIVITY_READ, METRICS_READ]", 1)
	path := filepath.Join(t.TempDir(), "regtok.yaml")
	writeFile(t, path, fmt.Sprintf("log_level: debug\naccounts:\n- {provider: ionos, token: %s, base_url: '%s'}\n"+
		"oidc: {issuer: '%s', audience: regtok, claim: groups, permissions: {staff: [TOKENS_READ, TOKENS_WRITE, EVENTS_READ]}}\n%s", canary, ionos.url, issuer, callers))
	r := start(t, map[string]string{"REGTOK_REDIS_URL": redis.URL()}, "serve", "-c", path)
	good, ended := token("ada", time.Now().Add(time.Hour)), token("eve", time.Now().Add(-time.Hour))
	credentials := []string{key, auth.NewKey().Reveal(), good, ended}
	var secrets []string // that callers were shown, each once
	var said strings.Builder
	for _, credential := range credentials {
		for _, text := range []string{`{ viewer { subject } registries { nodes { id } } }`, `{ nothing }`, `{`} {
			_, answer := with(t, http.MethodPost, r.url+"/graphql", "Bearer "+credential, query(t, text, nil))
			said.WriteString(answer)
		}
		for _, path := range []string{"/graphql?key=" + credential, "/graphql?query=" + url.QueryEscape("subscription { nothing }"), "/metrics"} {
			_, answer := with(t, http.MethodGet, r.url+path, "Bearer "+credential, "")
			said.WriteString(answer)
		}
		said.WriteString(socketWith(t, r.url, credential))
	}
	_, found := with(t, http.MethodPost, r.url+"/graphql", "Bearer "+key, query(t, `{ registries(first: 1) { nodes { id } } }`, nil))
	for _, credential := range []string{key, good} {
		created := query(t, `mutation ($id: ID!, $name: String!) { createToken(input: {registryId: $id, name: $name, idempotencyKey: "once"}) {
			token { id } credential { secret } errors { message } } }`,
			map[string]any{"id": strings.Split(found, `"`)[9], "name": fmt.Sprint("of-a-caller-", len(secrets))})
		_, answer := with(t, http.MethodPost, r.url+"/graphql", "Bearer "+credential, created)
		_, secret, made := strings.Cut(answer, `"secret":"`)
		if !made {
			t.Fatalf("of %s: createToken answered %s", found, answer)
		}
		secrets = append(secrets, secret[:strings.Index(secret, `"`)])
	}
	const happened = `{ tokenActivityEvents { nodes { kind actor changed rotatedToId subject { name registryName createdBy } } } }`
	_, trail := with(t, http.MethodPost, r.url+"/graphql", "Bearer "+key, query(t, happened, nil))
	said.WriteString(trail)
	_, told := with(t, http.MethodGet, r.url+"/metrics", "Bearer "+key, "")
	held := dump(t, redis)
	r.end(t)
	log := r.stdout.String() + r.stderr.String()
	for where, want := range map[string][]string{
		log:   {"a caller was not admitted", `"msg":"request"`, `"msg":"token activity"`, "oidc:ada"},
		held:  {"{activity}:log", `"a":"ci"`, `"a":"oidc:ada"`, "of-a-caller-1"},
		trail: {`"actor":"ci"`, `"actor":"oidc:ada"`, "of-a-caller-1"},
	} {
		for _, text := range want {
			if !strings.Contains(where, text) {
				t.Errorf("there is no %s: this test would not find a credential there either\n%s", text, where)
			}
		}
	}
	for where, text := range map[string]string{"the log": log, "Redis": held, "the figures": told, "an answer": said.String()} {
		for _, credential := range credentials {
			part := credential[len(credential)-40:]
			if strings.Contains(text, part) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(credential))[:60]) {
				t.Errorf("%s: there is the end of a credential, %s", where, part)
			}
		}
		for _, secret := range append(secrets, canary) {
			if strings.Contains(text, secret) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(secret))) {
				t.Errorf("%s: there is a secret, %s", where, secret)
			}
		}
	}
}

// socketWith presents a credential to a socket, follows events if it is right, and returns all that is said.
func socketWith(t testing.TB, address, credential string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, address+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}}) //nolint:bodyclose // a socket that is open has none
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	messages := []string{`{"type":"connection_init","payload":{"Authorization":"Bearer ` + credential + `"}}`, `{"id":"1","type":"subscribe","payload":{"query":"{ viewer { subject } }"}}`}
	var said strings.Builder
	for _, message := range messages {
		_ = conn.Write(ctx, websocket.MessageText, []byte(message)) // it may be closed by now
		_, text, err := conn.Read(ctx)
		said.Write(text)
		if err != nil {
			said.WriteString(err.Error())
			break
		}
	}
	return said.String()
}
