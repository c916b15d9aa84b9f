// Package codes holds every value that extensions.code of an error may have, and what each of them means. The page
// docs/errors.md is made of it: run `make generate` after a change.
package codes

import "regtok/providers"

//go:generate go run ./page ../docs/errors.md

// Failures at a provider, and what is like them. They are the kinds of package providers.
const (
	Invalid        = string(providers.Invalid)
	NotFound       = string(providers.NotFound)
	Conflict       = string(providers.Conflict)
	Unsupported    = string(providers.Unsupported)
	Unauthorized   = string(providers.Unauthorized)
	Forbidden      = string(providers.Forbidden)
	RateLimited    = string(providers.RateLimited)
	Unavailable    = string(providers.Unavailable)
	OutcomeUnknown = string(providers.OutcomeUnknown)
	Canceled       = string(providers.Canceled)
)

// What else may happen to an operation.
const (
	Timeout        = "TIMEOUT"
	Internal       = "INTERNAL"
	TooManyStreams = "TOO_MANY_STREAMS"
)

// Operations that are not run.
const (
	ParseFailed      = "GRAPHQL_PARSE_FAILED"
	ValidationFailed = "GRAPHQL_VALIDATION_FAILED"
	QueryTooLarge    = "QUERY_TOO_LARGE"
	QueryTooDeep     = "QUERY_TOO_DEEP"
	QueryTooCostly   = "QUERY_TOO_COSTLY"
	IntrospectionOff = "INTROSPECTION_OFF"
	DocumentNotKnown = "DOCUMENT_NOT_KNOWN"
	// These two are how clients of persisted queries know them.
	PersistedQueryNotFound     = "PERSISTED_QUERY_NOT_FOUND"
	PersistedQueryNotSupported = "PERSISTED_QUERY_NOT_SUPPORTED"
)

// Requests that are no operation.
const (
	BadRequest           = "BAD_REQUEST"
	Unauthenticated      = "UNAUTHENTICATED"
	MethodNotAllowed     = "METHOD_NOT_ALLOWED"
	NotAcceptable        = "NOT_ACCEPTABLE"
	NoSuchPath           = "NO_SUCH_PATH"
	RequestTimeout       = "REQUEST_TIMEOUT"
	RequestTooLarge      = "REQUEST_TOO_LARGE"
	UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE"
	Misdirected          = "MISDIRECTED"
)

// How a WebSocket is closed, after graphql-transport-ws and RFC 6455.
const (
	CloseGoingAway       = 1001
	CloseMessageTooLarge = 1009
	CloseTryAgainLater   = 1013
	CloseBadRequest      = 4400
	CloseUnauthorized    = 4401
	CloseForbidden       = 4403
	CloseInitTimeout     = 4408
	CloseTaken           = 4409
	CloseInitAgain       = 4429
)
