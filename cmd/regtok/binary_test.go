package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// build makes the program as the Makefile does, and returns its path.
func build(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "regtok")
	if said, err := exec.Command("go", "build", "-trimpath", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, said)
	}
	return path
}

// child is the built program, running.
type child struct {
	*exec.Cmd
	lines  *bufio.Reader
	stderr *book
}

// launch starts the program, with nothing in its environment but env.
func launch(t testing.TB, path string, env []string, args ...string) *child {
	t.Helper()
	c := &child{Cmd: exec.CommandContext(t.Context(), path, args...), stderr: newBook()}
	c.Env, c.Stderr = append([]string{"PATH=" + os.Getenv("PATH")}, env...), c.stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.lines = bufio.NewReader(out)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// until reads what the program says up to the line with that mark, and returns it all.
func (c *child) until(t testing.TB, mark string) string {
	t.Helper()
	var said strings.Builder
	for {
		line, err := c.lines.ReadString('\n')
		said.WriteString(line)
		if strings.Contains(line, mark) {
			return said.String()
		}
		if err != nil {
			_ = c.Wait()
			t.Fatalf("it ended without %q: %v\n%s%s", mark, err, &said, c.stderr)
		}
	}
}

// quit sends the signal and returns the exit code.
func (c *child) quit(t testing.TB, signal os.Signal) int {
	t.Helper()
	if err := c.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, c.lines)
	_ = c.Wait() // the code says it
	return c.ProcessState.ExitCode()
}

func TestTheBuiltProgram(t *testing.T) {
	regtok := build(t)
	t.Run("its demo prints a command that works as it is", func(t *testing.T) {
		if _, err := exec.LookPath("curl"); err != nil {
			t.Fatal("this test runs the printed command and found no curl: install it, on Debian with `apt-get install curl`")
		}
		c := launch(t, regtok, nil, "demo", "--listen=127.0.0.1:0")
		command := tried.FindStringSubmatch(c.until(t, "Ctrl-C"))
		if command == nil {
			t.Fatal("it printed no command")
		}
		text, err := exec.Command("sh", "-c", command[1]).Output()
		if err != nil {
			t.Fatalf("%s: %v", command[1], err)
		}
		var got answer
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%s answered %s: %v", command[1], text, err)
		}
		if found := providersOf(got); found["buildkite"] == 0 || found["ionos"] == 0 {
			t.Errorf("%s answered %s, want tokens of both providers", command[1], text)
		}
		begin := time.Now()
		if code := c.quit(t, syscall.SIGTERM); code != 0 {
			t.Errorf("after SIGTERM it ended with %d, saying %s", code, c.stderr)
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("after SIGTERM it took %s to end", took)
		}
	})
	t.Run("it ends at Ctrl-C", func(t *testing.T) {
		c := launch(t, regtok, nil, "emulate", "ionos", "--listen=127.0.0.1:0")
		c.until(t, "_emulator/requests")
		if code := c.quit(t, os.Interrupt); code != 0 {
			t.Errorf("it ended with %d, saying %s", code, c.stderr)
		}
	})
	t.Run("it ends at once at a second signal", func(t *testing.T) {
		c := launch(t, regtok, nil, "demo", "--listen=127.0.0.1:0", "--latency=1h", "--timeout=1h")
		said := c.until(t, "Ctrl-C")
		url := regexp.MustCompile(`GraphQL: +(\S+)`).FindStringSubmatch(said)[1]
		emulator := regexp.MustCompile(`(?m)^  (http://[0-9.:]+)  `).FindStringSubmatch(said)[1]
		cut := make(chan struct{})
		go func() {
			defer close(cut)
			response, err := http.Post(url, "application/json", strings.NewReader(`{"query":"{ tokens { totalCount } }"}`))
			if err == nil {
				_ = response.Body.Close()
			}
		}()
		begin := time.Now()
		for requests(t, emulator).Total == 0 {
			if time.Since(begin) > patience {
				t.Fatal("the query asked nobody")
			}
		}
		begin = time.Now()
		for alive := true; alive; alive = answers(url) {
			if err := c.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = io.Copy(io.Discard, c.lines)
		if err := c.Wait(); err == nil {
			t.Error("it ended as if all was well")
		}
		if took := time.Since(begin); took >= 10*time.Second {
			t.Errorf("it took %s to end, which is as long as after one signal", took)
		}
		<-cut
	})
	t.Run("its environment settles what the command line does not", func(t *testing.T) {
		c := launch(t, regtok, []string{"REGTOK_LISTEN=127.0.0.1:0", "REGTOK_TIMEOUT=", "REGTOK_LOG_FORMAT=text"}, "demo")
		c.until(t, "Ctrl-C")
		if code := c.quit(t, syscall.SIGTERM); code != 0 || !strings.Contains(c.stderr.String(), "INF serving address=127.0.0.1:") {
			t.Errorf("it ended with %d, saying %s", code, c.stderr)
		}
	})
	t.Run("a wrong setting ends it with 2", func(t *testing.T) {
		c := launch(t, regtok, []string{"REGTOK_TIMEOUT=soon"}, "demo")
		_, _ = io.Copy(io.Discard, c.lines)
		_ = c.Wait()
		want := "regtok: REGTOK_TIMEOUT: \"soon\" is not a length of time like 30s or 2m\n"
		if code := c.ProcessState.ExitCode(); code != 2 || c.stderr.String() != want {
			t.Errorf("it ended with %d, saying %q, want 2, %q", code, c.stderr, want)
		}
	})
}

// answers tells whether a server answers at all.
func answers(url string) bool {
	response, err := http.Get(url)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return true
}

// BenchmarkStart measures from starting the program to the first answer.
func BenchmarkStart(b *testing.B) {
	regtok := build(b)
	for b.Loop() {
		c := launch(b, regtok, nil, "demo", "--listen=127.0.0.1:0", "--log-level=error")
		said := c.until(b, "GraphQL:")
		url := strings.TrimSpace(said[strings.LastIndex(said, "GraphQL:")+len("GraphQL:"):])
		response, err := http.Post(url, "application/json", strings.NewReader(`{"query":"{ viewer { __typename } }"}`))
		if err != nil {
			b.Fatal(err)
		}
		_ = response.Body.Close()
		b.StopTimer()
		c.quit(b, syscall.SIGTERM)
		b.StartTimer()
	}
	http.DefaultClient.CloseIdleConnections()
}
