package activity

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"regtok/eventlog"
	"regtok/providers"
)

// Options are what a [Trail] is made of.
type Options struct {
	Log   Log
	Index Index
	// Settle is for how long a list that shows something new waits before it is told: longer than it takes until what is
	// done through this server, in any process, is entered. 0: half a minute.
	Settle time.Duration
	// Report hears why the index or the log cannot be reached, again and again while it cannot, and nil when it can; nil: nobody.
	// It must not wait.
	Report func(error)
	// Logger is told of what must not be; nil: nobody.
	Logger *slog.Logger
}

// Trail tells what happens to tokens: at once what was done, with whoever did it, and, a little later, what lists show that nobody
// of this server has done. Each thing is told once, however many processes have the same log and index. Its methods are safe for
// concurrent use.
type Trail struct {
	log    Log
	index  Index
	settle time.Duration
	report func(error)
	logger *slog.Logger
	roused chan struct{} // has room for one

	mu     sync.Mutex
	unsaid []*entry // deeds that could not be entered yet, in their order
	failed time.Time
	desk   desk
	figures
}

const (
	// tellTimeout is how long whoever did something waits until it is entered; then it is entered later.
	tellTimeout = time.Second
	// mostUnsaid bounds what waits to be entered.
	mostUnsaid = 10_000
	// retryAfter is how long what cannot be reached is left alone.
	retryAfter = time.Second
	// lastWords is how long a trail that ends tries to enter what it still has.
	lastWords = 2 * time.Second
	settle    = 30 * time.Second
)

// NewTrail makes a trail, which may be told of lists and deeds at once and begins with Run.
func NewTrail(o Options) *Trail {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Report == nil {
		o.Report = func(error) {}
	}
	if o.Settle <= 0 {
		o.Settle = settle
	}
	return &Trail{
		log: o.Log, index: o.Index, settle: o.Settle, report: o.Report, logger: o.Logger,
		roused: make(chan struct{}, 1), desk: newDesk(),
	}
}

// Deed is something that was done to a token through this server.
type Deed struct {
	Kind Kind
	// Actor is who did it; empty is nobody.
	Actor string
	Token providers.ID
	// State is what the token is like now; nil: it is gone, or not known.
	State *providers.Token
	// RegistryName may be empty: not known.
	RegistryName string
	// Set are the properties that were set, for Changed; the other kinds set all, or none.
	Set []providers.TokenField
	// RotatedTo is the new token, for Rotated.
	RotatedTo providers.ID
}

// Tell enters what was just done, although ctx may end meanwhile. It waits for that for a second at most: what cannot be entered by then
// is entered later, as long as this process lives. It never panics: whoever calls it may have a secret in hand.
func (t *Trail) Tell(ctx context.Context, deed Deed) {
	defer t.survive()
	e := newEntry(deed, time.Now())
	if t.busy() {
		t.keep(e)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTimeout)
	defer cancel()
	if err := t.enter(ctx, e); err != nil && t.trouble(err) {
		t.keep(e)
	}
}

// busy tells whether there is no use in trying to enter something now: others wait, or nothing could be reached a moment ago.
func (t *Trail) busy() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.unsaid) > 0 || time.Since(t.failed) < retryAfter
}

// keep keeps an entry for later.
func (t *Trail) keep(e *entry) {
	t.mu.Lock()
	full := len(t.unsaid) >= mostUnsaid
	if full {
		t.Lost++
	} else {
		t.unsaid = append(t.unsaid, e)
	}
	t.mu.Unlock()
	if full {
		t.logger.Error("an event of a token's activity is lost: too many wait to be told", "kind", e.event.Kind, "token", e.event.Subject.Token.String())
	}
	t.rouse()
}

// entry is a deed on its way into log and index.
type entry struct {
	event Event
	set   []providers.TokenField // of face; nil: all
	face  Face
	knows bool // what is known of the token is otherwise now
}

func newEntry(d Deed, now time.Time) *entry {
	e := &entry{
		event: Event{
			ID: newID(), Kind: d.Kind, OccurredAt: milli(now), Actor: eventlog.Cut(d.Actor), RotatedTo: d.RotatedTo,
			Subject: eventlog.Subject{Token: d.Token, RegistryName: d.RegistryName},
		},
		set: d.Set,
	}
	switch {
	case d.Kind == Deleted:
		e.face, e.knows = Face{At: milli(now), Gone: true}, true
	case d.State != nil:
		e.face, e.knows = faceOf(d.State, now), d.Kind != Rotated
		e.event.Subject.Name, e.event.Subject.CreatedBy = e.face.Name, e.face.CreatedBy
	}
	if d.Kind == Changed {
		e.event.Changed = ordered(d.Set)
	}
	e.event.Subject = e.event.Subject.Tidy()
	return e
}

// enter appends a deed to the log and lets the index know, so that nobody notices it as something new. Doing it again does no harm.
func (t *Trail) enter(ctx context.Context, e *entry) error {
	token := e.event.Subject.Token
	known, err := t.index.Roster(ctx, token.OfRegistry(), token.Native)
	if err != nil {
		return err
	}
	before, was := known.Faces[token.Native]
	if e.event.Subject.Name == "" { // of one that is gone, and was known
		e.event.Subject.Name, e.event.Subject.CreatedBy = before.Name, before.CreatedBy
	}
	if _, err := t.log.Append(ctx, []Event{e.event}); err != nil {
		return err
	}
	if e.knows {
		change := Change{Put: map[string]Face{token.Native: e.after(before, was && !before.Gone)}}
		if _, err := t.index.Change(ctx, token.OfRegistry(), change); err != nil {
			return err
		}
	}
	t.told(e.event)
	return nil
}

// after is what is known of the token after the deed.
func (e *entry) after(before Face, was bool) Face {
	if !was || e.set == nil || e.face.Gone {
		return e.face
	}
	return before.with(e.face, e.set)
}

// rouse makes the trail look what there is to do.
func (t *Trail) rouse() {
	select {
	case t.roused <- struct{}{}:
	default:
	}
}
