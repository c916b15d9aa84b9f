package expiry

import (
	"context"
	"time"

	"regtok/eventlog"
	"regtok/providers"
)

// Index keeps the states of all tokens that are watched. All its methods are safe for concurrent use, by many processes
// where it is shared. Their errors are [ErrUnavailable], the context's, or a *providers.Error of the kind Invalid for what is no
// state of a token.
//
// There are two: [MemoryIndex] and [RedisIndex].
type Index interface {
	// Get returns the states of tokens, in their order; of a token that has none, one that has only its Subject.Token.
	Get(ctx context.Context, tokens []providers.ID) ([]State, error)
	// OfRegistry returns the states of all tokens of a registry, in no order: of those, too, that the registry no longer has.
	OfRegistry(ctx context.Context, registry providers.ID) ([]State, error)
	// Put keeps states that follow from those of the same Version, and removes those that are over. Where another came in
	// between, that one stays, and saved is false: an older one never takes the place of a newer one. The Version of those
	// that are saved is set to the new one. A state with something untold is to be looked at within moments, whatever it says:
	// should nobody tell it, somebody else will.
	Put(ctx context.Context, states []State) (saved []bool, err error)
	// Take returns at most limit states, about soonest first, that are to be looked at by now, and hides them from others until
	// now+lease, or until they are put. That spares work and no more: whoever takes one that another still works on
	// finds out when putting it. next is when to come again; zero: nothing is to be looked at. Clocks of processes that
	// share an index should agree to a second.
	Take(ctx context.Context, now time.Time, limit int, lease time.Duration) (states []State, next time.Time, err error)
	// Count is about how many states there are.
	Count(ctx context.Context) (int, error)
}

// tellWithin is how long whoever saved a state has to tell what is untold in it.
const tellWithin = 2 * time.Second

// mostRecorded is how many states are recorded at once.
const mostRecorded = 200

// Record keeps states in the index and tells the log what is untold in them, so that each step of a saved state is told once, and
// none that was not saved, although a process may die at any moment, and others may work on the same tokens:
//
//  1. The states are saved, each with its untold events. Where another process was faster, nothing is told.
//  2. The events are appended, which does nothing where they are there already.
//  3. The states are saved without them.
//
// What dies after the first step is found by [Index.Take] soon, and recorded again by whoever takes it. lost are the
// tokens whose states had changed meanwhile: get them, and apply the rule again. Several states of one token are one too many.
func Record(ctx context.Context, index Index, log Log, states []State) (lost []providers.ID, err error) {
	for len(states) > 0 && err == nil {
		part := states[:min(len(states), mostRecorded)]
		states = states[len(part):]
		var missed []providers.ID
		missed, err = record(ctx, index, log, part)
		lost = append(lost, missed...)
	}
	return lost, err
}

func record(ctx context.Context, index Index, log Log, states []State) (lost []providers.ID, err error) {
	states = append([]State(nil), states...) // their versions change
	saved, err := index.Put(ctx, states)
	if err != nil {
		return nil, err
	}
	var events []Event
	var told []State
	for i, s := range states {
		switch {
		case !saved[i]:
			lost = append(lost, s.Subject.Token)
		case len(s.Untold) > 0:
			events = append(events, s.Untold...)
			s.Untold = nil
			told = append(told, s)
		}
	}
	if len(told) == 0 {
		return lost, nil
	}
	if _, err := log.Append(ctx, events); err != nil {
		return lost, err
	}
	_, err = index.Put(ctx, told) // who was faster found them told, or tells them again, which does nothing
	return lost, err
}

// look is when a state that is put now is to be looked at; zero: never.
func (s State) look(now time.Time) time.Time {
	if len(s.Untold) > 0 {
		return now.Add(tellWithin)
	}
	return s.Look
}

// nextVersion is of the state that comes after one, and of no other of the token: not even after it was removed.
func (s State) nextVersion(now time.Time) uint64 {
	return max(s.Version+1, uint64(now.UnixMicro()))
}

// unknown is the state of a token of which nothing is known.
func unknown(token providers.ID) State { return State{Subject: Subject{Token: token}} }

// wholeStates refuses what could not be read back.
func wholeStates(states []State) error {
	for _, s := range states {
		if !eventlog.OfToken(s.Subject.Token) {
			return errUnencodable()
		}
	}
	return nil
}
