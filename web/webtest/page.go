// Package webtest drives the pages of regtok in a real Chromium, for tests.
//
// The browser gets a new profile and no way out: it asks a proxy that is not there for everything beyond this machine,
// its own errands of updates and accounts included.
package webtest

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long one step may take on a busy machine.
const patience = time.Minute

// nowhere is the reserved port on which nothing listens.
const nowhere = "127.0.0.1:1"

// Page is a page in a browser of its own. Its methods end the test when the browser does not do as told. One
// goroutine at a time may use it.
type Page struct {
	t   testing.TB
	ctx context.Context

	pressed int // how often a button was pressed in vain

	mu       sync.Mutex
	requests []string
	problems []string
}

// Open starts a Chromium and opens url, which is on this machine. The browser ends with the test.
func Open(t testing.TB, url string) *Page {
	t.Helper()
	p := &Page{t: t}
	p.start()
	p.do(chromedp.Navigate(url))
	return p
}

// Requests returns every URL that the page asked for until now, in that order, without those that hold their own data.
func (p *Page) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

// Problems returns what the console holds until now of errors, uncaught exceptions, refusals by the content
// security policy and requests without success.
func (p *Page) Problems() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.problems)
}

// Title returns the page's title.
func (p *Page) Title() string {
	p.t.Helper()
	return run(p, chromedp.Title())
}

func (p *Page) start() {
	p.t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(p.t)),
		chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("headless", "new"),
		chromedp.NoSandbox, // containers and root have none to give; the page is ours
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.ProxyServer(nowhere), // Chromium does not ask it for what is on this machine
		chromedp.WindowSize(1440, 900),
	)
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	p.t.Cleanup(cancelAllocator)
	ctx, cancel := chromedp.NewContext(allocator, chromedp.WithListener(p.hear))
	p.t.Cleanup(cancel)
	p.ctx = ctx
	// The first use starts the browser and must not have a deadline: the browser would end with it.
	if err := chromedp.Do(ctx); err != nil {
		p.t.Fatalf("start Chromium: %v", err)
	}
}

func chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("this test drives a real browser and found none: install Chromium, on Debian with `apt-get install chromium`")
	return ""
}

// hear collects what the browser tells before the next step's answer arrives.
func (p *Page) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch event := event.(type) {
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(event.Request.URL, "data:") {
			p.requests = append(p.requests, event.Request.URL)
		}
	case *runtime.EventExceptionThrown:
		p.problems = append(p.problems, event.ExceptionDetails.Text+words(event.ExceptionDetails.Exception))
	case *log.EventEntryAdded:
		if event.Entry.Level == log.EntryLevelError {
			p.problems = append(p.problems, event.Entry.Text+" "+event.Entry.URL)
		}
	case *runtime.EventConsoleAPICalled:
		if event.Type == runtime.ConsoleAPICalledTypeError || event.Type == runtime.ConsoleAPICalledTypeAssert {
			p.problems = append(p.problems, "console:"+words(event.Args...))
		}
	}
}

func words(values ...*runtime.RemoteObject) string {
	var b strings.Builder
	for _, value := range values {
		if value != nil {
			fmt.Fprintf(&b, " %s%s", value.Value, value.Description)
		}
	}
	return b.String()
}

func (p *Page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	run(p, chromedp.Steps(steps...))
}

func run[T any](p *Page, action chromedp.Action[T]) T {
	p.t.Helper()
	got, err := try(p, action)
	if err != nil {
		p.fail(err)
	}
	return got
}

func try[T any](p *Page, action chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, action)
}

func (p *Page) fail(err error) {
	p.t.Helper()
	p.t.Fatalf("the page did not do as told: %v; its problems: %q", err, p.Problems())
}

// mayPressAgain is true twice for each page.
func (p *Page) mayPressAgain() bool {
	p.pressed++
	return p.pressed <= 2
}
