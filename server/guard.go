package server

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"regtok/codes"
	"regtok/server/requestid"
)

// guarded refuses what other people's pages make a browser send, and tells browsers to be careful with answers.
func (s *Server) guarded(next http.Handler) http.Handler {
	allowed := origins(s.config.Origins)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		// Pages set their own.
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		if !s.addressed(r.Host) {
			// A foreign name that leads here is how a page reaches servers that listen on loopback only (DNS rebinding).
			refuse(w, r, http.StatusMisdirectedRequest, codes.Misdirected,
				"this server does not go by that name: use localhost, or a name that it is configured with")
			return
		}
		if allowed.foreign(r) {
			refuse(w, r, http.StatusForbidden, codes.Forbidden, "pages of other sites may not use this server, unless their origin is configured")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// addressed tells whether a Host header names this server. Who has to present a credential gains nothing by a name: no browser
// sends it along for a foreign page.
func (s *Server) addressed(host string) bool {
	if s.config.Callers != nil && len(s.config.Hosts) == 0 {
		return true
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil && ip.IsLoopback() {
		return true
	}
	return slices.ContainsFunc(s.config.Hosts, func(name string) bool { return strings.EqualFold(name, host) })
}

// refuse answers in GraphQL's form, which every client of this server can read.
func refuse(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	type extensions struct {
		Code      string `json:"code"`
		RequestID string `json:"requestId"`
	}
	type failure struct {
		Message    string     `json:"message"`
		Extensions extensions `json:"extensions"`
	}
	body, err := json.Marshal(map[string][]failure{
		"errors": {{message, extensions{code, requestid.FromContext(r.Context())}}},
	})
	if err != nil {
		panic("server: strings do not encode: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller that is gone cannot be told
}

func acceptsHTML(r *http.Request) bool {
	return strings.Contains(strings.Join(r.Header.Values("Accept"), ","), "text/html")
}
