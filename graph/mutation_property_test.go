package graph_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"regtok/auth"
	"regtok/graph"
	"regtok/graph/limits"
	"regtok/providers"
	"regtok/server"
)

// scene is what happens before the next look: one act, or several at the same time, or time that passes.
type scene struct {
	Acts []act
	// Where there are several acts: how long a request upstream takes, and how long after the one before an act begins.
	Latency, Apart time.Duration
	Wait           time.Duration
}

func genAct(t *rapid.T) act {
	n := func(label string, most int) int { return rapid.IntRange(0, most).Draw(t, label) }
	return act{
		Does: rapid.SampledFrom(strings.Fields(acts)).Draw(t, "does"), Caller: n("caller", 2), Place: n("place", 1),
		Token: n("token", 9), Name: n("name", 4), Expiry: n("expiry", 5), Scopes: n("scopes", 12), Enabled: n("enabled", 3),
		Version: n("version", 3), Key: n("key", 2), Overlap: n("overlap", 1), Missing: n("missing", 1),
	}
}

func genScene(t *rapid.T) scene {
	switch rapid.IntRange(0, 9).Draw(t, "scene") {
	case 0:
		return scene{Wait: rapid.SampledFrom([]time.Duration{9 * time.Second, 31 * time.Second, time.Hour, 25 * time.Hour}).Draw(t, "wait")}
	case 1, 2, 3:
		pauses := []time.Duration{0, time.Millisecond, 25 * time.Millisecond, 40 * time.Millisecond}
		s := scene{
			Acts:    rapid.SliceOfN(rapid.Custom(genAct), 2, 5).Draw(t, "acts"),
			Latency: rapid.SampledFrom(pauses).Draw(t, "latency"), Apart: rapid.SampledFrom(pauses).Draw(t, "apart"),
		}
		if rapid.Bool().Draw(t, "one token") {
			for i := range s.Acts {
				s.Acts[i].Token = s.Acts[0].Token
			}
		}
		return s
	}
	return scene{Acts: []act{genAct(t)}}
}

// TestWhatThisServerTellsIsWhatItsProviderHas plays random scenes of several callers, and compares a model, the provider and
// this server after each. `-rapid.checks` plays more of them.
func TestWhatThisServerTellsIsWhatItsProviderHas(t *testing.T) {
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		t.Cleanup(func() { _ = checks.Value.Set(checks.DefValue) })
		if err := checks.Value.Set("20"); err != nil {
			t.Fatal(err)
		}
	}
	for provider := range otherOf {
		t.Run(provider, func(t *testing.T) {
			var wrong []string
			t.Cleanup(func() { t.Log(strings.Join(wrong, "\n")) })
			rapid.Check(t, func(rt *rapid.T) {
				scenes := rapid.SliceOfN(rapid.Custom(genScene), 1, 12).Draw(rt, "scenes")
				if found := played(t, provider, scenes); len(found) > 0 {
					wrong = found // what is said to rapid has to be the same each time, and ids are not
					rt.Fatal("something else is told than is there")
				}
			})
		})
	}
}

// played plays scenes in a bubble and returns what was wrong. What rapid is told has to be told outside of the bubble.
func played(t *testing.T, provider string, scenes []scene) (wrong []string) {
	synctest.Test(t, func(t *testing.T) {
		quiet := &quiet{TB: t}
		quiet.run(func() {
			p := newPlay(quiet, provider)
			for i, s := range scenes {
				p.scene = fmt.Sprintf("scene %d, %+v", i, s)
				p.play(quiet, s)
				p.look(quiet)
			}
			p.expectNoSecrets(quiet)
		})
		wrong = quiet.text
	})
	return wrong
}

// quiet keeps what a test has to complain of for later.
type quiet struct {
	testing.TB
	mu   sync.Mutex
	text []string
}

type enough struct{}

func (q *quiet) Helper() {}

func (q *quiet) Errorf(format string, args ...any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.text = append(q.text, fmt.Sprintf(format, args...))
}

func (q *quiet) Error(args ...any) { q.Errorf("%s", fmt.Sprint(args...)) }

func (q *quiet) Fatalf(format string, args ...any) {
	q.Errorf(format, args...)
	panic(enough{})
}

func (q *quiet) Fatal(args ...any) { q.Fatalf("%s", fmt.Sprint(args...)) }

// run runs do until it is enough.
func (q *quiet) run(do func()) {
	defer func() {
		if p := recover(); p != nil && p != any(enough{}) {
			panic(p)
		}
	}()
	do()
}

// play is a world with several callers, and the model of what it has to be.
type play struct {
	*writes
	model  *model
	fronts []*writes // by caller
	shown  []string  // secrets, as often as they were shown
	scene  string
	looks  int
}

func newPlay(t testing.TB, provider string) *play {
	n := newMemory()
	w := newWrites(t, plan{network: n, emulators: providers.EmulatorOptions{Registries: 2, Tokens: 2}, settings: marked()})
	p := &play{writes: w}
	for _, subject := range callers { // before anything is asked: a network does not grow while it is used
		p.fronts = append(p.fronts, w.as(t, n, subject))
	}
	p.model = newModel(provider, w.places(t, provider))
	for i, at := range p.model.places {
		p.model.learn(i, w.tokens(t, at))
	}
	return p
}

// as is the same server, asked by another caller.
func (w *writes) as(t testing.TB, n network, subject string) *writes {
	limit := limits.Default()
	limit.Introspection = true
	api := graph.New(graph.Options{Catalog: w.catalog, Limits: limit, Log: server.NewLog(w.log, "json", slog.LevelDebug)})
	viewer := auth.Local()
	viewer.Subject = subject
	front := *w.world
	front.url = n.serve(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		api.ServeHTTP(rw, r.WithContext(auth.NewContext(r.Context(), viewer)))
	}))
	return &writes{world: &front, behind: w.behind, said: w.said}
}

// play plays one scene.
func (p *play) play(t *quiet, s scene) {
	switch {
	case s.Wait > 0:
		time.Sleep(s.Wait)
		p.model.expire()
	case len(s.Acts) == 1:
		p.alone(t, s.Acts[0])
	default:
		p.together(t, s)
	}
}

// alone does one act, of which all is known beforehand.
func (p *play) alone(t *quiet, a act) {
	front := p.fronts[a.Caller]
	if a.Does == "read" {
		front.glance(t, p.model.places, p.model.known, a)
		return
	}
	behind := p.behind[p.model.places[0].provider]
	mutation, input, want := p.model.chooses(a, front.version(t))
	behind.strike(nil) // begins to count anew
	got := front.mutate(t, mutation, input)
	sent := behind.requests(creating) + behind.requests(putting) + behind.requests(changing) + behind.requests(deleting)
	answer, _ := json.Marshal(got)
	told := fmt.Sprintf("%s: %s(%v) told %s", p.scene, mutation, input, answer)
	switch {
	case got.code() != want.code:
		t.Fatalf("%s, want %q", told, want.code)
	case want.unsent && sent > 0:
		t.Errorf("%s after %d requests that change something, want none", told, sent)
	case want.again != "" && (got.Token == nil || got.Token.ID != want.again || got.Credential != nil):
		t.Errorf("%s, want the token %s again, without its secret", told, want.again)
	}
	p.show(got)
	if want.code == "" && want.then != nil {
		want.then(got)
	}
}

// version tells the version that a token has now.
func (w *writes) version(t testing.TB) func(id string) string {
	return func(id string) string {
		t.Helper()
		if one := w.token(t, id); one != nil {
			return one.Version
		}
		t.Fatalf("the token %s is not told of, and has to be there", id)
		return ""
	}
}

func (p *play) show(got payload) {
	if got.Credential != nil {
		p.shown = append(p.shown, got.Credential.Secret)
	}
}

// together does several acts at the same time. What comes of them depends on their order, so the model learns it afterwards.
func (p *play) together(t *quiet, s scene) {
	p.slow(s.Latency)
	defer p.slow(0)
	answers := make([]payload, len(s.Acts))
	inputs := make([]map[string]any, len(s.Acts))
	does := make([]func(), len(s.Acts)) // all chosen before the first begins
	for i, a := range s.Acts {
		front := p.fronts[a.Caller]
		if a.Does == "read" {
			does[i] = func() { front.glance(t, p.model.places, p.model.known, a) }
			continue
		}
		mutation, input, _ := p.model.chooses(a, front.version(t))
		inputs[i] = input
		does[i] = func() { answers[i] = front.mutate(t, mutation, input) }
	}
	var all sync.WaitGroup
	for i, do := range does {
		all.Go(func() {
			time.Sleep(time.Duration(i) * s.Apart)
			t.run(do)
		})
	}
	all.Wait()
	made := map[string]int{}
	for i, a := range s.Acts {
		p.show(answers[i])
		if answers[i].Token == nil {
			continue
		}
		if key, ok := inputs[i]["idempotencyKey"]; ok && answers[i].Credential != nil {
			made[fmt.Sprint("key ", a.Caller, key)]++
		}
		if a.Does == "rotate" && answers[i].Credential != nil {
			made[fmt.Sprint("rotation of ", inputs[i]["token"])]++
		}
	}
	for what, times := range made {
		if times > 1 {
			t.Errorf("%s: %s made %d tokens, want one", p.scene, what, times)
		}
	}
	p.relearn(t, s, inputs, answers)
}

// relearn takes over what the provider has after acts whose order nobody knows, and what was promised by their answers.
func (p *play) relearn(t *quiet, s scene, inputs []map[string]any, answers []payload) {
	m := p.model
	clear(m.tokens)
	for i, at := range m.places {
		m.learn(i, p.tokens(t, at))
	}
	for i, a := range s.Acts {
		got := answers[i]
		if got.Token == nil {
			continue
		}
		m.know(got.Token.ID)
		if key, ok := inputs[i]["idempotencyKey"]; ok {
			m.remember(a, fmt.Sprint(key), inputs[i], got.Token.ID)
		}
		if a.Does == "rotate" && got.Credential != nil {
			old := inputs[i]["token"].(map[string]any)["id"].(string)
			m.follows(old, got.Token.ID)
			if got.PreviousEndsAt != nil {
				m.busy[old], _ = time.Parse(time.RFC3339, *got.PreviousEndsAt)
			}
		}
	}
}

// glance reads something, so that it is cached or being read while others write.
func (w *writes) glance(t testing.TB, places []place, known []string, a act) {
	switch a.Name % 3 {
	case 0:
		w.token(t, known[a.Token%len(known)])
	case 1:
		w.ask(t, `{ tokens(first: 100) { edges { node { name } } } }`, nil)
	default:
		w.tokens(t, places[a.Place])
	}
}
