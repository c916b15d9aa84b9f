package providertest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"regtok/providers"
)

func secretCases() []testCase {
	return []testCase{
		{"a secret is told once, and is in no list and no read", toldOnce, false},
		{"a secret does not print, log or encode", doesNotPrint, false},
		{"the account's credential is in no value, error or log", credentialHidden, false},
		{"an adapter does not print its credential", adapterDoesNotPrint, false},
	}
}

// renderings are the ways in which a value ends up in a log, an answer or a cache.
func renderings(value any) string {
	encoded, err := json.Marshal(value)
	return fmt.Sprintf("%v\n%+v\n%#v\n%s\n%x\n%s %v", value, value, value, value, value, encoded, err)
}

// wantHidden checks that a text gives a secret away neither plainly nor as a dump or a header would hold it.
func wantHidden(t *testing.T, what, text, secret string) {
	t.Helper()
	for form, hidden := range map[string]string{
		"plain": secret, "hex": fmt.Sprintf("%x", secret), "base64": base64.StdEncoding.EncodeToString([]byte(secret)),
		"bytes": strings.Trim(fmt.Sprintf("%d", []byte(secret)), "[]"),
	} {
		if strings.Contains(text, hidden) {
			t.Errorf("%s holds the secret, %s", what, form)
		}
	}
}

func toldOnce(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	created, _ := r.create(t)
	secret := created.Secret.Reveal()
	r.world.token = created.Token
	for _, m := range r.methods() {
		if m.name == "ReplaceToken" || m.name == "PatchToken" || !m.writes {
			value := must(m.call(t.Context(), r.provider, r.world))(t)
			wantHidden(t, m.name, renderings(value), secret)
			if again, ok := value.(providers.Created); ok && again.Secret.Reveal() == secret {
				t.Errorf("%s tells the old secret again", m.name)
			}
		}
	}
	wantHidden(t, "the log", r.log.String(), secret)
}

func doesNotPrint(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	created, _ := r.create(t)
	secret := created.Secret.Reveal()
	for what, value := range map[string]any{
		"a create": created, "a pointer to it": &created, "its token": created.Token, "its secret": created.Secret,
		"a list": []providers.Created{created}, "a struct": struct{ hidden providers.Created }{created},
	} {
		wantHidden(t, what, renderings(value), secret)
	}
	if len(secret) < 16 {
		t.Errorf("the secret has %d characters, too few to be found again", len(secret))
	}
}

// moods are the ways an upstream can answer; those that repeat the credential are the nastiest.
func moods() map[string]func(http.ResponseWriter, *http.Request) {
	echo := func(status int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			_, credential, _ := strings.Cut(r.Header.Get("Authorization"), " ")
			text, err := json.Marshal("who is " + credential + "?")
			if err != nil {
				panic(err)
			}
			w.Header().Set("X-Echo", credential)
			refuse(w, status, fmt.Sprintf(`{"message":%s,"messages":[{"errorCode":%s,"message":%s}],"msg":%s,"errors":[{"field":%s,"code":%s}],"scope":%s}`,
				text, text, text, text, text, text, text))
		}
	}
	all := map[string]func(http.ResponseWriter, *http.Request){
		"broken off": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"not JSON":   func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Header.Get("Authorization")) },
		"redirected": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://127.0.0.2:1/?"+r.Header.Get("Authorization"))
			w.WriteHeader(http.StatusTemporaryRedirect)
		},
	}
	for status := range statuses() {
		all[fmt.Sprint("echoed with ", status)] = echo(status)
	}
	return all
}

func credentialHidden(t *testing.T, s subject) {
	const credential = "the-only-one-" + canary
	s.inBubble(t, options{credential: credential}, func(t *testing.T, r *rig) {
		for _, m := range r.methods()[:9] { // the last writes would change the world
			value := must(m.call(t.Context(), r.provider, r.world))(t)
			wantHidden(t, m.name, renderings(value), credential)
		}
		for mood, answer := range moods() {
			r.provider = r.warm(t)
			r.spoilAll(answer)
			for _, m := range r.methods() {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				value, err := m.call(ctx, r.provider, r.world)
				cancel()
				what := m.name + " " + mood
				wantHidden(t, what, renderings(value)+renderings(err), credential)
				if err != nil {
					r.wantQuiet(t, what, err.Error())
				}
			}
			r.tap.Spoil(nil)
		}
		log := r.log.String()
		if log == "" {
			t.Error("nothing was logged, so nothing was tried")
		}
		wantHidden(t, "the log", log, credential)
		r.wantQuiet(t, "the log", log)
	})
}

func adapterDoesNotPrint(t *testing.T, s subject) {
	const credential = "the-only-one-" + canary
	r := s.newRig(t, options{credential: credential})
	wantHidden(t, "the adapter", renderings(r.open(t)), credential)
	settings := r.emulator.Settings(r.base)
	wantHidden(t, "its configuration", renderings(providers.Config{Settings: settings}), credential)
}
