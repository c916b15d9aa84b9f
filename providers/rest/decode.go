package rest

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"regtok/providers"
)

// encode marshals a request's body; nil makes no body. Failing is the input's fault: a year of five digits, for one.
func encode(body any) (io.Reader, error) {
	if body == nil {
		return nil, nil
	}
	var text bytes.Buffer
	encoder := stdjson.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return nil, errMarshal
	}
	return bytes.NewReader(bytes.TrimSuffix(text.Bytes(), []byte("\n"))), nil
}

// decode reads the answer's body into out while it streams in.
func (a *API) decode(ctx context.Context, call Call, m *marks, resp *http.Response, out any) *providers.Error {
	err := errTooLarge
	if resp.ContentLength <= a.maxBody {
		err = decodeJSON(resp.Body, a.maxBody, out)
	}
	if err == nil {
		return nil
	}
	m.nonsense.Store(true)
	return unreadable(call.write(), resp.StatusCode, ctx.Err(), err)
}

// ignore reads a body that nobody wants. A page for people is not the provider's answer but somebody's in between, a proxy's
// login for one, and its status says nothing.
func ignore(call Call, m *marks, resp *http.Response) *providers.Error {
	_, _ = io.CopyN(io.Discard, resp.Body, maxDrain)
	media, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(media), "text/html") {
		return nil
	}
	m.nonsense.Store(true)
	return unreadable(call.write(), resp.StatusCode, nil, errNonsense)
}

// decodeJSON reads exactly one JSON value of at most limit bytes. Its errors hold nothing of the body; those of
// reading it are passed on when they are time-outs.
func decodeJSON(body io.Reader, limit int64, out any) error {
	in := &bounded{body: body, left: limit}
	// Vendors may add fields, repeat names and cut a text in the middle of a rune: none of it is worth a failed list.
	err := json.UnmarshalRead(in, out, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	switch {
	case in.failed != nil:
		return in.failed
	case in.first == 0:
		return errEmpty
	case err != nil:
		return shape(err)
	case in.first == 'n':
		return errNull
	}
	return nil
}

// shape says what is wrong with a body without repeating any of it.
func shape(err error) error {
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		return fmt.Errorf("JSON of another shape at byte %d: %v where %v belongs",
			semantic.ByteOffset, semantic.JSONKind, semantic.GoType)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return fmt.Errorf("not one JSON value, at byte %d", syntactic.ByteOffset)
	}
	return errors.New("not JSON")
}

// bounded reads a body up to a limit and remembers what a decoder does not tell.
type bounded struct {
	body io.Reader
	left int64
	// first is the first byte that is no white space; 0: none came.
	first byte
	// end is what the body ended with; failed is why it is not whole.
	end, failed error
}

// Read fills p as far as the body goes: a decoder that gets crumbs looks at a long text again for each of them.
func (b *bounded) Read(p []byte) (int, error) {
	// One byte more than allowed tells a body that ends in time from one that does not.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n := 0
	for n < len(p) && b.end == nil {
		var read int
		read, b.end = b.body.Read(p[n:])
		n += read
	}
	switch {
	case int64(n) > b.left:
		n, b.end, b.failed = int(b.left), errTooLarge, errTooLarge
	case b.failed == nil && b.end != nil && !errors.Is(b.end, io.EOF):
		b.failed = readError(b.end)
	}
	b.left -= int64(n)
	if b.first == 0 {
		if text := bytes.TrimLeft(p[:n], " \t\r\n"); len(text) > 0 {
			b.first = text[0]
		}
	}
	if n > 0 {
		return n, nil
	}
	return 0, b.end
}
