package graph_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"regtok/providers/tap"
)

// step is one request of a mutation to its provider, as far as tests tell them apart.
type step string

const (
	looking  step = "looking" // for what a token's URL needs: organizations and registries
	reading  step = "reading" // one token, or a registry's tokens
	creating step = "creating"
	putting  step = "putting"
	changing step = "changing"
	deleting step = "deleting"
)

func stepOf(r *http.Request) step {
	path := r.URL.Path
	list := strings.HasSuffix(path, "/tokens")
	switch {
	case !list && !strings.Contains(path, "/tokens/"):
		return looking
	case r.Method == http.MethodGet:
		return reading
	case r.Method == http.MethodPost && list:
		return creating
	case r.Method == http.MethodPut:
		return putting
	case r.Method == http.MethodDelete:
		return deleting
	}
	return changing // Buildkite: POST on the token
}

// trouble is what befalls requests of one step.
type trouble struct {
	step step
	once bool
	// executed: the provider does what it is asked all the same.
	executed bool
	// answer writes what comes back; did is the provider's own answer, if it was asked.
	answer func(w http.ResponseWriter, r *http.Request, did *httptest.ResponseRecorder)
	// unreachable: after that step, no further connection is to be had. With it there is no answer.
	unreachable step
}

// watched is one provider's emulator, as a test sees it past this server: what is asked of it, and which secrets it makes.
type watched struct {
	tap  *tap.Tap
	host *host // nil on the loopback network

	mu            sync.Mutex
	authorization string // as this server sent it last
	asked         map[step]int
	secrets       []string
	trouble       *trouble
}

// watch looks at every provider of a world.
func (w *world) watch(n *memory) map[string]*watched {
	all := map[string]*watched{}
	for provider, tapped := range w.taps {
		o := &watched{tap: tapped, asked: map[step]int{}}
		if n != nil {
			o.host = n.host(w.bases[provider])
		}
		tapped.Spoil(o.serve)
		all[provider] = o
	}
	return all
}

// pastThisServer marks the requests that a test sends to the emulator itself.
const pastThisServer = "X-Past-This-Server"

func (o *watched) serve(w http.ResponseWriter, r *http.Request, _ int) bool {
	if r.Header.Get(pastThisServer) != "" {
		return false
	}
	struck := o.note(stepOf(r), r.Header.Get("Authorization"))
	if struck != nil && struck.answer == nil {
		w.Header().Set("Connection", "close")
		o.host.refuses.Store(true)
		struck = nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	var did *httptest.ResponseRecorder
	if struck == nil || struck.executed {
		did = o.ask(r.Method, r.URL.String(), r.Header, body)
	}
	if struck != nil {
		struck.answer(w, r, did)
		return true
	}
	maps.Copy(w.Header(), did.Header())
	w.WriteHeader(did.Code)
	_, _ = w.Write(did.Body.Bytes())
	return true
}

// note counts a request and returns what befalls it.
func (o *watched) note(at step, authorization string) *trouble {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked[at]++
	o.authorization = authorization
	struck := o.trouble
	if struck == nil || cmp.Or(struck.unreachable, struck.step) != at {
		return nil
	}
	if struck.once {
		o.trouble = nil
	}
	return struck
}

// ask sends a request to the emulator past everything, and keeps the secrets that come back.
func (o *watched) ask(method, target string, header http.Header, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, bytes.NewReader(body))
	r.Header = header.Clone()
	r.Header.Set(pastThisServer, "yes")
	answer := httptest.NewRecorder()
	o.tap.ServeHTTP(answer, r)
	var made struct {
		Token      string // Buildkite's
		Properties struct{ Credentials struct{ Password string } }
	}
	_ = json.Unmarshal(answer.Body.Bytes(), &made) // lists are of another shape, and hold no secrets
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, secret := range []string{made.Token, made.Properties.Credentials.Password} {
		if secret != "" {
			o.secrets = append(o.secrets, secret)
		}
	}
	return answer
}

// strike lets trouble begin; nil ends it.
func (o *watched) strike(next *trouble) {
	o.mu.Lock()
	o.trouble, o.asked = next, map[step]int{}
	o.mu.Unlock()
	if o.host == nil {
		return
	}
	o.host.refuse(true) // breaks what is open
	o.host.refuse(next != nil && next.answer == nil && next.unreachable == "")
}

// requests is how many requests of a step came since trouble began or ended.
func (o *watched) requests(at step) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked[at]
}

// made are the secrets that the provider made.
func (o *watched) made() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.secrets...)
}

// past does something at the provider past this server, as its people can.
func (o *watched) past(t testing.TB, method, path, body string) []byte {
	t.Helper()
	o.mu.Lock()
	header := http.Header{"Authorization": {o.authorization}, "Content-Type": {"application/json"}}
	o.mu.Unlock()
	answer := o.ask(method, path, header, []byte(body))
	if answer.Code < 200 || answer.Code > 299 {
		t.Fatalf("%s %s of the emulator: %d %s", method, path, answer.Code, answer.Body)
	}
	return answer.Body.Bytes()
}

// keeps is what the emulator has at a path of a registry's tokens, by their native ids. It is asked past this server, with
// the credential that this server used last.
func (o *watched) keeps(t testing.TB, path string) map[string]kept {
	t.Helper()
	all := map[string]kept{}
	for _, w := range wireTokens(t, o.past(t, http.MethodGet, path+"?limit=1000", "")) {
		all[w.ID] = w.kept()
	}
	return all
}
