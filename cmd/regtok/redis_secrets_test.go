package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"regtok/redistest"
)

// TestNoSecretReachesRedisOrTheLog makes tokens with idempotency keys, rotates them and reads them through a real process,
// and then looks through all that it has left.
func TestNoSecretReachesRedisOrTheLog(t *testing.T) {
	server := redistest.Start(t)
	r := newReplicas(t, server)
	process, url := r.serve()
	var secrets []string
	for i, registry := range list(ask(t, url, `{ registries { nodes { id provider { slug } } } }`), "registries", "nodes") {
		id := registry.(map[string]any)["id"].(string)
		made := payload(t, url, "createToken", fmt.Sprintf(`registryId: %q, name: "canary%d", idempotencyKey: "make-%[2]d"`, id, i))
		token := made["token"].(map[string]any)["id"].(string)
		overlap := "PT0S"
		if i%2 == 0 {
			overlap = "PT10M" // remembered in Redis
		}
		rotated := payload(t, url, "rotateToken", fmt.Sprintf(`token: {id: %q}, overlap: %q, expiry: %s, idempotencyKey: "turn-%d"`,
			token, overlap, expiryAt(registry), i))
		for _, p := range []map[string]any{made, rotated} {
			secrets = append(secrets, p["credential"].(map[string]any)["secret"].(string))
		}
	}
	r.look(url)
	if len(secrets) < 4 {
		t.Fatalf("%d secrets were made, want some of each provider", len(secrets))
	}
	held := dump(t, server)
	for _, readable := range []string{"regtok:1:", `"state":"DONE"`, "regtok:cache", "canary0", "{activity}:log", `"k":"ROTATED"`} {
		if !strings.Contains(held, readable) {
			t.Errorf("Redis holds no %s: this test would not find a secret either", readable)
		}
	}
	process.quit(t, syscall.SIGTERM)
	for where, text := range map[string]string{"Redis": held, "the log": process.stderr.String()} {
		for _, secret := range append(secrets, canary) {
			if strings.Contains(text, secret) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(secret))) {
				t.Errorf("%s holds the secret %s", where, secret)
			}
		}
	}
}

// expiryAt is an input that each provider takes: only one of them knows ends.
func expiryAt(registry any) string {
	if registry.(map[string]any)["provider"].(map[string]any)["slug"] == "ionos" {
		return `{in: "P30D"}`
	}
	return "null"
}

// payload is what a mutation came to, which has to be well.
func payload(t *testing.T, url, mutation, input string) map[string]any {
	t.Helper()
	got := ask(t, url, fmt.Sprintf(`mutation { %s(input: {%s}) { token { id } credential { secret } errors { message } } }`, mutation, input))
	p, _ := got.Data[mutation].(map[string]any)
	if p == nil || p["token"] == nil || len(p["errors"].([]any)) > 0 {
		t.Fatalf("%s came to %+v", mutation, got)
	}
	return p
}

// dump is all that Redis holds, whatever its types.
func dump(t *testing.T, server *redistest.Server) string {
	t.Helper()
	client := server.Client(t)
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	var held strings.Builder
	for _, key := range keys {
		var value any
		var err error
		switch kind := client.Type(t.Context(), key).Val(); kind {
		case "string":
			value, err = client.Get(t.Context(), key).Result()
		case "zset":
			value, err = client.ZRange(t.Context(), key, 0, -1).Result()
		case "hash":
			value, err = client.HGetAll(t.Context(), key).Result()
		case "set":
			value, err = client.SMembers(t.Context(), key).Result()
		case "stream":
			value, err = client.XRange(t.Context(), key, "-", "+").Result()
		case "none": // it has ended since
		default:
			t.Errorf("%s is of the type %s, which nobody looks into", key, kind)
		}
		if err != nil && !errors.Is(err, redis.Nil) {
			t.Errorf("%s cannot be looked into: %v", key, err)
		}
		fmt.Fprintln(&held, key, value)
	}
	return held.String()
}
