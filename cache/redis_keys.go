package cache

import (
	"crypto/sha256"
	"encoding/base64"
)

// redisVersion stands in every key in Redis. Change it with what lies under the keys, and with that format's names.
const redisVersion = "cache2:"

// A scope's keys share a hash tag, which is made of the scope, so that one node of a cluster has them all:
//
//	<prefix>cache2:{<scope>}         its generation
//	<prefix>cache2:{<scope>}<entry>  an entry's envelope
//	<prefix>cache2:{<scope>}<entry>:<generation>  the lease of who loads it
//	<prefix>cache2:listeners         who hears of bumps, and until when that counts, by Redis's clock
//
// Scope and entry are hashes of Scope.Encode and Key.Encode: short, and of characters that Redis gives no meaning to.
// That an entry is the key's own, its envelope tells.

// shelf is a scope in Redis, and what is asked of it.
type shelf struct {
	names   []string // its generation's key, then those of the entries asked for
	indexes []int    // where they stand among the questions
	bare    []int    // where those stand that ask for the generation only
	away    bool     // the server that has it could not be asked
}

// number enters the generation into the answers of the shelf's questions.
func (s *shelf) number(found []Found, generation Generation) {
	for _, indexes := range [][]int{s.indexes, s.bare} {
		for _, index := range indexes {
			found[index].Generation = generation
		}
	}
}

// missing enters into the answers that its server could not be asked.
func (s *shelf) missing(found []Found) {
	for _, indexes := range [][]int{s.indexes, s.bare} {
		for _, index := range indexes {
			found[index] = Found{Away: true}
		}
	}
}

// shelve puts questions in the order of their scopes.
func (r *Redis) shelve(questions []Question) []*shelf {
	shelves := make([]*shelf, 0, len(questions))
	known := make(map[Scope]*shelf, len(questions))
	for i, question := range questions {
		key := question.Key
		s := known[key.Scope]
		if s == nil {
			s = &shelf{names: append(make([]string, 0, 2), r.scopeName(key.Scope))}
			known[key.Scope] = s
			shelves = append(shelves, s)
		}
		if question.Bare {
			s.bare = append(s.bare, i)
			continue
		}
		s.names = append(s.names, entryName(s.names[0], key))
		s.indexes = append(s.indexes, i)
	}
	return shelves
}

func (r *Redis) scopeName(scope Scope) string {
	name := make([]byte, 0, 128)
	name = append(name, r.prefix...)
	name = append(name, redisVersion+"{"...)
	name = appendDigest(name, scope.Encode())
	return string(append(name, '}'))
}

func (r *Redis) valueName(key Key) string { return entryName(r.scopeName(key.Scope), key) }

func entryName(scopeName string, key Key) string {
	return string(appendDigest(append(make([]byte, 0, 128), scopeName...), key.Encode()))
}

func leaseName(entryName string, under Generation) string { return entryName + ":" + under.number() }

// bumpChannel is where bumps are told, and heardChannel where others tell the process of that origin that they have heard.
func (r *Redis) bumpChannel() string { return r.prefix + redisVersion + "bumps" }

func (r *Redis) heardChannel(origin string) string {
	return r.prefix + redisVersion + "heard:" + origin
}

func (r *Redis) listenersName() string { return r.prefix + redisVersion + "listeners" }

// appendDigest appends 128 bits of a hash.
func appendDigest(name []byte, text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.AppendEncode(name, sum[:16])
}
