package server

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"regtok/auth"
	"regtok/codes"
)

// inAddresses are names under which people put keys into addresses, which logs, proxies and histories of browsers keep.
var inAddresses = []string{"access_token", "api_key", "apikey", "authorization", "key", "token"}

// known admits callers, and puts them into the request's context. Where sockets are opened, whoever asks for one may bring the
// credential with connection_init instead, since pages cannot send headers with that: until then they are nobody.
func (s *Server) known(sockets bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.config.Callers == nil {
			next.ServeHTTP(w, r.WithContext(auth.NewContext(r.Context(), auth.Local())))
			return
		}
		if wrong := wrongAddress(r); wrong != "" {
			refuse(w, r, http.StatusBadRequest, codes.BadRequest, wrong)
			return
		}
		ctx := auth.NewAddressContext(r.Context(), r.RemoteAddr)
		presented := r.Header.Values("Authorization")
		if sockets && len(presented) == 0 && upgrades(r) {
			next.ServeHTTP(w, r.WithContext(ctx))
			return
		}
		viewer, err := s.config.Callers.Admit(ctx, strings.Join(presented, ", ")) // two are no credential
		if err != nil {
			unadmitted(w, r, err)
			return
		}
		admitted(ctx, viewer)
		next.ServeHTTP(w, r.WithContext(auth.NewContext(ctx, viewer)))
	})
}

// permitted lets those callers pass who hold the permission.
func (s *Server) permitted(permission auth.Permission, next http.Handler) http.Handler {
	return s.known(false, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !auth.FromContext(r.Context()).May(permission) {
			refuse(w, r, http.StatusForbidden, codes.Forbidden, "this needs the permission "+string(permission)+", which you do not have")
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// upgrades tells whether a request asks for a WebSocket.
func upgrades(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// wrongAddress is what is wrong with a request's parameters; empty: nothing. Of what cannot be read nobody knows whether it holds
// a key.
func wrongAddress(r *http.Request) string {
	parameters, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "the parameters of this address cannot be read, or are very many"
	}
	for name := range parameters {
		if slices.Contains(inAddresses, strings.ToLower(name)) {
			return "keys do not belong into addresses, which are logged on their way: send Authorization: Bearer, and make a new key, since this one may have been seen"
		}
	}
	return ""
}

// unadmitted answers whoever was not admitted.
func unadmitted(w http.ResponseWriter, r *http.Request, err error) {
	refused, ok := errors.AsType[*auth.Error](err)
	if !ok {
		panic("server: callers are refused with *auth.Error")
	}
	switch refused.Reason {
	case auth.Unavailable:
		w.Header().Set("Retry-After", "10")
		refuse(w, r, http.StatusServiceUnavailable, codes.Unavailable, refused.Message)
		return
	case auth.Missing:
		w.Header().Set("WWW-Authenticate", `Bearer realm="regtok"`)
	default:
		w.Header().Set("WWW-Authenticate", `Bearer realm="regtok", error="invalid_token"`)
	}
	refuse(w, r, http.StatusUnauthorized, codes.Unauthenticated, refused.Message)
}
