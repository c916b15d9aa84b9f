package graph_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

// outcome is what a fault at one request of a mutation has to come to.
type outcome struct {
	code string // of the payload's error; "": it succeeds
	sent int    // requests of that step
	done bool   // the provider did it
}

// writeFault is a way in which one request of a mutation goes wrong, and what has to come of it, by the request.
type writeFault struct {
	name string
	trouble
	// unreachable: no connection is to be had.
	unreachable bool
	// leaveAlone is how long the provider is not asked afterwards, because it said so.
	leaveAlone time.Duration

	read, create, put, change, remove outcome
}

func (f writeFault) at(s step) outcome {
	return map[step]outcome{looking: f.read, reading: f.read, creating: f.create, putting: f.put, changing: f.change, deleting: f.remove}[s]
}

// vendorsWords may be told to callers; canaryBody, beside them in the same answers, may not.
const vendorsWords = "the vendor is sorry"

// refuse answers with a status, in both vendors' forms of an error. Where the status tells all there is, the vendor's words
// are nobody's business.
func refuse(status int, words string, header ...string) func(http.ResponseWriter, *http.Request, *httptest.ResponseRecorder) {
	return func(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"message":"`+words+`","messages":[{"message":"`+words+`"}],"trace":"`+canaryBody+`"}`)
	}
}

func breakOff(http.ResponseWriter, *http.Request, *httptest.ResponseRecorder) {
	panic(http.ErrAbortHandler)
}

func silence(_ http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) {
	<-r.Context().Done()
}

// halfOf sends half of what the provider answered, and breaks off.
func halfOf(w http.ResponseWriter, _ *http.Request, did *httptest.ResponseRecorder) {
	body := did.Body.String()
	if body == "" {
		body = `{"nothing": "` + canaryBody + `"}`
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", "100000")
	_, _ = io.WriteString(w, body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func webPage(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<html>"+canaryBody+"</html>")
}

// elsewhere is where the first server of a network in memory is, which must never be asked.
const elsewhere = "http://127.0.0.1:1/" + canaryBody

// writeFaults is the table: no value in it is computed by what is tested.
func writeFaults() []writeFault {
	const (
		invalid, notFound, conflict, forbidden = "INVALID", "NOT_FOUND", "CONFLICT", "FORBIDDEN"
		limited, unavailable, unknown, well    = "RATE_LIMITED", "UNAVAILABLE", "OUTCOME_UNKNOWN", ""
	)
	all := func(o outcome, f writeFault) writeFault {
		f.read, f.create, f.put, f.change, f.remove = o, o, o, o, o
		return f
	}
	// What a provider finds wrong with a read is a setting of this server's.
	settings := func(f writeFault) writeFault { f.read.code = forbidden; return f }
	always := func(answer func(http.ResponseWriter, *http.Request, *httptest.ResponseRecorder)) trouble {
		return trouble{answer: answer}
	}
	after := func(answer func(http.ResponseWriter, *http.Request, *httptest.ResponseRecorder)) trouble {
		return trouble{answer: answer, executed: true}
	}
	once := func(t trouble) trouble { t.once = true; return t }
	// a write that is sent once, and one that is repeated
	lost := outcome{unknown, 1, false}
	lostThrice := outcome{unknown, 3, false}
	goneThrice := outcome{unavailable, 3, false}
	return []writeFault{
		all(outcome{forbidden, 1, false}, writeFault{name: "401", trouble: always(refuse(401, canaryBody))}),
		all(outcome{forbidden, 1, false}, writeFault{name: "403", trouble: always(refuse(403, vendorsWords))}),
		all(outcome{notFound, 1, false}, writeFault{name: "404", trouble: always(refuse(404, vendorsWords))}),
		settings(all(outcome{conflict, 1, false}, writeFault{name: "409", trouble: always(refuse(409, vendorsWords))})),
		settings(all(outcome{invalid, 1, false}, writeFault{name: "400", trouble: always(refuse(400, vendorsWords))})),
		settings(all(outcome{invalid, 1, false}, writeFault{name: "422", trouble: always(refuse(422, vendorsWords))})),
		all(outcome{well, 2, true}, writeFault{name: "429 for a moment", trouble: once(always(refuse(429, canaryBody, "Retry-After", "1")))}),
		all(outcome{limited, 1, false}, writeFault{name: "429 for an hour",
			trouble: always(refuse(429, canaryBody, "Retry-After", "3600")), leaveAlone: time.Hour}),
		all(outcome{limited, 3, false}, writeFault{name: "429 without a word", trouble: always(refuse(429, canaryBody))}),
		{name: "500", trouble: always(refuse(500, canaryBody)),
			read: goneThrice, create: lost, put: lost, change: lostThrice, remove: lostThrice},
		{name: "500 once", trouble: once(always(refuse(500, canaryBody))),
			read: outcome{well, 2, true}, create: lost, put: lost, change: outcome{well, 2, true}, remove: outcome{well, 2, true}},
		{name: "503", trouble: always(refuse(503, canaryBody)),
			read: goneThrice, create: lost, put: lost, change: lostThrice, remove: lostThrice},
		{name: "503 after it was done", trouble: after(refuse(503, canaryBody)),
			read: goneThrice, create: outcome{unknown, 1, true}, put: outcome{unknown, 1, true},
			change: outcome{unknown, 3, true}, remove: outcome{unknown, 3, true}},
		all(outcome{unavailable, 0, false}, writeFault{name: "no connection", unreachable: true}),
		{name: "a reset before it was done", trouble: always(breakOff),
			read: goneThrice, create: lost, put: lost, change: lostThrice, remove: lostThrice},
		{name: "a reset after it was done", trouble: after(breakOff),
			read: goneThrice, create: outcome{unknown, 1, true}, put: outcome{unknown, 1, true},
			change: outcome{unknown, 3, true}, remove: outcome{unknown, 3, true}},
		{name: "one reset after it was done", trouble: once(after(breakOff)),
			read: outcome{well, 2, true}, create: outcome{unknown, 1, true}, put: outcome{unknown, 1, true},
			change: outcome{well, 2, true}, remove: outcome{well, 2, true}},
		{name: "silence", trouble: always(silence),
			read: outcome{unavailable, 2, false}, create: lost, put: lost, change: outcome{unknown, 2, false}, remove: outcome{unknown, 2, false}},
		{name: "silence after it was done", trouble: after(silence),
			read: outcome{unavailable, 2, false}, create: outcome{unknown, 1, true}, put: outcome{unknown, 1, true},
			change: outcome{unknown, 2, true}, remove: outcome{unknown, 2, true}},
		// Of a deletion's answer nothing but its status counts.
		{name: "half a body", trouble: after(halfOf),
			read: outcome{unavailable, 1, false}, create: outcome{unknown, 1, true}, put: outcome{unknown, 1, true},
			change: outcome{unknown, 1, true}, remove: outcome{well, 1, true}},
		{name: "a page with 200", trouble: always(webPage),
			read: outcome{unavailable, 1, false}, create: lost, put: lost, change: lost, remove: lost},
		all(outcome{unavailable, 1, false}, writeFault{name: "a redirect to elsewhere",
			trouble: always(refuse(307, canaryBody, "Location", elsewhere))}),
	}
}

// says is what the message of an error has to have in it, so that whoever reads it knows what to do.
var says = map[string][]string{
	"INVALID":         {vendorsWords},
	"CONFLICT":        {vendorsWords},
	"NOT_FOUND":       {"not visible to this server's credential"},
	"FORBIDDEN":       {"has to renew it", "whoever runs this server", vendorsWords, endIt},
	"RATE_LIMITED":    {"wait, then repeat", endIt},
	"UNAVAILABLE":     {"can be repeated", endIt},
	"OUTCOME_UNKNOWN": {"look for it", "read it"},
}

// endIt is what to do when a rotation has made the new token and could not end the old one.
const endIt = "Delete it with deleteToken"

// written is one mutation in the table: the requests that it sends, in their order, and what each of them changes.
type written struct {
	name, provider, mutation string
	input                    func(on ground) map[string]any
	steps                    []change
	// except is where a fault at one of its steps comes to something else than elsewhere, and why is beside it.
	except map[step]map[string]outcome
}

// change is a request, and what the provider keeps differently once it and those before it are done.
type change struct {
	step step
	then string
}

// makes tells whether it makes a token.
func (m written) makes() bool {
	return slices.ContainsFunc(m.steps, func(c change) bool { return strings.Contains(c.then, "+") })
}

// ground is what a mutation is tried on: a registry, a token in it, and a native id that nothing has.
type ground struct {
	place
	token  tokenSeen
	vacant string
}

func (on ground) named() map[string]any { return map[string]any{"id": on.token.ID} }

// mutationsTried are all mutations in all forms that send something else.
func mutationsTried() []written {
	const made = "made"
	patch := func(more map[string]any) func(ground) map[string]any {
		return func(on ground) map[string]any {
			input := map[string]any{"token": on.named()}
			for name, value := range more {
				input[name] = value
			}
			return input
		}
	}
	guarded := func(more map[string]any) func(ground) map[string]any {
		return func(on ground) map[string]any {
			input := patch(more)(on)
			input["ifVersion"] = on.token.Version
			return input
		}
	}
	create := func(on ground) map[string]any { return map[string]any{"registryId": on.id, "name": made} }
	whole := map[string]any{"name": "token-0002", "expiry": map[string]any{"never": true}, "enabled": false}
	pull := []map[string]any{{"type": "repository", "name": "team/app", "actions": []string{"pull"}}}
	return []written{
		{name: "create", provider: "buildkite", mutation: "createToken", input: create, steps: []change{{creating, "+made"}}},
		{name: "create", provider: "ionos", mutation: "createToken", input: create, steps: []change{{creating, "+made"}}},
		{name: "replace", provider: "ionos", mutation: "replaceToken", input: patch(whole),
			steps: []change{{reading, ""}, {putting, "~token-0002:enabled,ends,scopes"}}},
		{name: "replace what is not there", provider: "ionos", mutation: "replaceToken",
			input: func(on ground) map[string]any {
				return map[string]any{"token": map[string]any{"native": map[string]any{"registryId": on.id, "nativeId": on.vacant}},
					"name": made, "expiry": map[string]any{"in": "P30D"}}
			},
			steps: []change{{putting, "+made"}}},
		{name: "patch", provider: "buildkite", mutation: "patchToken", input: patch(map[string]any{"name": "renamed"}),
			steps: []change{{changing, "~token-002:name"}}},
		{name: "patch", provider: "ionos", mutation: "patchToken", input: patch(map[string]any{"enabled": false}),
			steps: []change{{changing, "~token-0002:enabled"}}},
		{name: "patch with ifVersion", provider: "buildkite", mutation: "patchToken", input: guarded(map[string]any{"name": "renamed"}),
			steps: []change{{reading, ""}, {changing, "~token-002:name"}}},
		{name: "patch with ifVersion", provider: "ionos", mutation: "patchToken", input: guarded(map[string]any{"enabled": false}),
			steps: []change{{reading, ""}, {changing, "~token-0002:enabled"}}},
		{name: "patch scopes", provider: "ionos", mutation: "patchToken",
			input: patch(map[string]any{"scopes": map[string]any{"change": map[string]any{"add": pull}}}),
			steps: []change{{reading, ""}, {changing, "~token-0002:scopes"}}},
		{name: "delete", provider: "buildkite", mutation: "deleteToken", input: patch(nil), steps: []change{{deleting, "-token-002"}}},
		{name: "delete", provider: "ionos", mutation: "deleteToken", input: patch(nil), steps: []change{{deleting, "-token-0002"}}},
		{name: "rotate at once", provider: "buildkite", mutation: "rotateToken", input: patch(map[string]any{"overlap": "PT0S"}),
			steps:  []change{{reading, ""}, {creating, "+token-002"}, {deleting, "+token-002 -token-002"}},
			except: map[step]map[string]outcome{deleting: endFaults}},
		{name: "rotate at once", provider: "ionos", mutation: "rotateToken", input: patch(map[string]any{"overlap": "PT0S"}),
			steps:  []change{{reading, ""}, {creating, "+token-0002-2"}, {deleting, "+token-0002-2 -token-0002"}},
			except: map[step]map[string]outcome{creating: nameFaults, deleting: endFaults}},
		{name: "rotate with an overlap", provider: "ionos", mutation: "rotateToken", input: patch(map[string]any{"overlap": "P7D"}),
			steps:  []change{{reading, ""}, {creating, "+token-0002-2"}, {changing, "+token-0002-2 ~token-0002:ends"}},
			except: map[step]map[string]outcome{creating: nameFaults, changing: endFaults}},
	}
}

// nameFaults: a name that somebody else took just now is counted on, three times.
var nameFaults = map[string]outcome{"409": {"CONFLICT", 3, false}}

// endFaults: what is gone has ended, and the second write of a rotation has ten seconds of its own.
var endFaults = map[string]outcome{
	"404":                       {"", 1, false},
	"silence":                   {"OUTCOME_UNKNOWN", 1, false},
	"silence after it was done": {"OUTCOME_UNKNOWN", 1, true},
}

// TestEveryFaultOfEveryMutation has one request of a mutation go wrong, with everything cached that can be.
func TestEveryFaultOfEveryMutation(t *testing.T) {
	for _, m := range mutationsTried() {
		for i, at := range m.steps {
			for _, f := range writeFaults() {
				want := f.at(at.step)
				if special, ok := m.except[at.step][f.name]; ok {
					want = special
				}
				t.Run(strings.Join([]string{m.provider, m.name, string(at.step), f.name}, "/"), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { m.fails(t, i, f, want) })
				})
			}
		}
	}
}

// fails runs the mutation with the fault at one of its steps.
func (m written) fails(t *testing.T, at int, f writeFault, want outcome) {
	n := newMemory()
	var led atomic.Int64
	n.serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { led.Add(1) })) // elsewhere
	w := newWrites(t, plan{network: n, emulators: providers.EmulatorOptions{Registries: 2, Tokens: 3}, settings: marked()})
	on := w.warm(t, m.provider)
	behind := w.behind[m.provider]
	before := behind.keeps(t, on.path)
	behind.strike(m.struck(at, f))
	synctest.Wait()

	got := w.mutate(t, m.mutation, m.input(on))

	sent := behind.requests(m.steps[at].step)
	behind.strike(nil)
	synctest.Wait()
	time.Sleep(f.leaveAlone)
	after := behind.keeps(t, on.path)
	if code := got.code(); code != want.code || sent != want.sent {
		t.Errorf("%q after %d requests, want %q after %d: %+v", code, sent, want.code, want.sent, got.Errors)
	}
	if changed, want := changes(before, after), m.then(at, want); changed != want {
		t.Errorf("the provider changed %q, want %q", changed, want)
	}
	m.expectPayload(t, at, got, want)
	for _, e := range got.Errors {
		expectAdvice(t, e)
	}
	w.expectAgreement(t, on.place, on.token.ID, on.idOf(on.vacant))
	if led.Load() > 0 {
		t.Error("a redirect was followed")
	}
	w.expectNoSecrets(t)
}

// struck is the fault at one of the mutation's steps.
func (m written) struck(at int, f writeFault) *trouble {
	t := f.trouble
	t.step = m.steps[at].step
	if f.unreachable && at > 0 {
		t.unreachable = m.steps[at-1].step
	}
	return &t
}

// then is what the provider keeps differently after a fault at one of the steps.
func (m written) then(at int, want outcome) string {
	switch {
	case want.code == "" && want.done:
		return m.steps[len(m.steps)-1].then
	case want.done:
		return m.steps[at].then
	case at > 0:
		return m.steps[at-1].then
	}
	return ""
}

// expectPayload expects what there is beside the errors: a new token's secret whenever the answer with it came, and nothing
// that was not told.
func (m written) expectPayload(t *testing.T, at int, got payload, want outcome) {
	t.Helper()
	second := m.mutation == "rotateToken" && m.steps[at].step != reading && m.steps[at].step != creating
	told := want.code == "" || second
	if m.mutation == "deleteToken" {
		if (got.DeletedTokenID != "") != told {
			t.Errorf("deletedTokenId is %q, want one: %t", got.DeletedTokenID, told)
		}
		return
	}
	if (got.Token != nil) != told {
		t.Errorf("the token is %+v, want one: %t", got.Token, told)
	}
	if has := got.Credential != nil && got.Credential.Secret != ""; has != (told && m.makes()) {
		t.Errorf("there is a secret: %t, want %t", has, told && m.makes())
	}
	if second && want.code != "" && got.Previous == nil {
		t.Error("the old token is not told of, although it may still work")
	}
}

// expectAdvice expects an error to say what to do, and nothing of the provider's answer but words for people.
func expectAdvice(t *testing.T, e problemSeen) {
	t.Helper()
	helps := false
	for _, words := range says[e.Code] {
		helps = helps || strings.Contains(e.Message, words)
	}
	if !helps {
		t.Errorf("the message of %s is %q, want one of %q in it", e.Code, e.Message, says[e.Code])
	}
	for _, bad := range []string{canaryBody, canaryCredential, "127.0.0.1", "http:", "/v2/", "/registries/", "html"} {
		if strings.Contains(e.Message, bad) {
			t.Errorf("the message of %s has %q in it: %s", e.Code, bad, e.Message)
		}
	}
}

// warm reads everything that can be cached of a registry, and finds what to write to.
func (w *writes) warm(t *testing.T, provider string) ground {
	t.Helper()
	on := ground{place: w.places(t, provider)[0], vacant: "7a1c2f60-5b1e-4c52-9a40-0d9a5c1f7e21"}
	for _, token := range w.tokens(t, on.place) {
		if strings.HasSuffix(token.Name, "2") {
			on.token = token
		}
	}
	w.expectAgreement(t, on.place, on.token.ID, on.idOf(on.vacant))
	return on
}

// idOf is this server's id of a token in the registry.
func (at place) idOf(native string) string {
	id, _ := providers.ParseID(at.id)
	return id.TokenID(native).String()
}
