package soak

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// mark begins the names of all tokens of the load, and of no others.
const mark = "soak-"

// kept is a token of the load. Whoever took it out of the pool has it alone.
type kept struct {
	id      string
	place   Place
	renames bool // the name may change, and tells the turn; else the end does
	number  int
	turn    int // counts what was made of it
}

// pool has the registries that the load writes to, and its tokens.
type pool struct {
	mu         sync.Mutex
	registries map[string][]Place // by account; Registry is an id
	idle       map[string][]*kept // by account
	ids        []string           // of tokens that were created of late, there or not
	places     map[string]Place   // of ids
	numbers    int
}

// newest is how many tokens are asked for by id.
const newest = 40

// any returns any registry.
func (p *pool) any() Place {
	return p.pick(slices.Collect(maps.Keys(p.registries))[rand.IntN(len(p.registries))])
}

// pick returns any registry of an account.
func (p *pool) pick(account string) Place {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.registries[account]
	return list[rand.IntN(len(list))]
}

// number numbers a new token.
func (p *pool) number() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.numbers++
	return p.numbers
}

// take takes any token of an account that nobody has; nil: there is none.
func (p *pool) take(account string) *kept {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.idle[account]
	if len(list) == 0 {
		return nil
	}
	i := rand.IntN(len(list))
	token := list[i]
	list[i] = list[len(list)-1]
	p.idle[account] = list[:len(list)-1]
	return token
}

// put gives a token, new or taken, to the others.
func (p *pool) put(token *kept) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle[token.place.Account] = append(p.idle[token.place.Account], token)
	if _, known := p.places[token.id]; known {
		return
	}
	p.places[token.id] = token.place
	p.ids = append(p.ids, token.id)
	if len(p.ids) > newest {
		delete(p.places, p.ids[0])
		p.ids = p.ids[1:]
	}
}

// size counts the tokens of an account that nobody has.
func (p *pool) size(account string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle[account])
}

// some returns the ids of up to n tokens of one registry, there or not.
func (p *pool) some(n int) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.ids) == 0 {
		return nil
	}
	place := p.places[p.ids[rand.IntN(len(p.ids))]]
	var found []string
	for _, i := range rand.Perm(len(p.ids)) {
		if id := p.ids[i]; p.places[id] == place && len(found) < n {
			found = append(found, id)
		}
	}
	return found
}

// shape is what a token's numbers make of it.
func (k *kept) shape() (name string, expiry map[string]any, value string) {
	if k.renames {
		name = fmt.Sprintf("%s%d-v%d", mark, k.number, k.turn)
		return name, nil, valueOf(name, "")
	}
	name = fmt.Sprintf("%s%d", mark, k.number)
	end := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(k.turn) * time.Minute).Format(time.RFC3339)
	return name, map[string]any{"at": end}, valueOf(name, end)
}

// valueOf is what the history knows of a token.
func valueOf(name, expiresAt string) string { return strings.TrimSpace(name + " " + expiresAt) }
