package rest

import (
	"net/http"
	"testing"
)

// closer counts how often its idle connections are closed.
type closer struct{ closed int }

func (*closer) RoundTrip(*http.Request) (*http.Response, error) { return nil, http.ErrServerClosed }

func (c *closer) CloseIdleConnections() { c.closed++ }

func TestAClientClosesTheIdleConnectionsBelowTheTransport(t *testing.T) {
	base := &closer{}
	client := http.Client{Transport: NewTransport(TransportConfig{Base: base})}
	client.CloseIdleConnections()
	if base.closed != 1 {
		t.Errorf("closed %d times, want once", base.closed)
	}
	plain := struct{ http.RoundTripper }{base} // has no connections of its own
	NewTransport(TransportConfig{Base: plain}).CloseIdleConnections()
	if base.closed != 1 {
		t.Errorf("closed %d times, want once still", base.closed)
	}
}
