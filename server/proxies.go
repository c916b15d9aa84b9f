package server

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// located lets everything behind it see in r.RemoteAddr where a request comes from. What a proxy says of that is believed if the
// proxy is trusted, and then no further than to the first address, from the right, that is none of a trusted proxy: what stands
// left of it anybody may have written.
func (s *Server) located(next http.Handler) http.Handler {
	if len(s.config.Proxies) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(r.Context()) // a copy
		r.RemoteAddr = s.origin(r.RemoteAddr, r.Header.Values("X-Forwarded-For"))
		next.ServeHTTP(w, r)
	})
}

func (s *Server) origin(address string, forwarded []string) string {
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for _, hop := range slices.Backward(hops) {
		if ip, ok := parseHop(address); !ok || !s.trusts(ip) {
			break
		}
		ip, ok := parseHop(strings.TrimSpace(hop))
		if !ok {
			break // the proxy that said so is as far as it goes
		}
		address = ip.String()
	}
	return address
}

func (s *Server) trusts(ip netip.Addr) bool {
	return slices.ContainsFunc(s.config.Proxies, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// parseHop reads an address, which some proxies write with a port.
func parseHop(text string) (netip.Addr, bool) {
	if port, err := netip.ParseAddrPort(text); err == nil {
		return port.Addr().Unmap().WithZone(""), true
	}
	ip, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return ip.Unmap().WithZone(""), err == nil
}
