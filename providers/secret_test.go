package providers

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"text/template"
)

const canary = "canary-7f3a9c"

// holder has a secret in each place that a printer reaches by another way.
type holder struct {
	Exported Secret
	hidden   Secret
	Pointer  *Secret
	List     []Secret
	Map      map[string]Secret
	Any      any
}

func newHolder() holder {
	s := NewSecret(canary)
	return holder{Exported: s, hidden: s, Pointer: &s, List: []Secret{s}, Map: map[string]Secret{"k": s}, Any: s}
}

// shows tells whether text gives the canary away, plainly, as hex, or as a list of byte values.
func shows(text string) bool {
	for _, form := range []string{"%s", "%x", "%X", "% x", "%d", "%q", "%v"} {
		if strings.Contains(text, strings.Trim(fmt.Sprintf(form, []byte(canary)), "[]")) {
			return true
		}
	}
	return false
}

func TestASecretDoesNotPrintByAnyVerb(t *testing.T) {
	s := NewSecret(canary)
	values := map[string]any{
		"a secret": s, "a pointer": &s, "a list": []Secret{s}, "an array": [1]Secret{s}, "a map": map[string]Secret{"k": s},
		"a map key": map[Secret]int{s: 1}, "a struct": newHolder(), "a pointer to a struct": new(newHolder()),
		"settings": Settings{"token": s}, "a result": Created{Secret: s}, "an optional": Some(s),
	}
	for what, value := range values {
		for verb := rune(' '); verb < 0x7f; verb++ {
			for _, flags := range []string{"", "+", "#", "+#", " ", "-20", "020", ".3", "[1]"} {
				format := "%" + flags + string(verb)
				if text := fmt.Sprintf(format, value); shows(text) {
					t.Errorf("%s with %q shows the secret: %s", what, format, text)
				}
			}
		}
	}
}

func TestASecretPrintsAsRedacted(t *testing.T) {
	s := NewSecret(canary)
	for _, got := range []string{
		s.String(), s.GoString(), fmt.Sprint(s), fmt.Sprintf("%q", s), fmt.Sprintf("%x", s), fmt.Sprintf("%d", s),
		fmt.Sprintf("%#v", s), fmt.Sprint(Secret{}), fmt.Sprintf("%v", &s), s.LogValue().String(),
	} {
		if got != redacted {
			t.Errorf("got %s, want %s", got, redacted)
		}
	}
}

func TestASecretDoesNotPanicOut(t *testing.T) {
	defer func() {
		if text := fmt.Sprint(recover()); shows(text) {
			t.Errorf("the panic shows the secret: %s", text)
		}
	}()
	panic(newHolder())
}

func TestASecretDoesNotEncode(t *testing.T) {
	s := NewSecret(canary)
	type document struct {
		Secret    Secret
		Attribute Secret `xml:",attr"`
		Pointer   *Secret
		List      []Secret
	}
	doc := document{s, s, &s, []Secret{s}}
	encoders := map[string]func(any) ([]byte, error){
		"json":        json.Marshal,
		"json indent": func(v any) ([]byte, error) { return json.MarshalIndent(v, "", " ") },
		"xml":         xml.Marshal,
		"gob": func(v any) ([]byte, error) {
			var b bytes.Buffer
			err := gob.NewEncoder(&b).Encode(v)
			return b.Bytes(), err
		},
		"template": func(v any) ([]byte, error) {
			var b bytes.Buffer
			text := `{{.}} {{printf "%s %v %#v %x %p" . . . . .}} {{print .}} {{html .}} {{js .}} {{urlquery .}}`
			err := template.Must(template.New("").Parse(text)).Execute(&b, v)
			return b.Bytes(), err
		},
	}
	for name, encode := range encoders {
		for what, value := range map[string]any{"a secret": s, "a document": doc} {
			out, err := encode(value)
			if err != nil {
				t.Errorf("%s of %s: %v", name, what, err)
			}
			if shows(string(out)) {
				t.Errorf("%s of %s shows the secret: %s", name, what, out)
			}
		}
	}
	if out, err := json.Marshal(map[Secret]Secret{s: s}); err != nil || string(out) != `{"[redacted]":"[redacted]"}` {
		t.Errorf("json of a map = %s, %v, want both redacted", out, err)
	}
	for _, marshal := range []func() ([]byte, error){s.MarshalText, s.MarshalBinary} {
		if out, err := marshal(); err != nil || string(out) != redacted {
			t.Errorf("got %s, %v, want %s", out, err, redacted)
		}
	}
}

func TestASecretDoesNotLog(t *testing.T) {
	s := NewSecret(canary)
	handlers := map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	}
	for name, handler := range handlers {
		var b bytes.Buffer
		log := slog.New(handler(&b)).With("with", s)
		log.Info("said", "secret", s, "pointer", &s, "list", []Secret{s}, "struct", newHolder(), "settings", Settings{"k": s},
			slog.Group("group", "secret", s, "any", slog.AnyValue(newHolder())),
			"error", &Error{Kind: Invalid, Err: fmt.Errorf("cause: %v", s)})
		if shows(b.String()) {
			t.Errorf("the %s log shows the secret: %s", name, b.String())
		}
		if !strings.Contains(b.String(), redacted) {
			t.Errorf("the %s log does not show %s: %s", name, redacted, b.String())
		}
	}
}

func TestASecretInAnErrorDoesNotShow(t *testing.T) {
	s := NewSecret(canary)
	for _, err := range []error{fmt.Errorf("key %s: %w", s, errors.New("x")), fmt.Errorf("%v %+v %#v %x", s, s, s, s)} {
		if shows(err.Error()) {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
}

func TestOnlyRevealGivesASecretAway(t *testing.T) {
	if got := NewSecret(canary).Reveal(); got != canary {
		t.Errorf("Reveal() = %q, want %q", got, canary)
	}
	if got := (Secret{}).Reveal(); got != "" {
		t.Errorf("Reveal of no secret = %q, want nothing", got)
	}
	for _, c := range []struct {
		secret Secret
		empty  bool
	}{{Secret{}, true}, {NewSecret(""), true}, {NewSecret(canary), false}} {
		if got := c.secret.Empty(); got != c.empty {
			t.Errorf("Empty() = %v, want %v", got, c.empty)
		}
	}
}
