package rest

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// parseBase reads a base URL. Its errors do not repeat it, because people put credentials into URLs.
func parseBase(text string) (*url.URL, error) {
	base, err := url.Parse(text)
	switch {
	case err != nil || base.Opaque != "" || base.Hostname() == "":
		return nil, errors.New("not an absolute URL, like https://api.example.com")
	case base.User != nil:
		return nil, errors.New("the URL holds a user name or password, which has settings of its own")
	case base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return nil, errors.New("the URL has a query or a fragment")
	case base.Scheme != "https" && (base.Scheme != "http" || !loopback(base.Hostname())):
		return nil, errors.New("the URL is not https, and http is for loopback addresses only")
	}
	escaped := strings.TrimSuffix(base.EscapedPath(), "/")
	for part := range strings.SplitSeq(strings.TrimPrefix(escaped, "/"), "/") {
		if plain, err := url.PathUnescape(part); escaped != "" && (err != nil || !usablePart(plain)) {
			return nil, errors.New("the URL's path has an empty part, or one of dots")
		}
	}
	plain := strings.TrimSuffix(base.Path, "/")
	return &url.URL{Scheme: base.Scheme, Host: strings.ToLower(base.Host), Path: plain, RawPath: escaped}, nil
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// target is the call's URL; not ok when a part cannot be one.
func (a *API) target(call Call) (target *url.URL, ok bool) {
	plain, escaped := a.base.Path, a.base.EscapedPath()
	for _, part := range call.Path {
		if !usablePart(part) {
			return nil, false
		}
		plain += "/" + part
		escaped += "/" + url.PathEscape(part)
	}
	return &url.URL{
		Scheme: a.base.Scheme, Host: a.base.Host,
		Path: plain, RawPath: escaped, RawQuery: call.Query.Encode(),
	}, true
}

// usablePart refuses what could end in another path, also at a server that decodes a path before it splits it.
func usablePart(part string) bool {
	if part == "" {
		return false
	}
	for _, segment := range strings.FieldsFunc(part, func(r rune) bool { return r == '/' || r == '\\' }) {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// validHeaderValue tells whether net/http would send the value; its own error comes too late, with the first call.
func validHeaderValue(value string) bool {
	for _, b := range []byte(value) {
		if b < ' ' && b != '\t' || b == 0x7f {
			return false
		}
	}
	return true
}
