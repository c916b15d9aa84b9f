package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	// tooLate is what no hostile request may take, on a machine that has much else to do, watched by the race detector. The goal
	// is 20 ms, and benchmarks show it.
	tooLate = 10 * time.Second
	// tooLong is what no answer to one may be, in bytes.
	tooLong = 10_000
)

// quiet are settings of a server that asks its provider for nothing by itself.
const quiet = "sweep: 'off'\nevents: 'off'\n"

// besieged is the program under attack: with callers, of whom the attacker is one, over an emulated provider.
type besieged struct {
	*running
	provider *running
	key      string
}

func besiege(t *testing.T, settings string) *besieged {
	t.Helper()
	b := &besieged{provider: start(t, nil, "emulate", "ionos")}
	var config string
	b.key, config = madeKey(t, "attacker")
	config = regexp.MustCompile(`permissions: .*`).ReplaceAllString(config, "permissions: [TOKENS_READ, TOKENS_WRITE, TOKENS_DELETE, EVENTS_READ]")
	path := filepath.Join(t.TempDir(), "regtok.yaml")
	writeFile(t, path, fmt.Sprintf("log_level: debug\n%saccounts:\n- {provider: ionos, token: %s, base_url: '%s'}\n%s", settings, canary, b.provider.url, config))
	b.running = start(t, nil, "serve", "-c", path)
	return b
}

// idle wants what was attacked to have asked its provider for nothing, if nothing else makes it do so.
func (b *besieged) idle(t *testing.T) {
	t.Helper()
	if sent := requests(t, b.provider.url).Total; sent != 0 {
		t.Errorf("%d requests went to the provider", sent)
	}
}

// unharmed wants it to go on serving, and to have told nobody what it holds.
func (b *besieged) unharmed(t *testing.T) {
	t.Helper()
	status, said := with(t, http.MethodPost, b.url+"/graphql", "Bearer "+b.key, `{"query":"{ viewer { subject } tokens { totalCount } }"}`)
	if status != http.StatusOK || !strings.Contains(said, `"subject":"attacker"`) || strings.Contains(said, `"errors"`) {
		t.Errorf("afterwards a good request was answered %d %s", status, said)
	}
	log := b.stdout.String() + b.stderr.String()
	for _, never := range []string{b.key, canary, `"level":"ERROR"`, "panic", "goroutine "} {
		if strings.Contains(log, never) {
			t.Errorf("the log holds %s", never)
		}
	}
}

// dial opens a connection, which fails when all takes too long.
func (b *besieged) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(tooLate)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// filled is a text with the server's address and the attacker's key in their places.
func (b *besieged) filled(text string) string {
	return strings.NewReplacer("HOST", strings.TrimPrefix(b.url, "http://"), "KEY", b.key).Replace(text)
}

// attack is a request as it goes over the line, and its right answer.
type attack struct {
	name   string
	raw    string // with HOST and KEY for the server's address and the attacker's key
	status int
	code   string // of every error in the answer; empty: the answer is not of this API
}

// request is a whole one, of a caller who is known. Header lines that are given stand beside those, or instead of them; a
// line without a value leaves a header out.
func request(method, target, body string, lines ...string) string {
	headers := []string{"Host: HOST", "Authorization: Bearer KEY", "Content-Type: application/json", fmt.Sprintf("Content-Length: %d", len(body))}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		headers = slices.DeleteFunc(headers, func(header string) bool { return strings.HasPrefix(header, name+":") })
		if value != "" {
			headers = append(headers, line)
		}
	}
	return method + " " + target + " HTTP/1.1\r\n" + strings.Join(headers, "\r\n") + "\r\n\r\n" + body
}

func posted(body string, lines ...string) string {
	return request(http.MethodPost, "/graphql", body, lines...)
}

// on sends an attack over a connection of its own, and wants its right answer.
func (a attack) on(t *testing.T, b *besieged) {
	t.Helper()
	conn := b.dial(t)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(conn, b.filled(a.raw)) // as far as it is read
	}()
	defer func() { _ = conn.Close(); <-sent }()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer response.Body.Close()
	said, err := io.ReadAll(io.LimitReader(response.Body, tooLong+1))
	if err != nil {
		t.Errorf("the answer broke off: %v", err)
	}
	if response.StatusCode != a.status || len(said) > tooLong || strings.Contains(string(said), b.key) || strings.Contains(string(said), canary) {
		t.Errorf("answered %d, %d bytes: %.300s; want %d, and nothing of what is secret", response.StatusCode, len(said), said, a.status)
	}
	if got := codes(said); a.code != "" && (len(got) == 0 || slices.ContainsFunc(got, func(code string) bool { return code != a.code })) {
		t.Errorf("answered %.300s, with the codes %q, want %s", said, got, a.code)
	}
	if a.code != "" && response.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("a browser may guess what %v is", response.Header)
	}
}

// codes are those of all errors of an answer; one without any is "none".
func codes(said []byte) (found []string) {
	var answer struct {
		Errors []struct{ Extensions struct{ Code string } }
	}
	if json.Unmarshal(said, &answer) != nil {
		return nil
	}
	for _, err := range answer.Errors {
		if err.Extensions.Code == "" {
			err.Extensions.Code = "none"
		}
		found = append(found, err.Extensions.Code)
	}
	return found
}

func TestHostileRequestsGetTheRightAnswer(t *testing.T) {
	b := besiege(t, quiet)
	for _, a := range slices.Concat(hostileHTTP(), hostileCredentials(), hostileBodies(), hostileDocuments(), hostileValues(), hostileUpgrades()) {
		t.Run(a.name, func(t *testing.T) { a.on(t, b) })
	}
	b.idle(t)
	b.unharmed(t)
}

// many joins n texts made by format, which gets the number.
func many(n int, format string) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, format, i)
	}
	return text.String()
}
