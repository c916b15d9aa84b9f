package activity

import "maps"

// Figures are what a [Trail] tells of itself. What counts, counts from its start.
type Figures struct {
	// Done and Noticed are how many events this process told first, by kind: with an actor, and without.
	Done, Noticed map[Kind]uint64
	// Unsaid is how many deeds wait to be entered, and Lost how many there was no room for.
	Unsaid int
	Lost   uint64
	// Dropped is how many lists there was no room for.
	Dropped uint64
	// Fails tells whether the index or the log cannot be reached.
	Fails bool
}

type figures struct{ Figures }

// Figures returns them as they are now. It waits for nothing.
func (t *Trail) Figures() Figures {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.figures.Figures
	now.Done, now.Noticed, now.Unsaid = maps.Clone(now.Done), maps.Clone(now.Noticed), len(t.unsaid)
	return now
}

// told counts an event.
func (t *Trail) told(e Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.Done == nil {
		t.Done, t.Noticed = map[Kind]uint64{}, map[Kind]uint64{}
	}
	if e.Actor != "" {
		t.Done[e.Kind]++
	} else {
		t.Noticed[e.Kind]++
	}
}
