package buildkite

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
	"regtok/providers/rest"
)

func TestErrorBodiesAreExplained(t *testing.T) {
	for what, test := range map[string]struct {
		status int
		header http.Header
		body   string
		want   rest.Explanation
	}{
		"a message": {
			404, nil, `{"message":"No organization found"}`,
			rest.Explanation{Message: "No organization found"},
		},
		"a validation": {
			422, nil, `{"message":"Validation failed: Reason for failure"}`,
			rest.Explanation{Message: "Validation failed: Reason for failure"},
		},
		"errors with fields": {
			422, nil, `{"message":"Validation Failed","errors":[{"field":"description","code":"missing"},{"field":"color","code":"invalid"}]}`,
			rest.Explanation{Message: "Validation Failed: description missing: color invalid", Field: "NAME"},
		},
		"another field": {
			422, nil, `{"message":"Validation Failed","errors":[{"field":"color","code":"invalid"}]}`,
			rest.Explanation{Message: "Validation Failed: color invalid", Field: "color"},
		},
		"errors of text": {
			422, nil, `{"message":"No","errors":["Description is too long","Sorry"]}`,
			rest.Explanation{Message: "No: Description is too long: Sorry"},
		},
		"errors alone": {422, nil, `{"errors":[{"message":"boo"}]}`, rest.Explanation{Message: "boo"}},
		"errors of other kinds": {
			422, nil, `{"message":"No","errors":[7,null,{"field":3,"code":"x"},[]]}`,
			rest.Explanation{Message: "No: x"},
		},
		"errors as an object": {
			422, nil, `{"message":"No","errors":{"description":["blank"]}}`,
			rest.Explanation{Message: "No"},
		},
		"a message of a number": {500, nil, `{"message":7}`, rest.Explanation{}},
		"no JSON":               {502, nil, `<html>Bad Gateway</html>`, rest.Explanation{}},
		"nothing":               {500, nil, ``, rest.Explanation{}},
		"too many requests": {429, nil,
			`{"message":"Wait 42 seconds","scope":"rest_user","limit":50,"current":55,"reset":42}`,
			rest.Explanation{Message: "Wait 42 seconds", RetryAfter: 42 * time.Second}},
		"too many, in the body, with another reset in the header": {429, told("0", "200", "7", "3", "50", "42"),
			`{"scope":"rest_user","limit":50,"current":55,"reset":42}`, rest.Explanation{RetryAfter: 42 * time.Second}},
		"too many, told by the headers alone": {
			429, told("12", "200", "9", "0", "50", "31"), ``,
			rest.Explanation{RetryAfter: 31 * time.Second},
		},
		"too many of both": {
			429, told("0", "200", "9", "0", "50", "5"), `no JSON`,
			rest.Explanation{RetryAfter: 9 * time.Second},
		},
		"too many, of a scope that we do not know": {
			429, nil, `{"scope":"graphql","limit":50,"current":55,"reset":42}`,
			rest.Explanation{},
		},
		"a reset that is no reason to wait": {
			403, nil, `{"scope":"rest","limit":1,"current":1,"reset":42}`,
			rest.Explanation{},
		},
	} {
		t.Run(what, func(t *testing.T) {
			if diff := cmp.Diff(explain(test.status, test.header, []byte(test.body)), test.want); diff != "" {
				t.Errorf("the explanation differs (-got +want):\n%s", diff)
			}
		})
	}
}

func TestAMissingScopeIsTheOneOfTheDocumentation(t *testing.T) {
	scoped := `{"message":"Your access token doesn't have the some_thing scope"}`
	for what, test := range map[string]struct {
		body, want string
		call       func(*adapter) error
	}{
		"reading tokens": {scoped, "read_registries", func(a *adapter) error {
			_, err := a.Token(t.Context(), tokenID)
			return err
		}},
		"listing tokens": {scoped, "read_registries", func(a *adapter) error {
			_, err := a.Tokens(t.Context(), registryID, providers.PageRequest{})
			return err
		}},
		"creating a token": {scoped, "write_registries", func(a *adapter) error {
			_, err := a.CreateToken(t.Context(), registryID, providers.TokenState{Name: "ci"})
			return err
		}},
		"patching a token": {scoped, "write_registries", func(a *adapter) error {
			_, err := a.PatchToken(t.Context(), tokenID, providers.TokenPatch{Name: providers.Some("ci")})
			return err
		}},
		"deleting a token": {scoped, "write_registries", func(a *adapter) error { return a.DeleteToken(t.Context(), tokenID) }},
		"listing members": {scoped, "read_organizations", func(a *adapter) error {
			_, err := a.Users(t.Context(), orgID, providers.PageRequest{})
			return err
		}},
		"reading a member": {scoped, "read_organizations", func(a *adapter) error {
			_, err := a.User(t.Context(), orgID, userID)
			return err
		}},
		"listing members without the permission": {`{"message":"Forbidden"}`, "", func(a *adapter) error {
			_, err := a.Users(t.Context(), orgID, providers.PageRequest{})
			return err
		}},
	} {
		t.Run(what, func(t *testing.T) {
			lookups := serves(nil)
			u := &upstream{answer: func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/organizations") || strings.HasSuffix(r.URL.Path, "/registries") {
					lookups.answer(w, r)
					return
				}
				write(w, 403, test.body)
			}}
			err := test.call(u.account(t))
			e, ok := errors.AsType[*providers.Error](err)
			if !ok || e.Kind != providers.Forbidden || e.RequiredScope != test.want || e.Message == "" {
				t.Errorf("%s = %+v, want FORBIDDEN with scope %q", what, e, test.want)
			}
		})
	}
}
