package main

import (
	"fmt"
	"net/http"

	"regtok/graph"
	"regtok/graph/documents"
	"regtok/graph/limits"
	"regtok/web"
)

// documentSettings say which documents callers may name, and whether they may send others.
type documentSettings struct {
	Documents          string `variable:"REGTOK_DOCUMENTS" placeholder:"FILE" help:"Manifest of GraphQL documents that callers may name by their ids, as Relay, graphql-codegen or Apollo write it. It is read at the start."`
	KnownDocumentsOnly bool   `variable:"REGTOK_KNOWN_DOCUMENTS_ONLY" help:"Refuse every document that the manifest does not hold. There is no playground then."`
}

// known are the documents that callers may name, or send.
func (a api) known(l limits.Limits) (documents.Config, error) {
	config := documents.Config{Only: a.KnownDocumentsOnly, Automatic: a.APQ == "on" && !a.KnownDocumentsOnly}
	if a.Documents == "" {
		return config, nil
	}
	text, err := readFile(a.Documents, documents.MaxManifest)
	if err != nil {
		return config, fmt.Errorf("%s: %w", settingName("documents"), err)
	}
	config.Known, err = graph.ReadManifest(text, l)
	if err != nil {
		return config, fmt.Errorf("%s: %s: %w", settingName("documents"), a.Documents, err)
	}
	return config, nil
}

// playground is the page to try operations on; nil: there is none, since it sends documents that nobody knows.
func (a api) playground() http.Handler {
	if a.KnownDocumentsOnly {
		return nil
	}
	return web.Playground()
}
