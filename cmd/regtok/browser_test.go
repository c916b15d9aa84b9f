package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/web/webtest"
)

// attempts is a page that uses a server in every way that pages have, and notes what it gets. Its parameter is the server.
const attempts = `<!doctype html><script>
const api = new URLSearchParams(location.search).get('api') + '/graphql'
const query = '{ viewer { subject } }', events = api + '?query=' + encodeURIComponent('subscription { tokenExpiry { __typename } }')
const told = {}
const note = (name, attempt) => new Promise(attempt).then(got => { told[name] = got }, err => { told[name] = 'refused' })
const ask = (type, more) => fetch(api, { method: 'POST', headers: { 'Content-Type': type, ...more }, body: JSON.stringify({ query }) })
const ways = {
	operation: (got, no) => ask('application/json').then(r => r.json()).then(a => got(a.data.viewer.subject)).catch(no),
	credential: (got, no) => ask('application/json', { Authorization: 'Bearer x', 'Last-Event-ID': 'x', 'Cache-Control': 'no-cache' })
		.then(r => got(r.headers.get('X-Request-Id') ? 'with its id' : 'without its id')).catch(no),
	form: (got, no) => ask('text/plain').then(r => got(String(r.status))).catch(no),
	socket: (got, no) => {
		const socket = new WebSocket(api.replace('http', 'ws'), 'graphql-transport-ws')
		socket.onopen = () => socket.send('{"type":"connection_init"}')
		socket.onmessage = ({ data }) => {
			const message = JSON.parse(data)
			if (message.type === 'connection_ack') socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }))
			if (message.type === 'next') { got(message.payload.data.viewer.subject); socket.close() }
		}
		socket.onerror = no
	},
	stream: (got, no) => {
		const source = new EventSource(events)
		source.onopen = () => { got('open'); source.close() }
		source.onerror = () => { source.close(); no() }
	},
	unseen: (got, no) => {
		const stop = new AbortController()
		fetch(events, { mode: 'no-cors', headers: { Accept: 'text/event-stream' }, signal: stop.signal }).then(r => { got(r.type); stop.abort() }).catch(no)
	},
}
let over = false
addEventListener('message', ({ data }) => { Object.assign(told, data); over = true })
const all = async () => {
	for (const [name, way] of Object.entries(ways)) await note(name, way)
	parent.postMessage(told, '*')
}
switch (location.pathname) {
	case '/boxed': // the same page, which then belongs to no site
		document.write('<iframe sandbox="allow-scripts" src="/' + location.search + '"></iframe>')
		break
	case '/frame':
		document.write('<iframe src="' + api.replace('graphql', 'playground') + '"></iframe>')
		break
	default: all()
}
</script>`

// newSite serves the page as another site does.
func newSite(t *testing.T) string {
	t.Helper()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, attempts)
	}))
	t.Cleanup(site.Close)
	return site.URL
}

// TestPagesInABrowser lets pages of an allowed origin and of others use a server, in a real browser.
func TestPagesInABrowser(t *testing.T) {
	allowed, other := newSite(t), newSite(t)
	refused := map[string]string{
		"operation": "refused", "credential": "refused", "form": "refused", "socket": "refused", "stream": "refused", "unseen": "refused",
	}
	admitted := map[string]string{
		"operation": "local", "credential": "with its id", "form": "415", "socket": "local", "stream": "open",
		"unseen": "refused", // who may read has no need of it
	}
	tests := []struct {
		name, page string
		want       map[string]string
	}{
		{"an allowed origin", allowed, admitted},
		{"another port", other, refused},
		{"another site", strings.Replace(other, "127.0.0.1", "localhost", 1), refused},
		{"a page without a site", allowed + "/boxed", refused},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			demo := start(t, nil, "demo", "--origins=https://app.example.com,"+allowed)
			page := webtest.Open(t, test.page+"?api="+demo.url)
			got := webtest.Await[map[string]string](page, "over && told")
			if diff := cmp.Diff(got, test.want); diff != "" {
				t.Errorf("the page got (-got +want):\n%s\nits problems: %q", diff, page.Problems())
			}
			demo.end(t)
			statuses := answered(demo.stderr.String()) // a page that is not shown an answer may have had one
			if passed := slices.ContainsFunc(statuses, func(s string) bool { return s != "403" }); passed != (test.page == allowed) || !slices.Contains(statuses, "403") {
				t.Errorf("the server answered its requests %q", statuses)
			}
		})
	}
	t.Run("a frame", func(t *testing.T) {
		demo := start(t, nil, "demo", "--origins="+allowed)
		page := webtest.Open(t, allowed+"/frame?api="+demo.url)
		webtest.Await[bool](page, "document.readyState === 'complete'")
		if problems := strings.Join(page.Problems(), "\n"); !strings.Contains(problems, "frame-ancestors 'none'") {
			t.Errorf("the playground may stand in a frame of another page: %q", problems)
		}
	})
}

// answered are the statuses of the requests to /graphql that a log tells of.
func answered(log string) []string {
	var statuses []string
	for _, found := range regexp.MustCompile(`"path":"/graphql","status":(\d+)`).FindAllStringSubmatch(log, -1) {
		statuses = append(statuses, found[1])
	}
	return statuses
}
