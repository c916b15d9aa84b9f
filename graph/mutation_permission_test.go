package graph_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/auth"
	"regtok/graph"
)

// inputs are good ones, by the mutation.
func inputs() map[string]object {
	token := object{"id": ionosToken}
	return map[string]object{
		"createToken":  {"registryId": ionosRegistry, "name": "deploy"},
		"replaceToken": {"token": token, "name": "k8s-pull-fra", "expiry": object{"never": true}},
		"patchToken":   {"token": token, "enabled": true},
		"deleteToken":  {"token": token},
		"rotateToken":  {"token": token, "overlap": "PT0S"},
	}
}

// write calls a mutation by its name.
func (w *world) write(t *testing.T, mutation string) answer {
	t.Helper()
	query := fmt.Sprintf("mutation ($input: %sInput!) { %s(input: $input) { errors { code } } }", strings.ToUpper(mutation[:1])+mutation[1:], mutation)
	return w.ask(t, query, object{"input": inputs()[mutation]})
}

// TestEveryMutationNeedsItsPermission asks each for a caller who holds all permissions but that one, and for one who holds
// no other.
func TestEveryMutationNeedsItsPermission(t *testing.T) {
	needed := map[string]auth.Permission{
		"createToken": auth.TokensWrite, "replaceToken": auth.TokensWrite, "patchToken": auth.TokensWrite,
		"rotateToken": auth.TokensWrite, "deleteToken": auth.TokensDelete,
	}
	for _, field := range graph.Schema().Mutation.Fields {
		t.Run(field.Name, func(t *testing.T) {
			permission, ok := needed[field.Name]
			if !ok {
				t.Fatal("nobody has said which permission it needs")
			}
			others := slices.DeleteFunc(slices.Clone(auth.Local().Permissions), func(p auth.Permission) bool { return p == permission })
			w := newWorld(t, plan{viewer: &auth.Viewer{Subject: "other", Permissions: others}})
			a := w.write(t, field.Name)
			if len(a.Errors) != 1 || string(a.Data) != `{"`+field.Name+`":null}` {
				t.Fatalf("answered %s, %v, want null and an error", a.Data, a.Errors)
			}
			want := object{"code": "FORBIDDEN", "permission": string(permission)}
			if diff := cmp.Diff(a.Errors[0]["extensions"], any(want)); diff != "" {
				t.Errorf("extensions (-got +want):\n%s", diff)
			}
			if message, _ := a.Errors[0]["message"].(string); !strings.Contains(message, string(permission)) {
				t.Errorf("the message is %q, want it to name %s", message, permission)
			}
			if diff := cmp.Diff(w.requests(), map[string]int{"buildkite": 0, "ionos": 0}); diff != "" {
				t.Errorf("requests for a caller who may not (-got +want):\n%s", diff)
			}

			w = newWorld(t, plan{viewer: &auth.Viewer{Subject: "writer", Permissions: []auth.Permission{permission}}})
			if a := w.write(t, field.Name); string(a.Data) != `{"`+field.Name+`":{"errors":[]}}` || len(a.Errors) > 0 {
				t.Errorf("who may do it was answered %s, %v", a.Data, a.Errors)
			}
		})
	}
}

// TestOfAMutationNobodyIsToldBeforeItIsAllowed: a caller who may not learns nothing of what an id names.
func TestOfAMutationNobodyIsToldBeforeItIsAllowed(t *testing.T) {
	w := newWorld(t, plan{viewer: &auth.Viewer{Subject: "nobody"}})
	for _, id := range []string{ionosToken, "no-id"} {
		a := w.ask(t, patchQuery, object{"input": object{"token": object{"id": id}, "enabled": true}})
		extensions, _ := a.Errors[0]["extensions"].(object)
		if string(a.Data) != `{"patchToken":null}` || extensions["code"] != "FORBIDDEN" {
			t.Errorf("of %s: answered %s, %v, want FORBIDDEN", id, a.Data, a.Errors)
		}
	}
}
