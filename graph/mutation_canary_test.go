package graph_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"regtok/catalog"
	"regtok/providers"
)

// marked gives every account a credential that can be told from everything else.
func marked() map[string]providers.Settings {
	settings := map[string]providers.Settings{}
	for provider := range otherOf {
		settings[provider] = providers.Settings{"token": providers.NewSecret(canaryCredential)}
	}
	return settings
}

// sought are the texts that nothing may hold: the credential of this server, every secret that a provider made, and both in
// the form that HTTP and Docker write them in.
func (w *writes) sought() []string {
	secrets := []string{canaryCredential, canaryBody}
	for _, behind := range w.behind {
		secrets = append(secrets, behind.made()...)
	}
	for _, secret := range secrets {
		// Three bytes are four letters, so a text in base64 looks one of three ways, but for its ends.
		for shift := range 3 {
			encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + secret))
			secrets = append(secrets, encoded[4:len(encoded)-2])
		}
	}
	return secrets
}

// found are the places that hold what is sought, of all that is left of what was done: the log, the answers, and what this
// server keeps in memory. To be called in a bubble, so that nothing else runs meanwhile.
func (w *writes) found() map[string]string {
	synctest.Wait()
	inside := reflect.ValueOf(w.catalog).Elem()
	places := map[string]string{
		"the log": w.log.String(), "an answer": w.said.String(),
		"the ledger": strings.Join(textsIn(inside.FieldByName("ledger")), "\n"),
		"the cache":  strings.Join(append(textsIn(inside.FieldByName("cache")), textsIn(inside.FieldByName("views"))...), "\n"),
		"memory":     strings.Join(textsIn(inside), "\n"),
	}
	found := map[string]string{}
	for where, text := range places {
		for _, secret := range w.sought() {
			if at := strings.Index(text, secret); at >= 0 {
				found[where] = secret + " in …" + text[max(0, at-200):min(len(text), at+100)] + "…"
			}
		}
	}
	return found
}

func (w *writes) expectNoSecrets(t testing.TB) {
	t.Helper()
	for where, what := range w.found() {
		t.Errorf("%s holds a secret: %s", where, what)
	}
}

// leaking is a provider with every bug that this test is for.
type leaking struct {
	providers.Provider
	log *slog.Logger
	// last is the last secret, in the open.
	last *string
}

// CreateToken gives the secret to the log, and to the ledger as an id.
func (l leaking) CreateToken(ctx context.Context, registry providers.ID, in providers.TokenState) (providers.Created, error) {
	created, err := l.Provider.CreateToken(ctx, registry, in)
	*l.last = created.Secret.Reveal()
	l.log.Info("made", "secret", *l.last)
	created.Token.ID.Native = *l.last
	return created, err
}

// Tokens gives it to the cache, in a field that is not asked for.
func (l leaking) Tokens(ctx context.Context, registry providers.ID, page providers.PageRequest) (providers.Page[providers.Token], error) {
	list, err := l.Provider.Tokens(ctx, registry, page)
	for i := range list.Items {
		list.Items[i].WebURL = *l.last
	}
	return list, err
}

// TestTheCanaryIsFoundWhereItIs makes sure that the search finds what it looks for in each of its places.
func TestTheCanaryIsFoundWhereItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := small()
		var log locked
		p.change = func(a *catalog.Account) {
			a.Provider = leaking{a.Provider, slog.New(slog.NewTextHandler(&log, nil)), new(string)}
		}
		w := newWrites(t, p)
		on := w.warm(t, "ionos")
		if found := w.found(); len(found) > 0 {
			t.Fatalf("before there is a secret, it is in %v", found)
		}
		w.mutate(t, "createToken", map[string]any{"registryId": on.id, "name": "made", "idempotencyKey": "key"})
		_, _ = w.log.Write([]byte(log.String())) // the log of the world was made before its accounts
		w.tokens(t, on.place)
		found := w.found()
		for _, where := range []string{"the log", "an answer", "the ledger", "the cache", "memory"} {
			if found[where] == "" {
				t.Errorf("the secret is in %s, and is not found there", where)
			}
		}
	})
}

// TestTheCanaryIsFoundInBase64 knows the form in which Docker keeps a login.
func TestTheCanaryIsFoundInBase64(t *testing.T) {
	w := &writes{}
	for _, user := range []string{"buildkite", "ci", "k8s", ""} {
		text := base64.StdEncoding.EncodeToString([]byte(user + ":" + canaryCredential))
		if !slices.ContainsFunc(w.sought(), func(secret string) bool { return strings.Contains(text, secret) }) {
			t.Errorf("the login of %q is not found in %s", user, text)
		}
	}
}

// TestASecretIsShownInItsPayloadAloneAndNowhereElse makes every token that can be made, and reads what the answer says of it.
func TestASecretIsShownInItsPayloadAloneAndNowhereElse(t *testing.T) {
	for _, m := range mutationsTried() {
		t.Run(m.provider+" "+m.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWrites(t, small())
				on := w.warm(t, m.provider)
				said, _ := w.post(t, map[string]any{"query": document(m.mutation), "variables": map[string]any{"input": m.input(on)}})
				text := string(said)
				made := w.behind[m.provider].made()
				if got, want := len(made), map[bool]int{true: 1}[m.makes()]; got != want {
					t.Fatalf("%d secrets are made, want %d", got, want)
				}
				for _, secret := range made {
					if n := strings.Count(text, `"`+secret+`"`); n != 1 {
						t.Errorf("the secret is %d times in %s, want once", n, text)
					}
				}
				w.expectAgreement(t, on.place, on.token.ID)
				w.expectNoSecrets(t)
			})
		})
	}
}

// TestWhatACatalogReturnsDoesNotPrintItsSecret tries every way to print, log and encode.
func TestWhatACatalogReturnsDoesNotPrintItsSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWrites(t, small())
		on := w.warm(t, "ionos")
		registry, _ := providers.ParseID(on.id)
		old, _ := providers.ParseID(on.token.ID)
		written, err := w.catalog.CreateToken(t.Context(), catalog.CreateToken{Registry: registry, Name: "made"})
		if err != nil || written.Secret.Empty() {
			t.Fatalf("created %+v, %v", written, err)
		}
		rotated, err := w.catalog.RotateToken(t.Context(), catalog.RotateToken{Token: old, Overlap: 0})
		if err != nil || rotated.Secret.Empty() {
			t.Fatalf("rotated %+v, %v", rotated, err)
		}
		var text strings.Builder
		log := slog.New(slog.NewJSONHandler(&text, nil))
		for _, v := range []any{written, &written, rotated, &rotated, []any{written}, map[string]any{"of": rotated}, written.Problems} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				fmt.Fprintf(&text, verb+"\n", v)
			}
			log.Info("written", "v", v)
		}
		encoded, err := json.Marshal([]any{written.Secret, rotated.Secret})
		fmt.Fprint(&text, string(encoded), err, fmt.Errorf("made %v", written), errors.Join(errors.New(fmt.Sprint(rotated))))
		made := w.behind["ionos"].made()
		if len(made) != 2 || written.Secret.Reveal() != made[0] || rotated.Secret.Reveal() != made[1] {
			t.Errorf("the secrets are others than the %d that were made", len(made))
		}
		for _, secret := range append(w.sought(), fmt.Sprintf("%x", made[0]), fmt.Sprintf("%x", made[1])) {
			if strings.Contains(text.String(), secret) {
				t.Errorf("%s is printed in:\n%s", secret, text.String())
			}
		}
	})
}
