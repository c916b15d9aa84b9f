package rest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestASecretIsReadAndNeverWritten(t *testing.T) {
	for text, want := range map[string]string{
		`{"s":"hunter2"}`: "hunter2", `{"s":"\u00fc\n"}`: "ü\n", `{"s":""}`: "", `{"s":null}`: "", `{}`: "",
	} {
		var got struct {
			S Secret `json:"s"`
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil || got.S.Reveal() != want {
			t.Errorf("unmarshal %s = %q, %v, want %q", text, got.S.Reveal(), err, want)
		}
		written, err := json.Marshal(got)
		if err != nil || want != "" && strings.Contains(string(written)+fmt.Sprintf("%v %+v %#v", got, got, got), want) {
			t.Errorf("what was read from %s shows its secret: %s, %v", text, written, err)
		}
	}
}

func TestASecretOfAnotherShapeIsAnErrorWithoutIt(t *testing.T) {
	for _, text := range []string{`4711`, `{"inner":"4711"}`, `["4711"]`, `true`} {
		var got Secret
		err := json.Unmarshal([]byte(text), &got)
		if err == nil || strings.Contains(err.Error(), "4711") || !got.Empty() {
			t.Errorf("unmarshal %s = %q, %v, want an error without the text", text, got.Reveal(), err)
		}
	}
}
