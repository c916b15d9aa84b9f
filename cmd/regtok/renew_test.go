package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"regtok/redistest"
)

// mounted is a folder as a cluster mounts secrets into it: what stands in it is exchanged as a whole, by a link.
type mounted struct {
	t    testing.TB
	dir  string
	last int
}

func newMounted(t testing.TB, text string) *mounted {
	t.Helper()
	m := &mounted{t: t, dir: t.TempDir()}
	m.exchange(text)
	if err := os.Symlink(filepath.Join("..data", "token"), m.path()); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *mounted) path() string { return filepath.Join(m.dir, "token") }

func (m *mounted) exchange(text string) {
	m.t.Helper()
	m.last++
	version := fmt.Sprintf("v%d", m.last)
	if err := os.Mkdir(filepath.Join(m.dir, version), 0o700); err != nil {
		m.t.Fatal(err)
	}
	writeFile(m.t, filepath.Join(m.dir, version, "token"), text)
	if err := os.Symlink(version, filepath.Join(m.dir, "next")); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(m.dir, "next"), filepath.Join(m.dir, "..data")); err != nil {
		m.t.Fatal(err)
	}
}

// newUpstream shows each credential a Buildkite of its own, with so many registries; to others it answers 401.
func newUpstream(t testing.TB, registries map[string]int) string {
	t.Helper()
	proxies := map[string]http.Handler{}
	for credential, n := range registries {
		emulator := start(t, nil, "emulate", "buildkite", fmt.Sprintf("--registries=%d", n), "--tokens=1")
		target, err := url.Parse(emulator.url)
		if err != nil {
			t.Fatal(err)
		}
		proxies["Bearer "+credential] = httputil.NewSingleHostReverseProxy(target)
	}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if proxy := proxies[r.Header.Get("Authorization")]; proxy != nil {
			proxy.ServeHTTP(w, r)
			return
		}
		http.Error(w, `{"message": "no"}`, http.StatusUnauthorized)
	}))
	t.Cleanup(upstream.Close)
	return upstream.URL
}

// TestACredentialIsReadAgain exchanges a credential under a server whose cache is warm. What the old one saw is not shown for the
// new one, and a file that holds none changes nothing.
func TestACredentialIsReadAgain(t *testing.T) {
	const first, second = canary + "-first", canary + "-second"
	upstream, secret := newUpstream(t, map[string]int{first: 3, second: 5}), newMounted(t, first)
	config := t.TempDir() + "/regtok.yaml"
	writeFile(t, config, fmt.Sprintf("events: off\naccounts:\n- {provider: buildkite, token_file: '%s', base_url: '%s'}\n", secret.path(), upstream))
	server := start(t, nil, "serve", "--config="+config)
	wants := func(when string, want float64) {
		t.Helper()
		got := ask(t, server.url, `{ registries { totalCount unavailable { message } } }`)
		if found := got.Data["registries"].(map[string]any)["totalCount"]; len(got.Errors) > 0 || found != want {
			t.Errorf("%s it sees %v registries, want %v: %v", when, found, want, got)
		}
	}
	told := func(line string, times int) {
		t.Helper()
		server.stderr.await(t, regexp.MustCompile(fmt.Sprintf(`(?s)(%s.*){%d}`, regexp.QuoteMeta(line), times)))
	}
	const anew, kept = `begins anew with them","account":"buildkite/buildkite"`, `"what has changed cannot be used`
	wants("at the start", 3)
	secret.exchange(second + "\n")
	told(anew, 1)
	wants("with the other credential", 5)
	secret.exchange("\n")
	told(kept, 1)
	wants("with an empty file", 5)
	if err := os.Remove(secret.path()); err != nil {
		t.Fatal(err)
	}
	told(kept, 2)
	wants("without the file", 5)
	writeFile(t, secret.path(), first)
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	told(anew, 2)
	wants("with the first one again", 3)
	writeFile(t, config, "accounts: [")
	told(kept, 3)
	wants("with a configuration that is none", 3)
	server.end(t)
	if said := server.stderr.String(); strings.Contains(said, canary) {
		t.Errorf("the log holds a credential:\n%s", said)
	}
}

func TestACertificateIsReadAgain(t *testing.T) {
	before, after := redistest.NewAuthority(t), redistest.NewAuthority(t)
	cert, key := t.TempDir()+"/tls.crt", t.TempDir()+"/tls.key"
	take := func(a *redistest.Authority) {
		for to, from := range map[string]string{cert: a.Cert, key: a.Key} {
			text, err := os.ReadFile(from)
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, to, string(text))
		}
	}
	take(before)
	demo := start(t, nil, "demo", "--tls-cert="+cert, "--tls-key="+key)
	shown := func() []byte {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(demo.url, "http://"), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		return conn.ConnectionState().PeerCertificates[0].Raw
	}
	old := shown()
	writeFile(t, key, "rubbish")
	demo.stderr.await(t, regexp.MustCompile(`"what":"the certificate and its key","err":"the certificate and the key do not make a pair`))
	if !bytes.Equal(shown(), old) {
		t.Error("a bad pair is shown")
	}
	take(after)
	demo.stderr.await(t, regexp.MustCompile(`"read again after a change","what":"the certificate and its key"`))
	if bytes.Equal(shown(), old) {
		t.Error("the old certificate is shown")
	}
}

// TestWhatIsBeingWrittenIsNotTaken looks at a file in the moments in which it is written.
// spared is not ended by SIGHUP. It also lets os/signal begin outside of a bubble, whose own it would be for all other tests.
func spared(t *testing.T) {
	t.Helper()
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(hangups) })
}

func TestWhatIsBeingWrittenIsNotTaken(t *testing.T) {
	spared(t)
	synctest.Test(t, func(t *testing.T) {
		path := t.TempDir() + "/token"
		writeFile(t, path, "whole")
		var taken []string
		thing := &renewable{name: "a token", files: func() []string { return []string{path} }, renew: func() (bool, error) {
			text, err := os.ReadFile(path)
			taken = append(taken, string(text))
			return true, err
		}}
		done := inBackground(t.Context(), renewing([]*renewable{thing}, slog.New(slog.DiscardHandler)))
		defer done()
		after := func(d time.Duration) {
			time.Sleep(d)
			synctest.Wait()
		}
		after(5 * renewEvery)
		writeFile(t, path, "ha")
		after(renewEvery)
		writeFile(t, path, "half")
		after(renewEvery)
		writeFile(t, path, "half and half")
		after(5 * renewEvery)
		if got := strings.Join(taken, ", "); got != "whole, half and half" {
			t.Errorf("taken were %s", got)
		}
	})
}

// TestWhoSaysThatItIsWholeNeedNotWait: what changes at every look would otherwise never be taken.
func TestWhoSaysThatItIsWholeNeedNotWait(t *testing.T) {
	spared(t)
	path := t.TempDir() + "/token"
	looks, taken := make(chan struct{}, 100), make(chan struct{}, 100)
	count := 0
	thing := &renewable{name: "a token", files: func() []string {
		count++
		writeFile(t, path, fmt.Sprint(count))
		looks <- struct{}{}
		return []string{path}
	}, renew: func() (bool, error) { taken <- struct{}{}; return true, nil }}
	defer inBackground(t.Context(), renewing([]*renewable{thing}, slog.New(slog.DiscardHandler)))()
	<-looks // it listens to signals by now
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	select {
	case <-taken:
	case <-time.After(time.Minute):
		t.Error("it was not taken")
	}
}
