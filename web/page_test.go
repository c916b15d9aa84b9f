package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/google/go-cmp/cmp"

	"regtok/web"
	"regtok/web/webtest"
)

func TestThePlaygroundOpensOnItsFirstExample(t *testing.T) {
	for _, path := range []string{"/playground", "/playground/"} {
		server := start(t)
		page := webtest.Open(t, server+path)
		if got, want := page.Operation(), examples(t)[0].query; got != want {
			t.Errorf("%s opens on %q, want %q", path, got, want)
		}
		if got, want := page.Title(), "regtok playground"; got != want {
			t.Errorf("%s has the title %q, want %q", path, got, want)
		}
		checkQuiet(t, page, server)
	}
}

func TestThePlaygroundRunsEachOfItsExamples(t *testing.T) {
	server := start(t)
	page := webtest.Open(t, server+"/playground")
	var names []string
	for _, example := range examples(t) {
		names = append(names, example.name)
		page.OpenExample(example.name)
		if diff := cmp.Diff(example.query, page.Operation()); diff != "" {
			t.Errorf("operation of %s (-want +got):\n%s", example.name, diff)
		}
		if got, want := page.Execute(), `"asked": "`+example.name+`"`; !strings.Contains(got, want) {
			t.Errorf("the answer to %s is %s, want it to have %s", example.name, got, want)
		}
	}
	if diff := cmp.Diff(names, page.Examples()); diff != "" {
		t.Errorf("listed examples (-want +got):\n%s", diff)
	}
	checkQuiet(t, page, server)
}

func TestThePlaygroundSendsTheCredentialOfItsHeaderEditor(t *testing.T) {
	server := start(t)
	page := webtest.Open(t, server+"/playground")
	all := examples(t)
	for _, credential := range []string{"", "Bearer one", "Bearer two"} {
		if credential != "" {
			page.SetHeaders(`{"authorization": "` + credential + `"}`)
		}
		for _, example := range []string{all[0].name, "FollowEvents"} {
			page.OpenExample(example)
			if credential != "" {
				page.SetHeaders(`{"authorization": "` + credential + `"}`) // each example has a tab with headers of its own
			}
			if got, want := page.Execute(), `"authorization": "`+credential+`"`; !strings.Contains(got, want) {
				t.Errorf("the answer to %s is %s, want it to have %s", example, got, want)
			}
		}
	}
	if stored := page.Stored(); strings.Contains(stored, "Bearer") {
		t.Errorf("the page keeps the credential: %s", stored)
	}
	checkQuiet(t, page, server)
}

// checkQuiet checks that the page asked this server only, and that nothing went wrong.
func checkQuiet(t *testing.T, page *webtest.Page, server string) {
	t.Helper()
	requests := page.Requests()
	if !slices.Contains(requests, server+"/graphql") {
		t.Errorf("requests = %q, want %s/graphql among them", requests, server)
	}
	for _, url := range requests {
		if !strings.HasPrefix(url, server+"/") {
			t.Errorf("the page asked for %s", url)
		}
	}
	for _, problem := range page.Problems() {
		t.Error(problem)
	}
}

// start serves the built playground and an API that answers every operation with its name, and returns the base URL.
func start(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(routes(t))
	t.Cleanup(server.Close)
	response, err := http.Get(server.URL + "/playground")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusServiceUnavailable {
		t.Fatal("the page is not built: run `make build`, which runs `npm ci` and `npm run build` in web")
	}
	return server.URL
}

func routes(t *testing.T) http.Handler {
	t.Helper()
	introspection, err := os.ReadFile("testdata/introspection.json")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/playground", web.Playground())
	mux.Handle("/playground/", web.Playground())
	mux.HandleFunc("GET /graphql", follow)
	mux.HandleFunc("POST /graphql", func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			OperationName string `json:"operationName"`
			Query         string `json:"query"`
		}
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if strings.Contains(request.Query, "\nsubscription ") {
			http.Error(w, "a subscription does not fit into one answer", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if request.OperationName == "IntrospectionQuery" {
			_, _ = w.Write(introspection)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]string{"asked": request.OperationName, "authorization": r.Header.Get("Authorization")}})
	})
	return mux
}

// follow answers each subscription over WebSocket with its name and the socket's credential, as often as one asks.
func follow(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		return
	}
	defer func() { _ = conn.CloseNow() }()
	authorization := ""
	for {
		var message struct {
			ID, Type string
			Payload  struct{ OperationName, Authorization string }
		}
		if err := wsjson.Read(r.Context(), conn, &message); err != nil {
			return
		}
		if message.Type == "connection_init" {
			authorization = message.Payload.Authorization
		}
		answer := map[string]any{"type": "connection_ack"}
		if message.Type == "subscribe" {
			asked := map[string]any{"asked": message.Payload.OperationName, "authorization": authorization}
			answer = map[string]any{"type": "next", "id": message.ID, "payload": map[string]any{"data": asked}}
		}
		if err := wsjson.Write(r.Context(), conn, answer); err != nil {
			return
		}
	}
}
