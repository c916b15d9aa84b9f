package graph_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"regtok/providers"
)

// TestSettingsThatDoNotFitAreTheOperatorsMatter: the caller did nothing wrong and is told so; the log names the cure.
func TestSettingsThatDoNotFitAreTheOperatorsMatter(t *testing.T) {
	opaque := providers.Settings{"token": providers.NewSecret("tells-no-contract")}
	w := newWorld(t, plan{settings: map[string]providers.Settings{"ionos": opaque}})
	w.taps["ionos"].Spoil(func(rw http.ResponseWriter, r *http.Request, _ int) bool {
		if !strings.HasSuffix(r.URL.Path, "/contracts") {
			return false
		}
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(rw, `{"items":[{"properties":{"contractNumber":1}},{"properties":{"contractNumber":2}}]}`)
		return true
	})
	id := providers.OrganizationID("ionos", "1").RegistryID("1e9f63b6-ff23-41ab-8f7e-57dd1008d6b5").TokenID("1e9f63b6-ff23-41ab-8f7e-57dd1008d6b6")
	a := w.ask(t, `query ($id: ID!) { token(address: {id: $id}) { name } tokens { unavailable { reason message } } }`,
		map[string]any{"id": id.String()})
	if len(a.Errors) != 1 {
		t.Fatalf("errors %v, want one", a.Errors)
	}
	extensions, _ := a.Errors[0]["extensions"].(map[string]any)
	if extensions["code"] != "FORBIDDEN" || extensions["argument"] != nil {
		t.Errorf("extensions %v, want FORBIDDEN of no argument", extensions)
	}
	const cure = "the account's settings may be wrong"
	if text := string(a.Data); !strings.Contains(text, `"FORBIDDEN"`) || !strings.Contains(text, cure) {
		t.Errorf("data %s, want what is unavailable to say that %s", text, cure)
	}
	if logged := w.log.String(); strings.Count(logged, "belongs to several contracts") < 2 {
		t.Errorf("logged %s, want the cure for the field and for the list", logged)
	}
}
