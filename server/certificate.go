package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"time"
)

// Certificate is what a server shows of itself over TLS, out of two files. It is safe for concurrent use.
type Certificate struct {
	files CertificateFiles
	now   atomic.Pointer[tls.Certificate]
}

// CertificateFiles are paths of files in PEM: of the certificate, which those of its issuers follow, and of its private key.
type CertificateFiles struct{ Certificate, Key string }

// NewCertificate reads both files.
func NewCertificate(files CertificateFiles) (*Certificate, error) {
	c := &Certificate{files: files}
	_, err := c.Renew()
	return c, err
}

// Renew reads both files again, for connections that begin after it, and tells whether the certificate is another one. When they
// make no pair the old one stays in use. Errors hold nothing of the files, and not where they are.
func (c *Certificate) Renew() (changed bool, err error) {
	certificate, err := readPEM("the certificate", c.files.Certificate)
	if err != nil {
		return false, err
	}
	key, err := readPEM("the key", c.files.Key)
	if err != nil {
		return false, err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return false, fmt.Errorf("the certificate and the key do not make a pair: %w", err)
	}
	if end := pair.Leaf.NotAfter; !time.Now().Before(end) {
		return false, fmt.Errorf("the certificate ended on %s", end.UTC().Format(time.DateOnly))
	}
	before := c.now.Swap(&pair)
	return before == nil || !before.Leaf.Equal(pair.Leaf), nil
}

// Files are the paths of what it is read from.
func (c *Certificate) Files() []string { return []string{c.files.Certificate, c.files.Key} }

// config leaves suites and curves to the library, which knows better with each of its releases.
func (c *Certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.now.Load(), nil },
	}
}

func readPEM(what, path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, fmt.Errorf("the file of %s cannot be read: %w", what, e.Err)
	}
	return text, err
}
