package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain allows for the client of Redis, which looks for one that was away for up to a second after its end.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

// patience is how long one step may take on a busy machine.
const patience = time.Minute

// running is the program, running in this process.
type running struct {
	stdout, stderr *book
	// url is where it serves: the emulator's for emulate, the API's for the others.
	url    string
	cancel context.CancelFunc
	code   chan int
}

// serving matches what each command says when it serves.
var serving = regexp.MustCompile(`"address":"([^"]+)"|is emulated at http://(\S+)`)

// start runs the program with args on a free port, and waits until it serves. It ends with the test.
func start(t testing.TB, env map[string]string, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{stdout: newBook(), stderr: newBook(), cancel: cancel, code: make(chan int, 1)}
	both := args[0] == "emulate"
	args = append(args, "--listen=127.0.0.1:0")
	go func() {
		r.code <- run(ctx, args, func(name string) string { return env[name] }, r.stdout, r.stderr)
	}()
	t.Cleanup(func() { r.end(t) })
	said := r.stderr
	if both {
		said = r.stdout
	}
	found := said.await(t, serving)
	r.url = "http://" + cmp.Or(found[1], found[2])
	return r
}

// end tells the program to end and returns its exit code.
func (r *running) end(t testing.TB) int {
	t.Helper()
	r.cancel()
	select {
	case code := <-r.code:
		r.code <- code // for whoever asks again
		return code
	case <-time.After(patience):
		t.Fatalf("the program did not end; it said %s %s", r.stdout, r.stderr)
		return 0
	}
}

// refused runs the program where it is meant to refuse, and returns what it said and its exit code.
func refused(t testing.TB, env map[string]string, args ...string) (said string, code int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // should it start, it ends at once
	var stdout, stderr bytes.Buffer
	code = run(ctx, args, func(name string) string { return env[name] }, &stdout, &stderr)
	if stdout.Len() > 0 {
		t.Errorf("%q said %s on standard output", args, &stdout)
	}
	return stderr.String(), code
}

// output runs the program to its end and returns what it wrote.
func output(t testing.TB, env map[string]string, args ...string) (written string, code int) {
	t.Helper()
	var both bytes.Buffer
	code = run(t.Context(), args, func(name string) string { return env[name] }, &both, &both)
	return both.String(), code
}

// answer is what the API says.
type answer struct {
	Data   map[string]any
	Errors []map[string]any
}

// ask sends a query to an API.
func ask(t testing.TB, url, query string) answer {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	text := do(t, http.MethodPost, url+"/graphql", body)
	var got answer
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%s answered %s: %v", query, text, err)
	}
	return got
}

// do sends a request on a connection of its own and returns the body of a successful answer.
func do(t testing.TB, method, url string, body []byte) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode >= 300 {
		t.Fatalf("%s %s answered %d %s", method, url, response.StatusCode, text)
	}
	return string(text)
}

// book collects what the program writes.
type book struct {
	mu      sync.Mutex
	text    strings.Builder
	written chan struct{} // closed at the next write
}

func newBook() *book { return &book{written: make(chan struct{})} }

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.written)
	b.written = make(chan struct{})
	return b.text.Write(p)
}

func (b *book) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// await waits until the pattern stands in the book and returns its groups.
func (b *book) await(t testing.TB, pattern *regexp.Regexp) []string {
	t.Helper()
	late := time.After(patience)
	for {
		b.mu.Lock()
		text, written := b.text.String(), b.written
		b.mu.Unlock()
		if found := pattern.FindStringSubmatch(text); found != nil {
			return found
		}
		select {
		case <-written:
		case <-late:
			t.Fatalf("the program said %q, want %s", text, pattern)
		}
	}
}
