package transport_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"regtok/graph/transport"
)

// refused are the audits that we do not pass, all of them of the level MAY: what they ask for is off on purpose.
var refused = map[string]string{
	"5A70": "a query by GET: it would be cached, logged by proxies, and sent by any page's <img>",
	"D6D5": "variables by GET: they would be logged by proxies",
	"6A70": "variables by GET: they would be logged by proxies",
}

type audit struct{ ID, Name, Status, Reason string }

func TestAudits(t *testing.T) {
	for _, introspection := range []bool{true, false} {
		server := newAPI(t, transport.POST{}, introspection)
		audits, query := runAudits(t, server.URL)
		if len(audits) != 61 {
			t.Errorf("%d audits ran, want 61", len(audits))
		}
		for _, a := range audits {
			why, deliberate := refused[a.ID]
			switch {
			case deliberate && a.Status != "notice":
				t.Errorf("introspection %t: %s %s is %s, but listed as refused: %s", introspection, a.ID, a.Name, a.Status, why)
			case !deliberate && a.Status != "ok":
				t.Errorf("introspection %t: %s %s is %s: %s", introspection, a.ID, a.Name, a.Status, a.Reason)
			}
		}
		if introspection {
			checkIntrospection(t, server.URL, query)
		}
	}
}

func checkIntrospection(t *testing.T, url, query string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(answer, []byte(`"errors"`)) {
		t.Errorf("the reference implementation's introspection query is answered %.500s", answer)
	}
}

// runAudits lets graphql-http audit the server, and installs it first when it is not there yet.
func runAudits(t *testing.T, url string) (audits []audit, introspection string) {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("the audits of GraphQL over HTTP are an npm package, and there is no %s: install Node.js 20 or newer with npm", program)
		}
	}
	if _, err := os.Stat("audit/node_modules/graphql-http"); errors.Is(err, fs.ErrNotExist) {
		run(t, "audit", "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	}
	var result struct {
		Audits        []audit
		Introspection string
	}
	if err := json.Unmarshal(run(t, "audit", "node", "audit.mjs", url), &result); err != nil {
		t.Fatalf("audit.mjs printed no JSON: %v", err)
	}
	return result.Audits, result.Introspection
}

func run(t *testing.T, dir, program string, args ...string) []byte {
	t.Helper()
	var stdout, stderr bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s%s", cmd.Args, err, &stdout, &stderr)
	}
	return stdout.Bytes()
}
