package ledger

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"regtok/providers"
)

// mostInMemory bounds the calls, the rotations and the deletions, each. It is some 50 MB of each.
const mostInMemory = 100_000

// Memory is a ledger that lasts as long as its process. It holds so many calls, rotations and deletions and no more:
// when it is full, and nothing in it has ended, further ones are refused with [ErrUnavailable], and what is in it stays.
// What was claimed or begun can always be settled or finished.
type Memory struct {
	locks locks
	most  int

	mu        sync.Mutex
	calls     shelf[keySum, Call]
	begun     shelf[providers.ID, Rotation] // by the old token, while no other rotation of it may begin
	next      shelf[providers.ID, providers.ID]
	previous  shelf[providers.ID, providers.ID]
	deletions map[providers.ID]*pending
	held      shelf[string, uint64] // the terms of offices that are held
	terms     map[string]uint64     // the last term of each office; there are as many as accounts
}

// pending is a deletion that is not done.
type pending struct {
	at, hiddenUntil time.Time
	by              string
}

// visible is when it may be handed out.
func (p *pending) visible() time.Time {
	if p.at.Before(p.hiddenUntil) {
		return p.hiddenUntil
	}
	return p.at
}

var _ Ledger = (*Memory)(nil)

// NewMemory makes an empty ledger.
func NewMemory() *Memory {
	return &Memory{most: mostInMemory, deletions: map[providers.ID]*pending{}, terms: map[string]uint64{}}
}

// Durable implements Ledger: it is not.
func (m *Memory) Durable() bool { return false }

// open takes the lock of what is held, for a call that has not ended.
func (m *Memory) open(ctx context.Context) (shut func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	return m.mu.Unlock, nil
}

func full(of string) error {
	return fmt.Errorf("%w: there are too many %s in memory", ErrUnavailable, of)
}

// Claim implements Ledger.
func (m *Memory) Claim(ctx context.Context, key Key, call Call) (present Call, mine bool, err error) {
	shut, err := m.open(ctx)
	if err != nil {
		return Call{}, false, err
	}
	defer shut()
	if found, ok := m.calls.get(key.sum()); ok {
		return found.value, false, nil
	}
	if m.calls.size(m.most) >= m.most {
		return Call{}, false, full("calls with idempotency keys")
	}
	m.calls.put(key.sum(), call, time.Now().Add(CallsKept))
	return call, true, nil
}

// Settle implements Ledger.
func (m *Memory) Settle(ctx context.Context, key Key, call Call) error {
	shut, err := m.open(ctx)
	if err != nil {
		return err
	}
	defer shut()
	until := call.Began.Add(CallsKept)
	if found, ok := m.calls.get(key.sum()); ok {
		until = found.until
	}
	m.calls.put(key.sum(), call, until)
	return nil
}

// Release implements Ledger.
func (m *Memory) Release(ctx context.Context, key Key) error {
	shut, err := m.open(ctx)
	if err != nil {
		return err
	}
	defer shut()
	if found, ok := m.calls.get(key.sum()); ok && found.value.State == Running {
		m.calls.drop(key.sum())
	}
	return nil
}

// Lock implements Ledger. The lock of this process's own is never lost.
func (m *Memory) Lock(ctx context.Context, token providers.ID) (unlock func(), err error) {
	return m.locks.lock(ctx, token)
}

// BeginRotation implements Ledger.
func (m *Memory) BeginRotation(ctx context.Context, rotation Rotation) (present Rotation, mine bool, err error) {
	shut, err := m.open(ctx)
	if err != nil {
		return Rotation{}, false, err
	}
	defer shut()
	if found, ok := m.begun.get(rotation.Old); ok {
		return found.value, false, nil
	}
	if m.rotationsFull() {
		return Rotation{}, false, full("rotations")
	}
	m.begun.put(rotation.Old, rotation, time.Now().Add(RotationLease))
	return rotation, true, nil
}

// rotationsFull tells whether a rotation that begins now could not be finished: that it adds to those that are done.
func (m *Memory) rotationsFull() bool {
	m.next.size(m.most) // never more than the previous
	done := m.previous.size(m.most - len(m.begun.entries))
	return done+m.begun.size(m.most-done) >= m.most
}

// FinishRotation implements Ledger.
func (m *Memory) FinishRotation(ctx context.Context, rotation Rotation) error {
	shut, err := m.open(ctx)
	if err != nil {
		return err
	}
	defer shut()
	m.begun.put(rotation.Old, rotation, rotation.overlapEnds())
	m.next.put(rotation.Old, rotation.New, rotation.keptUntil())
	m.previous.put(rotation.New, rotation.Old, rotation.keptUntil())
	return nil
}

// AbandonRotation implements Ledger.
func (m *Memory) AbandonRotation(ctx context.Context, old providers.ID) error {
	shut, err := m.open(ctx)
	if err != nil {
		return err
	}
	defer shut()
	if found, ok := m.begun.get(old); ok && found.value.New.IsZero() {
		m.begun.drop(old)
	}
	return nil
}

// Successors implements Ledger.
func (m *Memory) Successors(ctx context.Context, olds []providers.ID) ([]providers.ID, error) {
	return m.lookUp(ctx, &m.next, olds)
}

// Predecessors implements Ledger.
func (m *Memory) Predecessors(ctx context.Context, news []providers.ID) ([]providers.ID, error) {
	return m.lookUp(ctx, &m.previous, news)
}

func (m *Memory) lookUp(ctx context.Context, in *shelf[providers.ID, providers.ID], ids []providers.ID) ([]providers.ID, error) {
	shut, err := m.open(ctx)
	if err != nil {
		return nil, err
	}
	defer shut()
	others := make([]providers.ID, len(ids))
	for i, id := range ids {
		found, _ := in.get(id)
		others[i] = found.value
	}
	return others, nil
}

// Schedule implements Ledger.
func (m *Memory) Schedule(ctx context.Context, deletion Deletion) error {
	shut, err := m.open(ctx)
	if err != nil {
		return err
	}
	defer shut()
	if found := m.deletions[deletion.Token]; found != nil {
		found.at, found.by = deletion.At, deletion.By
		return nil
	}
	if len(m.deletions) >= m.most {
		return full("deletions")
	}
	m.deletions[deletion.Token] = &pending{at: deletion.At, by: deletion.By}
	return nil
}

// Unschedule implements Ledger.
func (m *Memory) Unschedule(ctx context.Context, token providers.ID) error {
	shut, err := m.open(ctx)
	if err != nil {
		return err
	}
	defer shut()
	delete(m.deletions, token)
	return nil
}

// TakeDue implements Ledger.
func (m *Memory) TakeDue(ctx context.Context, now time.Time, limit int, lease time.Duration) (due []Deletion, next time.Time, err error) {
	shut, err := m.open(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer shut()
	for token, p := range m.deletions {
		if !p.visible().After(now) {
			due = append(due, Deletion{Token: token, At: p.at, By: p.by})
		}
	}
	slices.SortFunc(due, func(a, b Deletion) int { return a.At.Compare(b.At) })
	due = due[:min(len(due), max(limit, 0))]
	for _, d := range due {
		m.deletions[d.Token].hiddenUntil = now.Add(lease)
	}
	for _, p := range m.deletions {
		next = sooner(next, p.visible())
	}
	return due, next, nil
}

// Lead implements Ledger. Nobody else can hold an office of this process's own.
func (m *Memory) Lead(ctx context.Context, office string, life time.Duration) (term uint64, mine bool, err error) {
	shut, err := m.open(ctx)
	if err != nil {
		return 0, false, err
	}
	defer shut()
	if _, ok := m.held.get(office); !ok {
		m.terms[office]++
	}
	term = m.terms[office]
	m.held.put(office, term, time.Now().Add(life))
	return term, true, nil
}

// Resign implements Ledger.
func (m *Memory) Resign(ctx context.Context, office string, term uint64) error {
	shut, err := m.open(ctx)
	if err != nil {
		return err
	}
	defer shut()
	if m.terms[office] == term {
		m.held.drop(office)
	}
	return nil
}
