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
	callers = strings.Replace(callers, "EVENTS_READ]", "EVENTS_READ, TOKENS_WRITE, METRICS_READ]", 1)
	path := filepath.Join(t.TempDir(), "regtok.yaml")
	writeFile(t, path, fmt.Sprintf("log_level: debug\naccounts:\n- {provider: ionos, token: %s, base_url: '%s'}\n"+
		"oidc: {issuer: '%s', audience: regtok, claim: groups, permissions: {staff: [TOKENS_READ, EVENTS_READ]}}\n%s", canary, ionos.url, issuer, callers))
	r := start(t, map[string]string{"REGTOK_REDIS_URL": redis.URL()}, "serve", "-c", path)
	good, ended := token("ada", time.Now().Add(time.Hour)), token("eve", time.Now().Add(-time.Hour))
	credentials := []string{key, auth.NewKey().Reveal(), good, ended}
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
	created := query(t, `mutation ($id: ID!) { createToken(input: {registryId: $id, name: "of-a-caller", idempotencyKey: "once"}) { token { id } errors { message } } }`,
		map[string]any{"id": strings.Split(found, `"`)[9]})
	if _, answer := with(t, http.MethodPost, r.url+"/graphql", "Bearer "+key, created); !strings.Contains(answer, `"token":{"id"`) {
		t.Fatalf("of %s: createToken answered %s", found, answer)
	}
	_, told := with(t, http.MethodGet, r.url+"/metrics", "Bearer "+key, "")
	held := dump(t, redis)
	r.end(t)
	log := r.stdout.String() + r.stderr.String()
	if !strings.Contains(log, "a caller was not admitted") || !strings.Contains(held, "regtok:") {
		t.Errorf("the log or Redis holds nothing of all this: this test would not find a credential either\n%s\n%s", log, held)
	}
	for where, text := range map[string]string{"the log": log, "Redis": held, "the figures": told, "an answer": said.String()} {
		for _, credential := range credentials {
			part := credential[len(credential)-40:]
			if strings.Contains(text, part) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(credential))[:60]) {
				t.Errorf("%s: there is the end of a credential, %s", where, part)
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
