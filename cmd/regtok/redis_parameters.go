package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"
)

// redisParameters are what stands behind the question mark of an address of Redis.
type redisParameters map[string]string

// tlsParameters are named as redis-cli's options.
var tlsParameters = []string{"cacert", "cert", "key", "sni"}

var knownRedisParameters = append([]string{"db", "sentinel_username", "sentinel_password"}, tlsParameters...)

// parseRedisParameters takes a query apart. An unknown name is not repeated: it may be half of a password.
func parseRedisParameters(query string) (redisParameters, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, errRedisForm
	}
	parameters := redisParameters{}
	for name, given := range values {
		switch {
		case strings.HasSuffix(name, "timeout"), strings.Contains(name, "retries"), strings.Contains(name, "retry"):
			return nil, errors.New("the address sets a time or a number of tries: leave that out, regtok has its own, so that a slow Redis stops nobody")
		case name == "skip_verify", name == "insecure":
			return nil, errors.New("the server's certificate is always checked: name who signed it by cacert=FILE")
		case !slices.Contains(knownRedisParameters, name):
			return nil, errors.New("the address has a parameter that is none of " + strings.Join(knownRedisParameters, ", ") +
				"; " + escapes)
		case len(given) > 1 || given[0] == "":
			return nil, errors.New(name + " of the address needs one value")
		}
		parameters[name] = given[0]
	}
	return parameters, nil
}

func (p redisParameters) any(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return p[name] != "" })
}

// tls reads the files that the parameters name. Where they name nobody who signs certificates, those of the system do.
func (p redisParameters) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: p["sni"]}
	if path := p["cacert"]; path != "" {
		text, err := readFile(path, longestConfig)
		if err != nil {
			return nil, errors.New("cacert: the file " + why(err))
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, errors.New("cacert: the file holds no certificate in PEM")
		}
	}
	if p.any("cert", "key") {
		certificate, err := tls.LoadX509KeyPair(p["cert"], p["key"])
		if err != nil {
			return nil, errors.New("cert and key: the files have to hold a certificate and its key, both in PEM; what is there " + why(err))
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return config, nil
}

// why tells what is wrong with a file without its name, which is part of the address.
func why(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return "cannot be read: " + e.Err.Error()
	}
	if errors.Is(err, os.ErrNotExist) {
		return "does not exist"
	}
	return "does not fit"
}
