package catalog

import (
	"errors"
	"time"

	"regtok/cache"
	"regtok/providers"
)

const (
	mostLooks = 500 // at lists that are kept, in one question
	// surveyEvery is how often it is looked whether most of what was kept is not any more, at most.
	surveyEvery = 10 * time.Second
)

// survey finds out what is kept.
func (w *walk) survey() {
	w.look(w.stations[w.account.ID()])
	for _, s := range w.lists(providers.OrganizationKind) {
		w.look(s)
	}
	lists := w.lists(providers.RegistryKind)
	for len(lists) > 0 {
		some := lists[:min(mostLooks, len(lists))]
		lists = lists[len(some):]
		keys := make([]at, len(some))
		for i, s := range some {
			keys[i] = s.list
		}
		entries, kept := w.c.views.tokens.Look(w.ctx, keys)
		for i, s := range some {
			w.kept(s, entries[i], kept[i])
		}
	}
}

// forgotten tells whether most of what was kept is not any more. Then it goes first, as it does in a first fill. Single
// lists, which a write has ended, wait for their turn.
func (w *walk) forgotten(now time.Time) bool {
	if _, news := w.gone(); news == 0 || now.Sub(w.surveyed) < surveyEvery {
		return false
	}
	w.surveyed = now
	w.survey()
	if all, _ := w.gone(); 2*all < len(w.stations) {
		return false
	}
	for _, s := range w.stations {
		s.lost = s.lost || s.gone
	}
	w.refill()
	return true
}

// look takes note of what is kept of a list.
func (w *walk) look(s *station) {
	switch s.list.id.Kind {
	case providers.AccountKind:
		entries, kept := w.c.views.organizations.Look(w.ctx, []*Account{w.account})
		w.there(s, kept[0], entries[0].Cause)
		w.organizations(s, entries[0])
	case providers.OrganizationKind:
		entries, kept := w.c.views.registries.Look(w.ctx, []at{s.list})
		w.there(s, kept[0], entries[0].Cause)
		w.registries(s, entries[0])
	default:
		entries, kept := w.c.views.tokens.Look(w.ctx, []at{s.list})
		w.kept(s, entries[0], kept[0])
	}
}

// kept takes note of a registry's tokens that somebody else has read, who may have died before telling anybody.
func (w *walk) kept(s *station, entry cache.Entry[[]*Token], kept bool) {
	w.there(s, kept, entry.Cause)
	if w.tokens(s, entry) {
		w.c.tell(w.ctx, s.list, entry.ObservedAt, entry.Value)
	}
}

// there takes note of whether what was kept of a list still is, and counts: after Redis has started again it does not. Where
// nothing leans on the sweep, it need not be kept.
func (w *walk) there(s *station, kept bool, cause error) {
	s.gone = !s.seen.IsZero() && (errors.Is(cause, cache.ErrForgotten) || !kept && !w.c.sweep.tells)
	s.lost = s.lost && s.gone
}

// observed takes note of when what is kept of a list was observed; false: nothing is, or it is known.
func observed[V any](s *station, entry cache.Entry[V]) bool {
	if entry.Err != nil || errors.Is(entry.Cause, cache.ErrForgotten) || !entry.ObservedAt.After(s.seen) {
		return false
	}
	s.seen, s.gone, s.lost = entry.ObservedAt, false, false
	return true
}
