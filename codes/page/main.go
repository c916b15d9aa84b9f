// Command page writes docs/errors.md out of package codes.
package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"text/template"

	"regtok/codes"
)

//go:embed errors.md.tmpl
var text string

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "page: name the file to write")
		os.Exit(2)
	}
	if err := os.WriteFile(os.Args[1], page(), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "page:", err)
		os.Exit(1)
	}
}

// page is docs/errors.md.
func page() []byte {
	var page bytes.Buffer
	content := struct {
		Meanings []codes.Meaning
		Closes   []codes.Close
	}{codes.Meanings(), codes.Closes()}
	if err := template.Must(template.New("errors.md").Parse(text)).Execute(&page, content); err != nil {
		panic("page: " + err.Error())
	}
	return page.Bytes()
}
