package webtest

import "github.com/chromedp/chromedp"

// Run runs a script on the page.
func (p *Page) Run(script string) {
	p.t.Helper()
	run(p, chromedp.Evaluate[chromedp.Void](script))
}

// Await waits until a JavaScript expression is true, or anything else that counts as true, and returns its value.
func Await[T any](p *Page, expression string) T {
	p.t.Helper()
	return run(p, chromedp.Poll[T](expression))
}
