package webtest

import (
	"errors"
	"fmt"

	"github.com/chromedp/chromedp"
)

// Examples waits for the playground and returns the names of the examples that it lists.
func (p *Page) Examples() []string {
	p.t.Helper()
	return run(p, chromedp.Poll[[]string](`(() => {
		const names = [...document.querySelectorAll('.examples strong')].map(name => name.textContent)
		return names.length > 0 && names
	})()`))
}

// OpenExample presses the example with that name, and waits until the editor shows it. Examples have no variables, so a brace follows the name.
func (p *Page) OpenExample(name string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.Search(fmt.Sprintf(`//*[@class="examples"]//button[strong=%q]`, name))))
	run(p, chromedp.Poll[bool](fmt.Sprintf(`%s?.includes(%q)`, text("operation.graphql"), " "+name+" {")))
}

// Operation waits for the operation editor and returns its text.
func (p *Page) Operation() string {
	p.t.Helper()
	return run(p, chromedp.Poll[string](text("operation.graphql")))
}

// Execute presses the execute button, waits for the answer and returns it, as JSON.
func (p *Page) Execute() string {
	p.t.Helper()
	for {
		p.do(chromedp.Click(chromedp.CSS(".graphiql-execute-button")))
		answer, err := try(p, chromedp.Poll[string](text("response.json"), chromedp.WithPollingTimeout(patience/4)))
		if errors.Is(err, chromedp.ErrPollingTimeout) && p.mayPressAgain() {
			continue // on a busy machine the page can move away under the pointer
		}
		if err != nil {
			p.fail(err)
		}
		return answer
	}
}

// SetHeaders puts a JSON object of headers into the header editor.
func (p *Page) SetHeaders(headers string) {
	p.t.Helper()
	Await[bool](p, `!!`+model("request-headers.json"))
	p.Run(fmt.Sprintf(`%s.setValue(%q)`, model("request-headers.json"), headers))
}

// Stored returns everything that the page keeps for its next visit, as JSON.
func (p *Page) Stored() string {
	p.t.Helper()
	return run(p, chromedp.Evaluate[string](`JSON.stringify([localStorage, sessionStorage])`))
}

// text is a script for what one of GraphiQL's editors holds; empty while it is not there. The page shows no more
// than the lines that fit.
func text(editor string) string {
	return model(editor) + `?.getValue()`
}

// model is a script for one of GraphiQL's editors.
func model(editor string) string {
	return fmt.Sprintf(`globalThis.__MONACO?.editor.getModels().find(m => m.uri.path.endsWith(%q))`, editor)
}
