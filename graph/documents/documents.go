// Package documents knows GraphQL documents by ids, so that callers need not send them: those of a manifest, which were known
// when the server started, and those that callers sent before. It may refuse every document that is not of the manifest.
package documents

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"regtok/graph/transport"
)

// Config says which documents are known. The zero value knows none.
type Config struct {
	// Known are those of a manifest. Nil: there is none.
	Known *Manifest
	// Only refuses every document that is not of the manifest, and keeps none.
	Only bool
	// Automatic keeps documents that are sent with their hash, for who sends the hash alone later. They are this process's own.
	Automatic bool
	// Longest is the length of a document from which on it is refused anyway, by limits that come later: its hash is not made.
	Longest int
}

// Documents is an extension of gqlgen that puts documents in the place of their ids. It has to stand before whatever reads
// documents. Safe for concurrent use.
type Documents struct {
	config Config
	kept   *kept
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationParameterMutator
	graphql.OperationInterceptor
} = (*Documents)(nil)

// New makes the extension.
func New(c Config) *Documents {
	if c.Known == nil {
		c.Known = &Manifest{}
	}
	return &Documents{config: c, kept: newKept(keptDocuments, keptBytes)}
}

// ExtensionName implements graphql.HandlerExtension.
func (*Documents) ExtensionName() string { return "Documents" }

// Validate implements graphql.HandlerExtension.
func (*Documents) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters implements graphql.OperationParameterMutator. It reads no document: what is refused costs a look
// into a map, and a hash at most.
func (d *Documents) MutateOperationParameters(ctx context.Context, raw *graphql.RawParams) *gqlerror.Error {
	hash, err := hashOf(raw.Extensions)
	if err != nil {
		return err
	}
	id := transport.DocumentID(raw)
	switch {
	case raw.Query != "":
		return d.sent(ctx, raw.Query, hash)
	case id != "":
		raw.Query, err = d.byID(id)
	case hash != "":
		raw.Query, err = d.byHash(hash)
	case d.config.Only:
		err = unknown("this server runs known documents only, and this is none of them")
	}
	return err
}

// byID is the document that `documentId` names.
func (d *Documents) byID(id string) (string, *gqlerror.Error) {
	if text, ok := d.config.Known.byID(id); ok {
		return text, nil
	}
	if text, ok := d.kept.get(hashIn(id)); ok {
		return text, nil
	}
	return "", unknown("no document is known by that id: this server has another manifest than its client")
}

// byHash is the document that a hash alone stands for.
func (d *Documents) byHash(hash string) (string, *gqlerror.Error) {
	if text, ok := d.config.Known.byHash(hash); ok {
		return text, nil
	}
	if text, ok := d.kept.get(hash); ok {
		return text, nil
	}
	if d.config.Known.Len() == 0 && !d.config.Automatic {
		return "", notSupported()
	}
	return "", notFound()
}

// sent is about a document that is sent whole, with its hash or without.
func (d *Documents) sent(ctx context.Context, text, hash string) *gqlerror.Error {
	if d.config.Only {
		if !d.config.Known.holds(text) {
			return unknown("this server runs known documents only, and this is none of them")
		}
		return nil
	}
	if hash == "" || !d.config.Automatic || len(text) > d.config.Longest {
		return nil
	}
	if hash != sum(text) {
		return invalid("the sha256Hash of extensions.persistedQuery is that of another document")
	}
	graphql.GetOperationContext(ctx).Stats.SetExtension(d.ExtensionName(), entry{hash, text})
	return nil
}

// InterceptOperation implements graphql.OperationInterceptor: an operation that comes here is within the limits and valid, so
// its document is worth keeping.
func (d *Documents) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if sent, ok := graphql.GetOperationContext(ctx).Stats.GetExtension(d.ExtensionName()).(entry); ok {
		d.kept.add(sent)
	}
	return next(ctx)
}

func sum(text string) string {
	hash := sha256.Sum256([]byte(text))
	return hex.EncodeToString(hash[:])
}
