package cache

import (
	"context"
	"time"
)

// farKey keeps the views apart in the Store.
func (v *View[K, V]) farKey(name Key) Key {
	return Key{Scope: name.Scope, Item: Join(v.config.Name, name.Item)}
}

// decode returns the item that the far tier has for f; nil: none. Rubbish is deleted.
func (v *View[K, V]) decode(ctx context.Context, f *flight[K, V], far answer, now time.Time) *item[K, V] {
	if v.config.Decode == nil || len(far.Value) == 0 {
		return nil
	}
	key := v.farKey(f.name)
	sealed, err := unseal(key.Encode(), far.Value)
	if err == nil && sealed.generation != far.Generation {
		return nil
	}
	var value V
	if err == nil {
		value, err = v.config.Decode(f.key, sealed.payload)
	}
	if err != nil {
		v.cache.far.deleteMany(ctx, key)
		return nil
	}
	it := v.newItem(f.key, f.scope, f.moment, far)
	it.far = true
	if sealed.observed.After(now) { // another machine's clock
		sealed.observed = now
	}
	v.fill(it, value, sealed.observed)
	if it.gone(now) {
		return nil
	}
	v.count.far.Add(1)
	return it
}

// share writes a loaded item to the far tier, unless a bump came since its flight began.
func (v *View[K, V]) share(ctx context.Context, name Key, it *item[K, V]) {
	life := time.Until(it.goneAt)
	if v.config.Encode == nil || it.generation == 0 || life <= 0 || !v.cache.scopes.holds(it.scope, it.moment) {
		return
	}
	key := v.farKey(name)
	sealed, err := v.seal(key, it)
	if err != nil {
		v.cache.far.errors.Add(1)
		return
	}
	v.cache.far.set(ctx, Item{Key: key, Value: sealed, Generation: it.generation, For: life})
}

func (v *View[K, V]) seal(key Key, it *item[K, V]) ([]byte, error) {
	payload, err := v.config.Encode(it.key, it.value)
	if err != nil {
		return nil, err
	}
	return envelope{generation: it.generation, observed: it.observed, payload: payload}.seal(key.Encode())
}
