package cachetest

import (
	"sync"
	"time"

	"regtok/cache"
)

// Ears are a watcher that notes what it is told.
type Ears struct {
	// Heard gets the scopes of bumps.
	Heard chan cache.Scope

	mu           sync.Mutex
	since, until time.Time
	lost         int
}

// NewEars makes a watcher that hears of up to a thousand bumps without being looked after.
func NewEars() *Ears { return &Ears{Heard: make(chan cache.Scope, 1000)} }

// Registered implements cache.Watcher.
func (e *Ears) Registered(since, until time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.since, e.until = since, until
}

// Bumped implements cache.Watcher.
func (e *Ears) Bumped(scope cache.Scope) { e.Heard <- scope }

// Lost implements cache.Watcher.
func (e *Ears) Lost() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lost++
}

// Deaf implements cache.Watcher.
func (*Ears) Deaf(error) {}

// Registration is what it was told of late.
func (e *Ears) Registration() (since, until time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.since, e.until
}

// TimesLost counts how often the store may have forgotten something.
func (e *Ears) TimesLost() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lost
}

// Listens tells whether bumps wait for it.
func (e *Ears) Listens() bool {
	_, until := e.Registration()
	return time.Now().Before(until)
}
