package expiry

import (
	"cmp"
	"slices"
	"time"
)

// Rule makes events out of what is known of a token, what was read, and the clock. It is a pure function of these, in any
// order and number of readings, and safe for concurrent use.
//
//   - [Threshold] is told once for each token, date and threshold, when the clock reaches that long before the date. One that lies
//     before the token was first read with that date is passed over: the token was born, moved or enabled inside it. So is
//     one that is new in the settings, where the token is inside it when it is first read with them.
//   - [Expired] is told when the date comes. Where the provider sets the date, also when the token is gone by then, since its
//     provider deletes it. What came while nobody looked is told later, in order, each step with the time that it was due.
//   - [Extended] is told when the token's date becomes later than the one that was announced last.
//   - [Withdrawn] is told when an announced token is no longer due: its date was cleared, it was disabled, or somebody deleted it
//     before its date. A token that its provider would delete within a minute anyway was deleted by it.
//   - A date that moves nearer is not told: its thresholds are, as they come. A disabled token is silent.
//
// Nothing is told by a reading older than Freshness: the rule asks to look first. Where that fails for as long as Patience,
// it is told by what is known. A warning waits for a tenth of the time that it warns of at most.
//
// A clock that is set forward makes steps come early; set back again, it makes none of them come twice.
type Rule struct {
	thresholds []time.Duration // longest first
	freshness  time.Duration
	patience   time.Duration
}

// Settings are what a rule can be told. Their zero values stand for the defaults.
type Settings struct {
	// Thresholds are how long before its date a token is worth a warning, in any order. Parts of a millisecond do not count.
	// None: the date itself is all that is told.
	Thresholds []time.Duration
	// Freshness is how old a reading may be that something is told by; a minute.
	Freshness time.Duration
	// Patience is how long a step waits for a provider that cannot be asked; 5 minutes.
	Patience time.Duration
}

const (
	skew       = time.Minute      // clocks may differ by so much
	lookAgain  = 15 * time.Second // after the provider could not be asked
	lingers    = 24 * time.Hour   // a token whose steps are all over is looked at so often, until it is gone
	mostUntold = 32               // of one token
)

// NewRule makes a rule.
func NewRule(s Settings) Rule {
	r := Rule{freshness: cmp.Or(s.Freshness, time.Minute), patience: cmp.Or(s.Patience, 5*time.Minute)}
	for _, threshold := range s.Thresholds {
		if whole := threshold.Truncate(time.Millisecond); whole > 0 {
			r.thresholds = append(r.thresholds, whole)
		}
	}
	slices.SortFunc(r.thresholds, func(a, b time.Duration) int { return cmp.Compare(b, a) })
	r.thresholds = slices.Compact(r.thresholds)
	return r
}

// Thresholds are those of the rule, longest first.
func (r Rule) Thresholds() []time.Duration { return slices.Clone(r.thresholds) }

// Outcome is what a rule makes of a state.
type Outcome struct {
	// State is what is known now. Its Untold ends with what has to be told.
	State State
	// Save tells whether State differs from before in what has to be kept: hand it to [Record] then.
	Save bool
	// LookFirst: something may have to be told, but the last reading is too old for that. Look at the token, not at what
	// is cached of it, and call [Rule.Read], or [Rule.Unread] where that fails. State is as before, but for a token that
	// is new: since when it is known has to be kept.
	LookFirst bool
}

// Read is for a token that was read. A reading that is older than what is known changes nothing.
func (r Rule) Read(s State, reading Reading, now time.Time) Outcome {
	reading = reading.tidy(now)
	if outdated(s, reading, now) || len(s.Untold) >= mostUntold {
		return r.Tick(s, now)
	}
	next := s
	next.ReadAt, next.Tried = reading.At, time.Time{}
	if s.Subject.Token.IsZero() {
		next.Subject = reading.Subject
	}
	switch {
	case reading.Gone:
		r.vanish(&next, reading)
	case reading.Disabled || reading.Due.IsZero():
		next.Subject = reading.Subject
		next.withdraw(reading.At)
	default:
		r.watch(&next, reading, now)
	}
	switch old := now.Sub(reading.At) > r.freshness; {
	case !old || len(next.Untold) == len(s.Untold):
		return outcome(s, next)
	case s.Due.IsZero():
		next.Untold, next.Told = s.Untold, s.Told
		next.Step = r.after(next, reading.At)
		next.Look = next.Step
		return Outcome{State: next, Save: true, LookFirst: true}
	}
	return Outcome{State: s, LookFirst: true}
}

// Tick is for a token whose time to be looked at has come: [State].Look. What is untold goes first: it has to be
// recorded, and the token looked at again after that.
func (r Rule) Tick(s State, now time.Time) Outcome {
	switch {
	case len(s.Untold) > 0:
		return Outcome{State: s, Save: true}
	case s.Due.IsZero():
		return outcome(s, s)
	}
	due := r.due(s, now)
	old := now.Sub(s.ReadAt) > r.freshness || s.ReadAt.Sub(now) > skew
	if old && (len(due) > 0 || s.Step.IsZero() && !now.Before(s.Look)) {
		return Outcome{State: s, LookFirst: true}
	}
	next := s
	r.advance(&next, due, now)
	return outcome(s, next)
}

// Unread is for a token that could not be looked at, though [Outcome].LookFirst asked for it.
func (r Rule) Unread(s State, now time.Time) Outcome {
	due := r.due(s, now)
	if len(s.Untold) > 0 || s.Due.IsZero() || len(due) == 0 && !s.Step.IsZero() {
		return r.Tick(s, now)
	}
	next := s
	if s.Tried.IsZero() || s.Tried.After(now) {
		next.Tried = ceil(now)
	}
	ripe := 0
	for ripe < len(due) && !now.Before(next.Tried.Add(r.waits(due[ripe]))) {
		ripe++
	}
	r.advance(&next, due[:ripe], now)
	switch left := due[ripe:]; {
	case len(left) > 0:
		next.Step = left[0].at
		next.Look = ceil(earlier(now.Add(lookAgain), next.Tried.Add(r.waits(left[0]))))
	case next.Step.IsZero():
		next.Look = ceil(now.Add(lingers / 24))
	}
	return outcome(s, next)
}

// Unowned is for a token that cannot be looked at because no account of this process has it. Another process may have: it is
// left to that one for as long as Patience, and then forgotten.
func (r Rule) Unowned(s State, now time.Time) Outcome {
	if len(s.Untold) > 0 || s.Due.IsZero() {
		return r.Tick(s, now)
	}
	next := s
	if s.Tried.IsZero() || s.Tried.After(now) {
		next.Tried = ceil(now)
	}
	if until := next.Tried.Add(r.patience); now.Before(until) {
		next.Look = ceil(earlier(now.Add(lookAgain), until))
	} else {
		next.end()
	}
	return outcome(s, next)
}

// Current is the last step of a token's date that is over: told, or passed over. It has the id under which it was told, or would
// have been. Not ok: the token is inside no threshold, or that step is still to be told.
func (r Rule) Current(s State, now time.Time) (e Event, ok bool) {
	if s.Due.IsZero() {
		return Event{}, false
	}
	for _, step := range r.steps(s.Due) {
		if step.at.After(now) || !s.Step.IsZero() && !step.at.Before(s.Step) {
			break
		}
		e, ok = step.event(s.Due), true
	}
	if !ok {
		return Event{}, false
	}
	s.Untold = nil
	s.tell(e)
	return s.Untold[0], true
}

// outdated tells whether what is known is newer than a reading. What was known by a clock that was wrong is not.
func outdated(s State, reading Reading, now time.Time) bool {
	return reading.At.Before(s.ReadAt) && s.ReadAt.Sub(now) <= skew
}

func outcome(before, after State) Outcome {
	if after.Over() {
		return Outcome{State: after, Save: before.Version > 0} // to remove it
	}
	return Outcome{State: after, Save: !after.same(before)}
}

// watch is for a token that is enabled and due.
func (r Rule) watch(s *State, reading Reading, now time.Time) {
	s.Subject, s.Source = reading.Subject, reading.Source
	if !s.Due.Equal(reading.Due) {
		s.Due = reading.Due
		if s.announced() && s.Due.After(s.Told.Due) {
			s.takeBack(Event{Kind: Extended, OccurredAt: reading.At, DueAt: s.Due, Was: s.Told.Due})
		}
		s.Step = r.after(*s, reading.At)
		s.Look = time.Time{}
	}
	r.advance(s, r.due(*s, now), now)
}

// vanish is for a token that is gone.
func (r Rule) vanish(s *State, reading Reading) {
	if s.Source == ByProvider && !s.Step.IsZero() {
		if !reading.At.Before(s.Due) {
			r.tell(s, r.due(*s, s.Due))
			s.end()
			return
		}
		if s.Due.Sub(reading.At) <= skew {
			s.Look = s.Due // to tell then that it came
			return
		}
	}
	if s.expired() {
		s.end()
		return
	}
	s.withdraw(reading.At)
}

// withdraw is for a token that is no longer due.
func (s *State) withdraw(at time.Time) {
	if s.announced() {
		s.takeBack(Event{Kind: Withdrawn, OccurredAt: at, DueAt: s.Told.Due})
	}
	s.end()
}

// advance tells the steps that are due, and finds the one to wait for and when to look.
func (r Rule) advance(s *State, due []step, now time.Time) {
	r.tell(s, due)
	s.Step = r.after(*s, now)
	switch {
	case !s.Step.IsZero():
		s.Look = s.Step
	case !s.Look.After(now):
		s.Look = ceil(now.Add(lingers))
	}
}

func (r Rule) tell(s *State, due []step) {
	for _, step := range due {
		s.tell(step.event(s.Due))
		s.Told = Announcement{Due: s.Due, Threshold: step.threshold}
	}
}

// step is a moment of a date that is told.
type step struct {
	at        time.Time
	threshold time.Duration // 0: the date itself
}

func (p step) event(due time.Time) Event {
	e := Event{Kind: Threshold, Threshold: p.threshold, OccurredAt: p.at, DueAt: due}
	if p.threshold == 0 {
		e.Kind = Expired
	}
	return e
}

// steps are those of a date, in order.
func (r Rule) steps(due time.Time) []step {
	steps := make([]step, 0, len(r.thresholds)+1)
	for _, threshold := range r.thresholds {
		steps = append(steps, step{due.Add(-threshold), threshold})
	}
	return append(steps, step{at: due})
}

// due are the steps that came and are not told yet.
func (r Rule) due(s State, now time.Time) []step {
	if s.Due.IsZero() || s.Step.IsZero() || s.Step.After(now) {
		return nil
	}
	steps := r.steps(s.Due)
	first := slices.IndexFunc(steps, func(p step) bool { return !p.at.Before(s.Step) })
	last := slices.IndexFunc(steps, func(p step) bool { return p.at.After(now) })
	if first < 0 {
		return nil
	}
	if last < 0 {
		last = len(steps)
	}
	return steps[first:max(first, last)]
}

// after is the first step after a moment that was not told; zero: none.
func (r Rule) after(s State, moment time.Time) time.Time {
	for _, p := range r.steps(s.Due) {
		if p.at.After(moment) && p.at.After(s.told()) {
			return p.at
		}
	}
	return time.Time{}
}

// waits is how long a step waits for a provider that cannot be asked.
func (r Rule) waits(p step) time.Duration {
	if p.threshold == 0 {
		return r.patience
	}
	return min(r.patience, p.threshold/10)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
