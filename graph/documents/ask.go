package documents

import (
	"encoding/json"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"regtok/codes"
)

// sha256Prefix begins a documentId that is the hash of its document, after GraphQL over HTTP.
const sha256Prefix = "sha256:"

// hashIn is the hash that an id is; empty: it is none.
func hashIn(id string) string {
	if hash, ok := strings.CutPrefix(id, sha256Prefix); ok {
		return hash
	}
	return ""
}

// hashOf is the hash that clients of automatic persisted queries send; empty: there is none.
func hashOf(extensions map[string]any) (string, *gqlerror.Error) {
	given, ok := extensions["persistedQuery"]
	if !ok || given == nil {
		return "", nil
	}
	asked, ok := given.(map[string]any)
	if !ok {
		return "", invalid("extensions.persistedQuery is no object")
	}
	if version, ok := asked["version"].(json.Number); !ok || version != "1" {
		return "", invalid("extensions.persistedQuery.version is not 1")
	}
	hash, _ := asked["sha256Hash"].(string)
	if hash == "" {
		return "", invalid("extensions.persistedQuery.sha256Hash is no text, or an empty one")
	}
	return hash, nil
}

func coded(code, message string) *gqlerror.Error {
	return &gqlerror.Error{Message: message, Extensions: map[string]any{"code": code}}
}

func invalid(message string) *gqlerror.Error { return coded(codes.Invalid, message) }
func unknown(message string) *gqlerror.Error { return coded(codes.DocumentNotKnown, message) }

// The messages of these two are what clients look for; some know the codes, too.
func notFound() *gqlerror.Error { return coded(codes.PersistedQueryNotFound, "PersistedQueryNotFound") }
func notSupported() *gqlerror.Error {
	return coded(codes.PersistedQueryNotSupported, "PersistedQueryNotSupported")
}
