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
	return c, c.Renew()
}

// Renew reads both files again, for connections that begin after it. When they make no pair the old one stays in use. Errors hold
// nothing of the files, and not where the key is.
func (c *Certificate) Renew() error {
	certificate, err := readPEM("the certificate", c.files.Certificate)
	if err != nil {
		return err
	}
	key, err := readPEM("the key", c.files.Key)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return fmt.Errorf("the certificate and the key do not make a pair: %w", err)
	}
	if end := pair.Leaf.NotAfter; !time.Now().Before(end) {
		return fmt.Errorf("the certificate ended on %s", end.UTC().Format(time.DateOnly))
	}
	c.now.Store(&pair)
	return nil
}

// Until is when the certificate that is in use ends.
func (c *Certificate) Until() time.Time { return c.now.Load().Leaf.NotAfter }

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
