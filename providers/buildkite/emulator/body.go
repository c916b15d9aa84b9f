package emulator

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

// maxBody bounds a request's body in bytes.
const maxBody = 1 << 20

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, tooLarge()
	}
	if err != nil {
		return nil, malformed()
	}
	return body, nil
}

// properties are the body's, each present, null, or absent.
type properties map[string]json.RawMessage

// properties reads the body. Forms are not read at all, so they have no properties, and neither has an empty body.
func (c *call) properties() (properties, *refusal) {
	media := c.request.Header.Get("Content-Type")
	if media != "" {
		if parsed, _, err := mime.ParseMediaType(media); err != nil || parsed != "application/json" {
			return nil, nil
		}
	}
	if len(c.body) == 0 {
		return nil, nil
	}
	var p properties
	if err := json.Unmarshal(c.body, &p); err != nil || p == nil {
		return nil, malformed()
	}
	return p, nil
}

// has tells whether the property was given, as null or as a value.
func (p properties) has(name string) bool {
	_, ok := p[name]
	return ok
}

// text reads a property that is a text, null or absent; the latter two are nil.
func (c *call) text(p properties, name string) (*string, *refusal) {
	raw, ok := p[name]
	if !ok {
		return nil, nil
	}
	var text *string
	if json.Unmarshal(raw, &text) != nil {
		return nil, c.invalid(name, "invalid", "must be a string")
	}
	return text, nil
}

// textOr reads a text that may be null; an absent one stays as it was.
func (c *call) textOr(p properties, name string, before *string) (*string, *refusal) {
	if !p.has(name) {
		return before, nil
	}
	return c.text(p, name)
}

// requiredText reads a text that must say something.
func (c *call) requiredText(p properties, name string) (string, *refusal) {
	text, refused := c.text(p, name)
	if refused != nil {
		return "", refused
	}
	if text == nil || strings.TrimSpace(*text) == "" {
		return "", c.blank(name)
	}
	return *text, nil
}
