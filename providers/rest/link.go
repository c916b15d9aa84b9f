package rest

import (
	"errors"
	"net/url"
	"strings"

	"regtok/providers"
)

var (
	errLink      = errors.New("a Link header that cannot be read")
	errElsewhere = errors.New("the next page is said to be elsewhere")
)

// NextLink returns the query of the Link header's rel="next" (RFC 8288); ok is false when there is none.
// A link to another host or path than the call's own, and a header that cannot be read, is Unavailable with
// InvalidResponse: credentials never follow links, and a list is never short without an error. The scheme is not
// compared, because servers behind a proxy often tell the wrong one, and only the query is used.
func (a *API) NextLink(answer Answer, call Call) (query url.Values, ok bool, err error) {
	refuse := func(cause error) (url.Values, bool, error) {
		return nil, false, &providers.Error{
			Kind: providers.Unavailable, Reason: providers.InvalidResponse,
			Provider: a.provider, Op: call.Op, Status: answer.Status, Err: cause,
		}
	}
	own, usable := a.target(call)
	if !usable {
		return nil, false, providers.NotFoundError(a.provider, call.Op)
	}
	target, err := nextTarget(answer.Header.Values("Link"))
	if err != nil {
		return refuse(err)
	}
	if target == "" {
		return nil, false, nil
	}
	next, err := own.Parse(target)
	if err != nil || bareHost(next) != bareHost(own) || next.Path != own.Path {
		return refuse(errElsewhere)
	}
	query, err = url.ParseQuery(next.RawQuery)
	if err != nil {
		return refuse(errLink)
	}
	return query, true, nil
}

// bareHost is the host without the scheme's own port.
func bareHost(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		return strings.TrimSuffix(host, ":443")
	case "http":
		return strings.TrimSuffix(host, ":80")
	}
	return host
}

// nextTarget finds the first link with the relation "next"; empty: there is none.
func nextTarget(headers []string) (string, error) {
	for _, rest := range headers {
		for {
			rest = strings.TrimLeft(rest, " \t,")
			if rest == "" {
				break
			}
			target, relations, tail, ok := cutLink(rest)
			if !ok {
				return "", errLink
			}
			for _, relation := range strings.Fields(relations) {
				if strings.EqualFold(relation, "next") {
					return target, nil
				}
			}
			rest = tail
		}
	}
	return "", nil
}

// cutLink reads one link, `<target>; name=value; name="value"`, up to the comma after it.
func cutLink(text string) (target, relations, rest string, ok bool) {
	text, ok = strings.CutPrefix(text, "<")
	if !ok {
		return "", "", "", false
	}
	target, rest, ok = strings.Cut(text, ">")
	if !ok {
		return "", "", "", false
	}
	seen := false
	for {
		rest = strings.TrimLeft(rest, " \t")
		if rest == "" || rest[0] == ',' {
			return target, relations, rest, true
		}
		if rest[0] != ';' {
			return "", "", "", false
		}
		var name, value string
		name, value, rest, ok = cutParameter(rest[1:])
		if !ok {
			return "", "", "", false
		}
		// RFC 8288, 3.3: of several rel parameters the first counts.
		if !seen && strings.EqualFold(name, "rel") {
			relations, seen = value, true
		}
	}
}

// cutParameter reads `name`, `name=value` or `name="value"`.
func cutParameter(text string) (name, value, rest string, ok bool) {
	end := strings.IndexAny(text, "=;,")
	if end < 0 {
		end = len(text)
	}
	name, rest = strings.TrimSpace(text[:end]), text[end:]
	if !strings.HasPrefix(rest, "=") {
		return name, "", rest, true
	}
	rest = strings.TrimLeft(rest[1:], " \t")
	if strings.HasPrefix(rest, `"`) {
		value, rest, ok = cutQuoted(rest[1:])
		return name, value, rest, ok
	}
	end = strings.IndexAny(rest, ";,")
	if end < 0 {
		end = len(rest)
	}
	return name, strings.TrimSpace(rest[:end]), rest[end:], true
}

// cutQuoted reads up to the closing quote; a backslash takes the next byte as it is.
func cutQuoted(text string) (value, rest string, ok bool) {
	var plain strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			return plain.String(), text[i+1:], true
		case '\\':
			i++
			if i == len(text) {
				return "", "", false
			}
		}
		plain.WriteByte(text[i])
	}
	return "", "", false
}
