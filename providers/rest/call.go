package rest

import (
	"net/http"
	"net/url"
)

// Call is one request. Build it with [Get], [Post], [Put], [Patch] or [Delete], then change its fields.
type Call struct {
	// Op is what is tried, for errors and metrics: "get token".
	Op     string
	Method string
	// Path holds the parts after the base, unescaped. A part that is empty, "." or "..", or that holds such a
	// segment between slashes, is NotFound without a request.
	Path  []string
	Query url.Values
	// Body is marshalled by encoding/json, without HTML escapes; nil: none.
	Body any
	// Idempotent calls may be repeated. Get, Put and Delete set it, because HTTP says so; set or clear it where
	// the provider's method does not tell.
	Idempotent bool
	// RequiredScope is put into Forbidden errors when the provider's answer names none.
	RequiredScope string
}

// Answer is what came with a body.
type Answer struct {
	Status int
	Header http.Header
}

// Get is a read. It may be repeated.
func Get(op string, path ...string) Call {
	return Call{Op: op, Method: http.MethodGet, Path: path, Idempotent: true}
}

// Post is a write that is sent once.
func Post(op string, body any, path ...string) Call {
	return Call{Op: op, Method: http.MethodPost, Path: path, Body: body}
}

// Put is a write that may be repeated.
func Put(op string, body any, path ...string) Call {
	return Call{Op: op, Method: http.MethodPut, Path: path, Body: body, Idempotent: true}
}

// Patch is a write that is sent once.
func Patch(op string, body any, path ...string) Call {
	return Call{Op: op, Method: http.MethodPatch, Path: path, Body: body}
}

// Delete is a write that may be repeated.
func Delete(op string, path ...string) Call {
	return Call{Op: op, Method: http.MethodDelete, Path: path, Idempotent: true}
}

func (c Call) write() bool { return writes(c.Method) }

// writes tells whether a method can change something at the provider.
func writes(method string) bool { return method != http.MethodGet && method != http.MethodHead }
