package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// longestIssuerAnswer bounds what is read of an issuer, in bytes.
const longestIssuerAnswer = 1 << 20

// renewPause is how soon an issuer that did not answer is asked again whether its keys still are its keys.
const renewPause = time.Minute

// errIssuer is in each error that is the issuer's fault, or the network's.
var errIssuer = errors.New("the issuer of tokens does not answer")

// keySets are the issuer's keys, and those before if these have not verified anything yet. The issuer is asked where they are
// when that is not known, or not for sure. Only who comes first then waits, unless nothing is known.
func (i *Issuer) keySets(ctx context.Context) (keys, before oidc.KeySet, err error) {
	keys, before, fresh := i.known()
	switch {
	case fresh:
		return keys, before, nil
	case keys == nil:
		i.asks.Lock()
	case !i.asks.TryLock():
		return keys, before, nil
	}
	defer i.asks.Unlock()
	if keys, before, fresh = i.known(); fresh { // somebody was faster
		return keys, before, nil
	}
	// Who asks may leave; the others still want to know.
	provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), i.client), i.config.URL)
	var said struct {
		Keys string `json:"jwks_uri"`
	}
	if err == nil {
		err = provider.Claims(&said)
	}
	if err == nil {
		err = checkURL(said.Keys)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case err == nil:
		if i.before == nil { // else these are still the last that verified something
			i.before = i.keys
		}
		i.keys = oidc.NewRemoteKeySet(oidc.ClientContext(context.WithoutCancel(ctx), i.client), said.Keys)
		i.renewed = time.Now()
	case i.keys == nil:
		return nil, nil, fmt.Errorf("%w: %w", errIssuer, err)
	default:
		i.renewed = time.Now().Add(renewPause - i.config.Renew)
	}
	return i.keys, i.before, nil
}

func (i *Issuer) known() (keys, before oidc.KeySet, fresh bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.keys, i.before, i.keys != nil && time.Since(i.renewed) < i.config.Renew
}

// trust forgets the keys before these, which have verified something.
func (i *Issuer) trust(keys oidc.KeySet) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.keys == keys {
		i.before = nil
	}
}

// checkURL keeps keys from being read, or changed, on the way.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return errors.New("an issuer's address looks like https://login.example.com")
	}
	ip, err := netip.ParseAddr(u.Hostname())
	local := u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return errors.New("an issuer is asked by https, so that nobody on the way has a say in its keys")
	}
	return nil
}

// sparing asks for each address once in a while, whatever callers present: in between it gives the last answer again, or
// tells that there was none. Safe for concurrent use.
type sparing struct {
	transport http.RoundTripper
	pause     time.Duration

	mu   sync.Mutex
	last map[string]*lastAnswer // an issuer has two addresses
}

// lastAnswer is what an address answered last.
type lastAnswer struct {
	mu     sync.Mutex // held while it is asked
	at     time.Time
	header http.Header
	body   []byte
	err    error
}

func newSparing(pause time.Duration) *sparing {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: issuerPatience, DisableKeepAlives: true, // it is asked too seldom for these
	}
	return &sparing{transport: transport, pause: pause, last: map[string]*lastAnswer{}}
}

// RoundTrip implements http.RoundTripper, for what go-oidc asks: by GET, and with nothing that matters in headers.
func (s *sparing) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	last := s.last[r.URL.String()]
	if last == nil {
		last = &lastAnswer{}
		s.last[r.URL.String()] = last
	}
	s.mu.Unlock()
	last.mu.Lock()
	defer last.mu.Unlock()
	if last.at.IsZero() || time.Since(last.at) >= s.pause {
		last.header, last.body, last.err = s.ask(r)
		last.at = time.Now()
	}
	if last.err != nil {
		return nil, fmt.Errorf("%w: %w", errIssuer, last.err)
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: last.header.Clone(), Body: io.NopCloser(bytes.NewReader(last.body)), ContentLength: int64(len(last.body)), Request: r,
	}, nil
}

// ask reads a whole answer. Nothing of one that makes no sense is in the error.
func (s *sparing) ask(r *http.Request) (http.Header, []byte, error) {
	response, err := s.transport.RoundTrip(r)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("it answers %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, longestIssuerAnswer+1))
	switch {
	case err != nil:
		return nil, nil, err
	case len(body) > longestIssuerAnswer:
		return nil, nil, errors.New("it answers more than a megabyte")
	case !json.Valid(body):
		return nil, nil, errors.New("it answers something that is no JSON")
	}
	return response.Header, body, nil
}
