package codes

import "slices"

// Meaning is what a code says to whoever meets it.
type Meaning struct {
	// Code is the value of extensions.code.
	Code string
	// Means is what happened, in a sentence without its end.
	Means string
	// Mends is who can do something about it.
	Mends Mender
	// Again tells whether the same may work when it is sent once more.
	Again string
	// Fields are the other extensions that an error may have, each with what it tells. None: empty.
	Fields string
	// Status is the HTTP status where the request was no operation; empty: it was one, and has the status of its answer.
	Status string
}

// Mender is who can mend what an error is about.
type Mender string

// Those who can.
const (
	Caller   Mender = "caller"
	Operator Mender = "operator"
	Nobody   Mender = "nobody, it passes"
)

const (
	never   = "no"
	changed = "when it is mended"
	later   = "later"
	waited  = "after `retryAfter`"
)

const limitFields = "`limit`: which; `max`; `actual`, where it was counted to the end"

// Meanings returns what all codes mean: first those that an answer with data may have, then those of operations that are not run,
// then those of requests that are none.
func Meanings() []Meaning {
	return []Meaning{
		{Invalid, "a value makes no sense, here or to the provider. Nothing was done", Caller, changed, "`argument`: which, if it stands in an argument. Lists that are too long: `limit`, `max`, `actual`", ""},
		{NotFound, "it does not exist, this server's credential or the caller may not see it, or the id is damaged or of another kind of thing. What is gone is null without an error where the schema allows it", Caller, changed, "`provider`, `argument`", ""},
		{Conflict, "a name is taken, the token has another version, a rotation is under way, or an idempotency key is in use", Caller, changed, "`provider`", ""},
		{Unsupported, "the provider has no such operation or field, or a subscription was sent for one answer. Nothing was sent on", Caller, never, "`provider`", ""},
		{Forbidden, "the caller lacks a permission, or this server's credential the right for it; over HTTP: a page of another origin asks, or `/metrics` without its permission", Operator, changed, "`permission`: which the caller lacks; or `provider`, `requiredScope`: what its credential lacks", "403"},
		{Unauthorized, "the provider refuses this server's credential", Operator, changed, "`provider`", ""},
		{RateLimited, "an allowance is used up. Nothing was done", Nobody, waited, "`retryAfter`: an ISO 8601 duration; `provider`, where it is the provider's; `limit` and `max`, where it is the caller's own", ""},
		{Unavailable, "the provider, or what this server itself needs, does not answer, or nonsense. Nothing was written. As a status: this server is ending, or the issuer of the caller's token does not answer", Nobody, later, "`reason`: UNREACHABLE, TIMEOUT, CIRCUIT_OPEN or INVALID_RESPONSE; `retryAfter`, `provider`", "503"},
		{OutcomeUnknown, "a write was sent and its answer was lost", Caller, "look first, for what the message tells", "`reason`, `provider`", ""},
		{Timeout, "the operation took longer than `--timeout`", Caller, "for less at a time", "", "503"},
		{Canceled, "the caller went away, or the process ends", Nobody, later, "", "503"},
		{Internal, "a fault of this server. Its log tells all under the request id", Operator, "perhaps", "`requestId`", "500"},
		{TooManyStreams, "the server, the caller or the socket has as many subscriptions or sockets as it may", Caller, later, "", "503"},

		{ParseFailed, "the document is no GraphQL", Caller, never, "", ""},
		{ValidationFailed, "the document does not fit the schema", Caller, never, "", ""},
		{QueryTooLarge, "the document has too many bytes, tokens, aliases, directives, fields or root fields, or a very long alias", Caller, never, limitFields, ""},
		{QueryTooDeep, "its fields are nested too deep", Caller, never, limitFields, ""},
		{QueryTooCostly, "it may cost too many points or list too many objects, or a field of it would take too many requests to providers", Caller, never, limitFields, ""},
		{IntrospectionOff, "this server does not answer introspection: read `/schema.graphqls`", Caller, never, "", ""},
		{DocumentNotKnown, "nothing has that `documentId`, or only [known documents](known-documents.md) are run", Operator, changed, "", ""},
		{PersistedQueryNotFound, "nothing has that hash: send the document with it", Caller, "with the document", "", ""},
		{PersistedQueryNotSupported, "hashes are not understood: send documents without", Caller, "without the hash", "", ""},

		{BadRequest, "the body is no JSON object with a `query` or a `documentId`, a batch, or no protocol of this server; or a credential stands in the address, where logs keep it", Caller, never, "", "400"},
		{Unauthenticated, "there is no credential, a wrong one, or one that has ended: [security.md](security.md)", Caller, changed, "`requestId`", "401"},
		{NoSuchPath, "there is nothing at this path", Caller, never, "`requestId`", "404"},
		{MethodNotAllowed, "operations come by POST; `Allow` tells", Caller, never, "", "405"},
		{NotAcceptable, "answers are JSON, or events of subscriptions: accept them", Caller, never, "", "406"},
		{RequestTimeout, "the request's body came too slowly", Caller, later, "", "408"},
		{RequestTooLarge, "the request's body is too long, or has too many values", Caller, never, "", "413"},
		{UnsupportedMediaType, "requests are `application/json` in UTF-8", Caller, never, "", "415"},
		{Misdirected, "the Host header is none of this server's names: see `--hosts`", Operator, changed, "`requestId`", "421"},
	}
}

// Known tells whether a code is one of Meanings.
func Known(code string) bool {
	return slices.ContainsFunc(Meanings(), func(m Meaning) bool { return m.Code == code })
}

// Close is what a code says with which a WebSocket is closed.
type Close struct {
	Code  int
	Means string
	// Again tells whether clients of graphql-transport-ws come back by themselves, and may.
	Again string
}

// Closes returns the codes with which this server closes sockets.
func Closes() []Close {
	return []Close{
		{CloseGoingAway, "the server is ending. The reason is the last cursor, if the socket had one subscription", "yes"},
		{CloseMessageTooLarge, "a message is too long", "no"},
		{CloseTryAgainLater, "the caller's token cannot be checked, because its issuer does not answer; or the last place for a socket was taken since the upgrade", "later"},
		{CloseBadRequest, "a message is none of graphql-transport-ws; the reason says why", "no"},
		{CloseUnauthorized, "the credential is missing or wrong, or `subscribe` came before `connection_init`", "no, with another credential"},
		{CloseForbidden, "the credential cannot be read, or has ended", "yes, with a new credential"},
		{CloseInitTimeout, "`connection_init` did not come in time", "yes"},
		{CloseTaken, "there is an operation with that id", "no"},
		{CloseInitAgain, "`connection_init` came twice", "no"},
	}
}
