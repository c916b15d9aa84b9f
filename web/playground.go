package web

import (
	"io/fs"
	"net/http"
	"strings"
)

// policy lets the page load from this server only, and run no inline script. The editor sets style attributes, and
// its style sheet holds images and fonts as data.
const policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
	"worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// page is the file that answers for the folder.
const page = "index.html"

const unbuilt = `The playground is not part of this build of regtok. The API works without it: POST a query to /graphql.

To have the playground, run in regtok's source tree

    make build

or, without make,

    (cd web && npm ci && npm run build) && go build ./cmd/regtok

and start regtok again.
`

// Playground serves the page, in which people try queries against /graphql of the same server, at /playground and
// /playground/, and its files below that. Make it once: it reads every file of the page. It is safe for concurrent use.
//
// A program that was compiled without the built page answers 503 and says how to build it: a check that looks at
// nothing but the status learns that the page is missing, and no cache keeps the answer.
func Playground() http.Handler { return newPlayground(built()) }

func newPlayground(files fs.FS) http.Handler {
	assets, err := readAssets(files)
	if err != nil {
		panic("web: the embedded page is unreadable: " + err.Error())
	}
	return &playground{files: files, assets: assets}
}

type playground struct {
	files  fs.FS
	assets map[string]asset
}

// ServeHTTP implements http.Handler.
func (p *playground) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "the playground can only be read", http.StatusMethodNotAllowed)
		return
	}
	if _, ok := p.assets[page]; !ok {
		header.Set("Cache-Control", "no-store")
		http.Error(w, unbuilt, http.StatusServiceUnavailable)
		return
	}
	name := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/playground"), "/")
	if name == "" {
		name = page
	}
	// What is not in the table is never opened, so no path leads elsewhere.
	asset, ok := p.assets[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	p.serve(w, r, asset)
}

func (p *playground) serve(w http.ResponseWriter, r *http.Request, asset asset) {
	header := w.Header()
	header.Set("Content-Type", asset.contentType)
	header.Set("Cache-Control", asset.cacheControl)
	name, etag := asset.name, asset.etag
	if asset.zipped {
		header.Set("Vary", "Accept-Encoding")
	}
	if asset.zipped && acceptsGzip(r) {
		header.Set("Content-Encoding", "gzip")
		name, etag = name+".gz", etag+"-gzip"
	}
	header.Set("ETag", `"`+etag+`"`)
	http.ServeFileFS(w, r, p.files, name)
}

func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(coding, ";")
		if strings.TrimSpace(name) == "gzip" {
			return strings.TrimSpace(quality) != "q=0"
		}
	}
	return false
}
