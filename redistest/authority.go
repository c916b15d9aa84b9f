package redistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority signs certificates. Servers that it starts speak TLS only, also with each other, and ask whoever comes for
// a certificate that it signed. A nil Authority starts servers without TLS.
type Authority struct {
	// CA, Cert and Key are paths of PEM files: its own certificate, and one of 127.0.0.1 with its key, which is good for
	// servers and for clients.
	CA, Cert, Key string
	config        *tls.Config
}

// NewAuthority makes one, whose files go with the test.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	dir := t.TempDir()
	a := &Authority{CA: filepath.Join(dir, "ca.pem"), Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "an authority for tests"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "a server for tests"},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	caKey, leafKey := newKey(t), newKey(t)
	sign(t, a.CA, ca, ca, caKey, caKey)
	sign(t, a.Cert, leaf, ca, leafKey, caKey)
	text, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, a.Key, "PRIVATE KEY", text)
	pair, err := tls.LoadX509KeyPair(a.Cert, a.Key)
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := os.ReadFile(a.CA)
	if err != nil {
		t.Fatal(err)
	}
	a.config = &tls.Config{RootCAs: x509.NewCertPool(), Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	a.config.RootCAs.AppendCertsFromPEM(trusted)
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign writes a certificate of key's, which parent signs.
func sign(t testing.TB, path string, certificate, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) {
	t.Helper()
	text, err := x509.CreateCertificate(rand.Reader, certificate, parent, key.Public(), parentKey)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, path, "CERTIFICATE", text)
}

func writePEM(t testing.TB, path, kind string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: text}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// listen are a server's arguments for where it listens.
func (a *Authority) listen(host, port string) []string {
	if a == nil {
		return []string{"--bind", host, "--port", port}
	}
	return []string{"--bind", host, "--port", "0", "--tls-port", port, "--tls-replication", "yes", "--tls-cluster", "yes",
		"--tls-ca-cert-file", a.CA, "--tls-cert-file", a.Cert, "--tls-key-file", a.Key}
}

// clientConfig is what a client needs; nil: no TLS.
func (a *Authority) clientConfig() *tls.Config {
	if a == nil {
		return nil
	}
	return a.config.Clone()
}

// url is an address of one kind of Redis, as settings have it.
func (a *Authority) url(kind, rest string) string {
	if a == nil {
		return "redis" + kind + "://" + rest
	}
	return "rediss" + kind + "://" + rest + "?" + url.Values{"cacert": {a.CA}, "cert": {a.Cert}, "key": {a.Key}}.Encode()
}

// dial connects to a server as a client does.
func (a *Authority) dial(addr string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: time.Second}
	if a == nil {
		return dialer.Dial("tcp", addr)
	}
	return tls.DialWithDialer(dialer, "tcp", addr, a.config)
}
