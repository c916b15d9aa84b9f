package auth_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"regtok/auth"
)

var form = regexp.MustCompile(`^regtok_[a-z2-7]{8}_[a-z2-7]{56}$`)

func TestNoTwoKeysAreAlike(t *testing.T) {
	ids, secrets := map[string]bool{}, map[string]bool{}
	for range 1000 {
		key := auth.NewKey()
		if text := key.Reveal(); !form.MatchString(text) {
			t.Fatalf("a key has the form of %d letters, want %s", len(text), form)
		}
		secret := key.Reveal()[16:]
		if ids[key.Hash().ID()] || secrets[secret] {
			t.Fatal("two keys are alike")
		}
		ids[key.Hash().ID()], secrets[secret] = true, true
	}
}

func TestAKeyDoesNotPrint(t *testing.T) {
	key := auth.NewKey()
	encoded, err := json.Marshal(struct{ Key auth.Key }{key})
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprint(key), fmt.Sprintf("%+v %#v %s %q %x", key, key, key, key, key), string(encoded), fmt.Sprintf("%v", struct{ key auth.Key }{key})} {
		if secret := key.Reveal()[16:]; strings.Contains(shown, secret) || strings.Contains(shown, fmt.Sprintf("%x", secret)) {
			t.Errorf("a key shows itself as %s", shown)
		}
	}
}

func TestAHashIsReadAsItIsWritten(t *testing.T) {
	hash := auth.NewKey().Hash()
	got, err := auth.ParseKeyHash(hash.String())
	if err != nil || got != hash {
		t.Errorf("ParseKeyHash(%s) = %v, %v", hash, got, err)
	}
	for _, text := range []string{
		"", "sha256:", hash.ID(), auth.NewKey().Reveal(), "sha256:" + auth.NewKey().Reveal(), "md5:" + hash.ID() + ":00",
		hash.String() + "0", hash.String()[:len(hash.String())-2], strings.Replace(hash.String(), hash.ID(), "", 1),
		strings.Replace(hash.String(), ":", " ", 1), hash.String()[:len(hash.String())-1] + "g",
	} {
		if _, err := auth.ParseKeyHash(text); err == nil {
			t.Errorf("ParseKeyHash(%q) took it", text)
		} else if text != "" && strings.Contains(err.Error(), text) && len(text) > len("sha256:") {
			t.Errorf("ParseKeyHash(%q) repeats it: %v", text, err)
		}
	}
}

// TestATypoIsKnownForOne changes one letter of a key, somewhere behind its id.
func TestATypoIsKnownForOne(t *testing.T) {
	key := auth.NewKey()
	callers := auth.NewCallers(auth.Config{Keys: []auth.Caller{{Key: key.Hash(), Viewer: auth.Viewer{Subject: "ci"}}}})
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(16, len(key.Reveal())-1).Draw(t, "at")
		const letters = "abcdefghijklmnopqrstuvwxyz234567"
		was := strings.IndexByte(letters, key.Reveal()[at])
		letter := letters[(was+rapid.IntRange(1, len(letters)-1).Draw(t, "further"))%len(letters)]
		typo := key.Reveal()[:at] + string(letter) + key.Reveal()[at+1:]
		_, err := callers.Admit(t.Context(), "Bearer "+typo)
		if reasonOf(err) != auth.Malformed {
			t.Errorf("letter %d: %v, want it to be known for a typo", at, err)
		}
	})
}
