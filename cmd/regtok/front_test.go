package main

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"regtok/redistest"
)

func TestTLSNeedsACertificateAndItsKey(t *testing.T) {
	authority := redistest.NewAuthority(t)
	for name, test := range map[string]struct{ cert, key, want string }{
		"a certificate alone": {authority.Cert, "", "--tls-cert (REGTOK_TLS_CERT) is given without --tls-key (REGTOK_TLS_KEY): TLS needs both"},
		"a key alone":         {"", authority.Key, "--tls-key (REGTOK_TLS_KEY) is given without --tls-cert (REGTOK_TLS_CERT): TLS needs both"},
		"two keys":            {authority.Key, authority.Key, "--tls-cert (REGTOK_TLS_CERT), --tls-key (REGTOK_TLS_KEY): the certificate and the key do not make a pair: "},
	} {
		said, code := refused(t, map[string]string{"REGTOK_TLS_CERT": test.cert, "REGTOK_TLS_KEY": test.key}, "demo", "--listen=127.0.0.1:0")
		if code != 2 || !strings.Contains(said, test.want) {
			t.Errorf("%s: exit %d, %s, want %s", name, code, said, test.want)
		}
	}
}

func TestTheDemoOverTLS(t *testing.T) {
	authority := redistest.NewAuthority(t)
	demo := start(t, nil, "demo", "--tls-cert="+authority.Cert, "--tls-key="+authority.Key)
	named := demo.stdout.await(t, regexp.MustCompile(`GraphQL: +(\S+)`))[1]
	if !strings.HasPrefix(named, "https://") {
		t.Errorf("it says that it is at %s", named)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true} // the certificate is server's to test
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Post(named, "application/json", strings.NewReader(`{"query": "{ viewer { subject } }"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || response.ProtoMajor != 2 {
		t.Errorf("answered %s by %s", response.Status, response.Proto)
	}
}

func TestAnOpenAddressWithoutTLSIsWarnedOfOnce(t *testing.T) {
	outside, inside := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 8080}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}
	proxy := proxyRanges{netip.MustParsePrefix("10.0.0.0/8")}
	for _, test := range []struct {
		name    string
		front   frontSettings
		address net.Addr
		warned  bool
	}{
		{"reached from outside", frontSettings{}, outside, true},
		{"reached from everywhere", frontSettings{}, &net.TCPAddr{IP: net.IPv6zero, Port: 8080}, true},
		{"reached from this machine", frontSettings{}, inside, false},
		{"with TLS", frontSettings{TLSCert: "tls.crt"}, outside, false},
		{"behind a proxy", frontSettings{TrustedProxies: proxy}, outside, false},
	} {
		var book bytes.Buffer
		test.front.warn(slog.New(slog.NewTextHandler(&book, nil)), test.address)
		if warned := strings.Contains(book.String(), "--tls-cert"); warned != test.warned || strings.Count(book.String(), "\n") > 1 {
			t.Errorf("%s: %q, want a warning: %t", test.name, book.String(), test.warned)
		}
	}
}

func TestRefusedCallersAreToldByWhereTheyAre(t *testing.T) {
	_, callers := madeKey(t, "ci")
	config := t.TempDir() + "/regtok.yaml"
	writeFile(t, config, "sweep: off\nevents: off\n"+callers)
	server := start(t, map[string]string{"BUILDKITE_API_TOKEN": "never sent"}, "serve", "--config="+config, "--trusted-proxies=127.0.0.1")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.url+"/graphql", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer wrong")
	r.Header.Set("X-Forwarded-For", "198.51.100.7, 192.0.2.1")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	server.stderr.await(t, regexp.MustCompile(`"a caller was not admitted","from":"192\.0\.2\.1"`))
}

func TestTheDemoRefusesAnOpenAddressInItsOwnWords(t *testing.T) {
	said, code := refused(t, nil, "demo", "--listen=0.0.0.0:8080")
	if want := `"0.0.0.0:8080" can be reached from other machines, and the demo lets in whoever reaches it`; code != 2 || !strings.Contains(said, want) || strings.Contains(said, "keys new") {
		t.Errorf("exit %d, %s, want %s", code, said, want)
	}
}
