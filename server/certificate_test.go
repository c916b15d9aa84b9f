package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regtok/server"
)

// newPair writes a certificate of that name, and its key.
func newPair(t *testing.T, files server.CertificateFiles, name string, until time.Time) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: until.AddDate(-1, 0, 0), NotAfter: until, IsCA: true,
		BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	text, err := x509.CreateCertificate(rand.Reader, leaf, leaf, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, files.Certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: text}))
	write(t, files.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: text}))
	return pool
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func newFiles(t *testing.T) server.CertificateFiles {
	t.Helper()
	dir := t.TempDir()
	return server.CertificateFiles{Certificate: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key")}
}

// overTLS starts a server with a certificate named first.
func overTLS(t *testing.T, c server.Config) (*world, server.CertificateFiles, *http.Transport) {
	t.Helper()
	files := newFiles(t)
	pool := newPair(t, files, "first", time.Now().AddDate(0, 0, 30))
	var err error
	if c.Certificate, err = server.NewCertificate(files); err != nil {
		t.Fatal(err)
	}
	w := start(t, c)
	w.url = strings.Replace(w.url, "http:", "https:", 1)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	w.client.Transport = transport
	return w, files, transport
}

func TestOverTLS(t *testing.T) {
	w, _, transport := overTLS(t, server.Config{GraphQL: says("an answer"), Playground: says("a page")})
	got := w.do(t, http.MethodPost, "/graphql", "{}", "Origin", w.url)
	if got.text != "an answer" || got.ProtoMajor != 2 || got.TLS.Version != tls.VersionTLS13 {
		t.Errorf("answered %q by %s and TLS %x", got.text, got.Proto, got.TLS.Version)
	}
	if hsts := got.Header.Get("Strict-Transport-Security"); hsts != "max-age=31536000" {
		t.Errorf("Strict-Transport-Security = %q", hsts)
	}
	plain := w.do(t, http.MethodPost, "/graphql", "{}", "Origin", strings.Replace(w.url, "https:", "http:", 1))
	if plain.StatusCode != 403 {
		t.Errorf("a page that came without TLS is answered %d %s, want 403", plain.StatusCode, plain.text)
	}
	for version, spoken := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true} {
		config := transport.TLSClientConfig.Clone()
		config.MinVersion, config.MaxVersion = version, version
		conn, err := tls.Dial("tcp", strings.TrimPrefix(w.url, "https://"), config)
		if (err == nil) != spoken {
			t.Errorf("TLS %x: %v, want it spoken: %t", version, err, spoken)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/livez", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Long", strings.Repeat("a", 80<<10))
	response, err := w.client.Do(r)
	if err == nil {
		_ = response.Body.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "larger than peer's advertised limit") {
		t.Errorf("80 KiB of headers over HTTP/2: %v, want the server to have told its limit", err)
	}
}

func TestWhoSpeaksNoTLSRaisesNoAlarm(t *testing.T) {
	w, _, _ := overTLS(t, server.Config{GraphQL: says("an answer")})
	if _, err := io.WriteString(w.dial(t), "no greeting at all\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); !strings.Contains(w.log.String(), "TLS handshake error"); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log says %s", w.log)
		}
	}
	if said := w.log.String(); strings.Contains(said, "WARN") || !strings.Contains(said, `"level":"INFO","msg":"a connection made trouble"`) {
		t.Errorf("the log says %s", said)
	}
}

func TestACertificateIsRenewed(t *testing.T) {
	files := newFiles(t)
	pool := newPair(t, files, "first", time.Now().AddDate(0, 0, 30))
	certificate, err := server.NewCertificate(files)
	if err != nil {
		t.Fatal(err)
	}
	w := start(t, server.Config{GraphQL: says("an answer"), Certificate: certificate})
	w.url = strings.Replace(w.url, "http:", "https:", 1)
	old := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	t.Cleanup(old.CloseIdleConnections)
	name := func(transport *http.Transport) (name string, reused bool) {
		w.client.Transport = transport
		trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused }}
		r, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, w.url+"/livez", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := w.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.TLS.PeerCertificates[0].Subject.CommonName, reused
	}
	name(old)
	key, err := os.ReadFile(files.Key)
	if err != nil {
		t.Fatal(err)
	}
	pool = newPair(t, files, "second", time.Now().AddDate(0, 0, 60))
	for _, want := range []bool{true, false} {
		if changed, err := certificate.Renew(); err != nil || changed != want {
			t.Fatalf("Renew = %t, %v, want %t", changed, err, want)
		}
	}
	if got, reused := name(old); got != "first" || !reused {
		t.Errorf("a connection that was there shows %s, and is the same: %t", got, reused)
	}
	fresh := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(fresh.CloseIdleConnections)
	if got, _ := name(fresh); got != "second" {
		t.Errorf("a new connection shows %s", got)
	}

	right, err := os.ReadFile(files.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	for damage, do := range map[string]func(){
		"the key of another":          func() { write(t, files.Key, key) },
		"rubbish for a certificate":   func() { write(t, files.Certificate, []byte("rubbish")) },
		"an empty certificate":        func() { write(t, files.Certificate, nil) },
		"one that has ended":          func() { newPair(t, files, "third", time.Now().Add(-time.Hour)) },
		"a key that is gone":          func() { _ = os.Remove(files.Key) },
		"a certificate that is gone":  func() { _ = os.Remove(files.Certificate) },
		"a folder where the file was": func() { _ = os.Remove(files.Key); _ = os.Mkdir(files.Key, 0o700) },
	} {
		write(t, files.Certificate, right)
		_ = os.RemoveAll(files.Key)
		write(t, files.Key, key)
		do()
		_, err := certificate.Renew()
		if err == nil || strings.Contains(err.Error(), filepath.Dir(files.Key)) {
			t.Errorf("%s: %v, want an error without the path", damage, err)
		}
		fresh.CloseIdleConnections()
		if got, _ := name(fresh); got != "second" {
			t.Errorf("after %s it shows %s", damage, got)
		}
	}
}
