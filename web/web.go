// Package web holds the pages of regtok: an npm project, and the Go code that embeds and serves what npm builds of it.
//
// The built page is not part of the repository. Without it everything still compiles, and [Playground] answers
// with a sentence that says how to build it.
package web

import (
	"embed"
	"io/fs"
)

// dist is what `npm run build` makes. A file named .keep stands for it until then.
//
//go:embed all:dist
var dist embed.FS

//go:embed examples/*.graphql
var examples embed.FS

// Examples returns the operations that the playground offers: one GraphQL document a file, NAME.graphql, without
// variables, and in the order of the file names the most useful first.
func Examples() fs.FS { return sub(examples, "examples") }

// built returns what npm built: empty but for .keep when it did not yet.
func built() fs.FS { return sub(dist, "dist") }

// sub is fs.Sub for folders that are embedded: their names are right, or the program does not compile.
func sub(files embed.FS, folder string) fs.FS {
	sub, err := fs.Sub(files, folder)
	if err != nil {
		panic("web: " + err.Error())
	}
	return sub
}
