package cache

import (
	"context"
	"time"
)

// ask asks the far tier about all flights at once. Where what is near needs no more than to be confirmed, only that is
// asked; if it is no longer true, the rest is fetched too.
func (v *View[K, V]) ask(ctx context.Context, flights []*flight[K, V]) []answer {
	now := time.Now()
	questions := make([]Question, len(flights))
	doubted := make([]*item[K, V], len(flights))
	for i, f := range flights {
		questions[i] = Question{Key: v.farKey(f.name), Bare: v.config.Decode == nil}
		if it := v.held(f.key, now); it != nil && it.fresh(now) && it.generation != 0 {
			questions[i].Bare, doubted[i] = true, it
		}
	}
	answers := v.cache.far.getMany(ctx, questions)
	if v.config.Decode == nil {
		return answers
	}
	var again []Question
	var places []int
	for i, it := range doubted {
		if it != nil && answers[i].asked && answers[i].Generation != it.generation {
			again, places = append(again, Question{Key: questions[i].Key}), append(places, i)
		}
	}
	if len(again) > 0 {
		for i, answer := range v.cache.far.getMany(ctx, again) {
			answers[places[i]] = answer
		}
	}
	return answers
}

// doubt asks the far tier for the generations of items.
func (v *View[K, V]) doubt(ctx context.Context, items []*item[K, V]) []answer {
	questions := make([]Question, len(items))
	for i, it := range items {
		questions[i] = Question{Key: v.farKey(v.config.Key(it.key)), Bare: true}
	}
	return v.cache.far.getMany(ctx, questions)
}

// peeked is what there is of a near item after the far tier was asked about it.
func (v *View[K, V]) peeked(it *item[K, V], far answer) (Entry[V], bool) {
	now := time.Now()
	if v.confirm(it, far) {
		return it.entry(now), true
	}
	if far.asked && !v.estranged(it, far) {
		return Entry[V]{}, false
	}
	return v.doubtful(it, far, now)
}

// doubtful is what there is of a near item that nobody can confirm: said to be old, if that may be said of it.
func (v *View[K, V]) doubtful(it *item[K, V], far answer, now time.Time) (Entry[V], bool) {
	switch {
	case it.err != nil, !v.coverable:
		return Entry[V]{}, false
	case far.asked:
		return it.despite(ErrForgotten, now), true
	}
	return it.despite(ErrUnconfirmed, now), true
}

// confirm tells whether it is still true. It is dropped when its scope was bumped by another process since. Where the far
// tier could not be asked, nobody knows.
func (v *View[K, V]) confirm(it *item[K, V], far answer) bool {
	if !far.asked {
		return false
	}
	if v.estranged(it, far) {
		return false
	}
	if far.Generation == 0 || far.Generation != it.generation {
		v.cache.near.drop(v.hash(it.key), it)
		return false
	}
	v.knew(it, far.at)
	return true
}

// estranged tells whether the far tier has lost what it knew since it was asked about it: whether its scope was bumped in
// between nobody can tell.
func (v *View[K, V]) estranged(it *item[K, V], far answer) bool {
	return far.asked && it.generation != 0 && far.Generation != 0 && it.generation.run() != far.Generation.run()
}

// unasked is what f's readers get at once where the far tier could not be asked: what is near, said to be old. Where it was
// asked and cannot know, those get it who tolerate its age; for the others it is loaded.
func (v *View[K, V]) unasked(f *flight[K, V], far answer, now time.Time) (Entry[V], bool) {
	if v.cache.far == nil || v.insisted(f) {
		return Entry[V]{}, false
	}
	if far.asked {
		it := v.held(f.key, now)
		if it == nil || !v.estranged(it, far) || !it.contents(v.tolerated(f), now) {
			return Entry[V]{}, false
		}
		return v.doubtful(it, far, now)
	}
	return v.admitted(v.held(f.key, now), v.tolerated(f), now)
}
