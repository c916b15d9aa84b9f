package transport

import (
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
)

// documentID is how a request names a document that it does not send. It lies among the request's extensions, since gqlgen's
// parameters have no other room for it; no caller can put one there, because what they send has other Go types.
type documentID string

const documentKey = "documentId"

// DocumentID is the `documentId` of a request, after GraphQL over HTTP. Empty: it has none.
func DocumentID(params *graphql.RawParams) string {
	id, _ := params.Extensions[documentKey].(documentID)
	return string(id)
}

// nameDocument notes the id. Clients that cannot leave out `query` send an empty one beside it.
func nameDocument(params *graphql.RawParams, raw json.RawMessage) *refusal {
	if absent(raw) {
		return nil
	}
	var id string
	switch {
	case !value(raw, &id) || id == "":
		return badRequest("documentId is no string, or an empty one")
	case params.Query != "":
		return badRequest("send query or documentId, not both")
	}
	if params.Extensions == nil {
		params.Extensions = map[string]any{}
	}
	params.Extensions[documentKey] = documentID(id)
	return nil
}
