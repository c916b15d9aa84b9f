package graph

import (
	"github.com/vektah/gqlparser/v2/gqlerror"

	"regtok/graph/documents"
	"regtok/graph/limits"
)

// ReadManifest reads a manifest of documents for Options.Documents. One that the schema or the limits would refuse, whatever its
// variables, is an error that names it.
func ReadManifest(text []byte, l limits.Limits) (*documents.Manifest, error) {
	known := Schema()
	l.Scalars = scalars()
	return documents.Read(text, func(text string) ([]string, gqlerror.List) { return l.Foresee(known, text) })
}
