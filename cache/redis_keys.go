package cache

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// redisVersion stands in every key in Redis, so that processes of two versions share nothing, not even bumps. Change it
// when something else lies under keys that look the same.
const redisVersion = "cache2:"

// A scope's keys share a hash tag, which is made of the scope, so that one node of a cluster has them all:
//
//	<prefix>cache2:{<scope>}        its generation
//	<prefix>cache2:{<scope>}<item>  an entry's envelope
//	<prefix>cache2:{<scope>}lease:<generation>:<item>  the lease of who loads it
//	<prefix>cache2:listeners        who hears of bumps, and until when that counts, by Redis's clock
//
// A scope is a hash of Scope.Encode: short, without the tenant's name, and of characters that Redis gives no meaning to. An
// item is Key.Item as it is, with its length before it: to hash each of a hundred items takes longer than to have Redis
// asked for them.

// shelf is a scope in Redis, and who asks about it.
type shelf struct {
	name   string // its generation's key
	places []int  // where those stand among the questions that ask about it
	away   bool   // the server that has it could not be asked
}

// shelve puts questions in the order of their scopes.
func (r *Redis) shelve(questions []Question) (shelves []shelf) {
	known := map[Scope]int{} // not made for many: what is asked about is often one registry's
	places := make([]int, len(questions))
	for i := range places {
		places[i] = i
	}
	for len(places) > 0 {
		scope := questions[places[0]].Key.Scope
		row := 1 // as many as follow one another with that scope
		for row < len(places) && questions[places[row]].Key.Scope == scope {
			row++
		}
		if at, ok := known[scope]; ok {
			shelves[at].places = append(shelves[at].places, places[:row]...)
		} else {
			known[scope] = len(shelves)
			shelves = append(shelves, shelf{name: r.scopeName(scope), places: places[:row:row]})
		}
		places = places[row:]
	}
	return shelves
}

// appendNames appends the key of the shelf's generation, and then those of the entries that it is asked for.
func (s shelf) appendNames(names []string, questions []Question) []string {
	names = append(names, s.name)
	scope := append(make([]byte, 0, 256), s.name...)
	var all strings.Builder // one piece of memory costs less than one for each
	for _, i := range s.places {
		if questions[i].Bare {
			continue
		}
		name := appendJoined(scope, questions[i].Key.Item)
		begin := all.Len()
		if begin == 0 {
			all.Grow(len(s.places) * len(name)) // about, since the others are much like it
		}
		all.Write(name)
		names = append(names, all.String()[begin:])
	}
	return names
}

// number enters the generation into the answers of the shelf's questions.
func (s shelf) number(found []Found, generation Generation) {
	for _, i := range s.places {
		found[i].Generation = generation
	}
}

// missing enters into the answers that its server could not be asked.
func (s shelf) missing(found []Found) {
	for _, i := range s.places {
		found[i] = Found{Away: true}
	}
}

func (r *Redis) scopeName(scope Scope) string {
	sum := sha256.Sum256(scope.appendTo(make([]byte, 0, 256)))
	name := append(make([]byte, 0, 128), r.prefix...)
	name = append(name, redisVersion+"{"...)
	name = base64.RawURLEncoding.AppendEncode(name, sum[:16])
	return string(append(name, '}'))
}

func entryName(scopeName string, key Key) string {
	return string(appendJoined(append(make([]byte, 0, 256), scopeName...), key.Item))
}

func leaseName(scopeName string, key Key, under Generation) string {
	return entryName(scopeName+"lease:"+under.number()+":", key)
}

// bumpChannel is where bumps are told, and heardChannel where others tell the process of that origin that they have heard.
func (r *Redis) bumpChannel() string { return r.prefix + redisVersion + "bumps" }

func (r *Redis) heardChannel(origin string) string {
	return r.prefix + redisVersion + "heard:" + origin
}

func (r *Redis) listenersName() string { return r.prefix + redisVersion + "listeners" }
