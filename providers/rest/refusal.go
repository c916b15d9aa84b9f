package rest

import (
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"regtok/providers"
)

const (
	maxMessage = 500
	maxWord    = 100
	// minCredential keeps a senseless, short credential from being blacked out of ordinary words.
	minCredential = 8
)

// refusal makes the error of an answer that is no success.
func (a *API) refusal(call Call, m *marks, req *http.Request, resp *http.Response) *providers.Error {
	e := &providers.Error{Status: resp.StatusCode}
	e.Kind, e.Reason = statusKind(resp.StatusCode, call.write())
	if resp.StatusCode < 400 {
		m.nonsense.Store(true)
		e.Err = errRedirect
		return e
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	var told Explanation
	if a.explain != nil {
		told = a.explain(resp.StatusCode, resp.Header, body)
	}
	// Revealed already, where the header was written.
	authorization := req.Header.Get("Authorization")
	e.Message = cleanMessage(redact(told.Message, authorization))
	e.Field = word(redact(told.Field, authorization))
	if e.Kind == providers.RateLimited || resp.StatusCode >= 500 {
		e.RetryAfter = firstPositive(told.RetryAfter, retryAfter(resp.Header, time.Now()), m.wait)
	}
	if e.Kind == providers.Forbidden {
		e.RequiredScope = word(redact(told.RequiredScope, authorization))
		if e.RequiredScope == "" {
			e.RequiredScope = call.RequiredScope
		}
	}
	return e
}

func firstPositive(waits ...time.Duration) time.Duration {
	for _, wait := range waits {
		if wait > 0 {
			return wait
		}
	}
	return 0
}

// redact blacks out this server's own credential, should a vendor repeat it.
func redact(text, authorization string) string {
	_, credential, _ := strings.Cut(authorization, " ")
	if len(credential) < minCredential {
		return text
	}
	return strings.ReplaceAll(text, credential, "[redacted]")
}

// cleanMessage makes one line of valid text without control or invisible characters, cut to 500 bytes.
func cleanMessage(text string) string {
	if len(text) > 4*maxMessage {
		text = text[:4*maxMessage]
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case r == utf8.RuneError || unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= maxMessage {
		return text
	}
	cut := maxMessage
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return strings.TrimRight(text[:cut], " ")
}

// word lets through what can be a field's or a right's name, because both are printed in logs.
func word(text string) string {
	if len(text) > maxWord {
		return ""
	}
	for _, r := range text {
		if !strings.ContainsRune("_-.:/[]", r) && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)) {
			return ""
		}
	}
	return text
}
