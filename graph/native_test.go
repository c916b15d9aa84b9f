package graph_test

import (
	"strings"
	"testing"

	"regtok/providers"
)

// TestANativeIdIsTheSameHoweverItIsWritten: else one token had two locks, and two rotations at the same time.
func TestANativeIdIsTheSameHoweverItIsWritten(t *testing.T) {
	const rotate = `mutation ($input: RotateTokenInput!) { rotateToken(input: $input) { token { name } previous { id } errors { code } } }`
	for _, token := range []string{buildkiteToken, ionosToken} {
		id, err := providers.ParseID(token)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, plan{})
		address := object{"native": object{"registryId": id.OfRegistry().String(), "nativeId": strings.ToUpper(id.Native)}}
		read := w.ask(t, `query ($address: TokenAddress!) { token(address: $address) { id } }`, object{"address": address})
		if want := `{"token":{"id":"` + token + `"}}`; string(read.Data) != want {
			t.Errorf("read: %s, want %s", read.Data, want)
		}
		input := object{"token": object{"id": token}, "name": "twice", "overlap": "PT0S"}
		if id.Provider == "ionos" {
			input["overlap"] = "P7D"
		}
		w.ask(t, rotate, object{"input": input})
		input["token"] = address
		second := w.ask(t, rotate, object{"input": input})
		if text := string(second.Data); !strings.Contains(text, `"token":null`) {
			t.Errorf("a second rotation came to %s", text)
		}
	}
}
