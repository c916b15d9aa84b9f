package ledger

import (
	"encoding/base64"

	"regtok/providers"
)

// keyVersion stands in every key. Change it with their names.
const keyVersion = "2:"

// What changes together shares a hash tag, so that one node of a cluster has it; what does not lies apart, so that all
// nodes have their part of it:
//
//	<prefix>2:call:<call>                    a call with an idempotency key
//	<prefix>2:lock:<token>                   who is changing the token
//	<prefix>2:{rotation:<registry>}:begun:<token>     the rotation that keeps others of the token from beginning
//	<prefix>2:{rotation:<registry>}:next:<token>      the token that took its place
//	<prefix>2:{rotation:<registry>}:previous:<token>  the token whose place it took
//	<prefix>2:{office:<office>}:holder       who holds the office
//	<prefix>2:{office:<office>}:term         its last term
//	<prefix>2:{schedule}:due                 tokens by when they have to be deleted
//	<prefix>2:{schedule}:taken               those that were handed out, by when they are visible again
//	<prefix>2:{schedule}:by                  by tokens, who asked for their deletion
//
// All that stands in angle brackets is a hash. What is due next is asked of all deletions at once, so they are in one
// place.

// key is where something stands by itself.
func (r *Redis) key(kind string, sum keySum) string {
	return r.prefix + keyVersion + kind + ":" + sum.text()
}

// rotationKey is where something about a token's rotation stands.
func (r *Redis) rotationKey(part string, token providers.ID) string {
	return r.tagged("rotation", sumOfID(token.OfRegistry())) + part + ":" + sumOfID(token).text()
}

// officeKey is where something about an office stands.
func (r *Redis) officeKey(part, office string) string {
	return r.tagged("office", sumOf(office)) + part
}

// tagged begins the keys of what lies in one place.
func (r *Redis) tagged(kind string, sum keySum) string {
	return r.prefix + keyVersion + "{" + kind + ":" + sum.text() + "}:"
}

// scheduleKeys are of the tokens by when they are due, by when those that were taken are visible again, and of who asked for it.
func (r *Redis) scheduleKeys() []string {
	tag := r.prefix + keyVersion + "{schedule}:"
	return []string{tag + "due", tag + "taken", tag + "by"}
}

func (s keySum) text() string { return base64.RawURLEncoding.EncodeToString(s[:]) }

func sumOfID(id providers.ID) keySum {
	return sumOf(string(id.Kind), id.Provider, id.Organization, id.Registry, id.Native)
}
