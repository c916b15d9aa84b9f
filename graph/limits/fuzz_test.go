package limits_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"regtok/graph/limits"
)

// FuzzOperation looks for documents and variables that bring down the checks, or the validator behind them.
func FuzzOperation(f *testing.F) {
	for _, test := range hostile {
		if len(test.query) < 10_000 {
			f.Add(test.query, "{}")
		}
	}
	f.Add("query($f: [Filter!]) {search(filters: $f) {id}}", `{"f": {"all": {"address": {}}}}`)
	f.Add("query($n: Int = 1) {registries(first: $n) {totalCount}}", `{"n": 1e400}`)
	a := newAPI(f, limits.Default())
	f.Fuzz(func(t *testing.T, query, variables string) {
		if !json.Valid([]byte(variables)) {
			return
		}
		body, err := json.Marshal(map[string]any{"query": query, "variables": json.RawMessage(variables)})
		if err != nil {
			return
		}
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		a.Config.Handler.ServeHTTP(w, r)
		if w.Code == http.StatusInternalServerError || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%q with %s\nanswered %d %.500s", query, variables, w.Code, w.Body)
		}
	})
}

// BenchmarkHostile shows how long each refusal takes.
func BenchmarkHostile(b *testing.B) {
	a := newAPI(b, limits.Default())
	for _, test := range hostile {
		b.Run(test.name, func(b *testing.B) {
			for b.Loop() {
				a.send(b, map[string]any{"query": test.query})
			}
		})
	}
}
