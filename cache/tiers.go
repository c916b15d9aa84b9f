package cache

import (
	"context"
	"time"
)

// mostAhead is by how much another machine's clock may be ahead of this one's. What seems to come from further in the
// future would never grow old.
const mostAhead = 2 * time.Second

// farKey keeps the views apart in the Store.
func (v *View[K, V]) farKey(name Key) Key {
	return Key{Scope: name.Scope, Item: Join(v.config.Name, name.Item)}
}

// decode returns the item that the far tier has for f, if it is newer than one that there is near, or that is nil; nil:
// none. Rubbish is deleted.
func (v *View[K, V]) decode(ctx context.Context, f *flight[K, V], far answer, near *item[K, V], now time.Time) *item[K, V] {
	if v.config.Decode == nil || len(far.Value) == 0 {
		return nil
	}
	key := v.farKey(f.name)
	sealed, err := unseal(key.Encode(), far.Value)
	if err == nil && sealed.observed.After(now.Add(mostAhead)) {
		err = errRubbish // nobody knows how old it is
	}
	if err == nil && (sealed.generation != far.Generation || near != nil && !sealed.observed.After(near.observed)) {
		return nil
	}
	var value V
	var payload []byte
	if err == nil {
		payload, err = sealed.unpack()
	}
	if err == nil {
		value, err = v.config.Decode(f.key, payload)
	}
	if err != nil {
		v.cache.far.deleteMany(ctx, key)
		return nil
	}
	it := v.newItem(f.key, f.scope, f.moment, far)
	it.far = true
	if sealed.observed.After(now) {
		sealed.observed = now
	}
	v.fill(it, value, sealed.observed)
	if it.gone(now) {
		return nil
	}
	v.count.far.Add(1)
	return it
}

// share has a loaded item written to the far tier, unless a bump came since its flight began, and the right to load it
// given back then, if this process has that until leased. It tells whether it does.
func (v *View[K, V]) share(name Key, it *item[K, V], leased time.Time) bool {
	if v.config.Encode == nil || it.generation == 0 || it.gone(time.Now()) || !it.scope.holds(it.moment) {
		return false
	}
	key := v.farKey(name)
	sealed, err := v.seal(key, it)
	if err != nil {
		v.cache.far.errors.Add(1)
		return false
	}
	v.cache.send(&parcel{
		Item:  Item{Key: key, Value: sealed, Generation: it.generation},
		scope: it.scope, moment: it.moment, goneAt: it.goneAt, leased: leased,
	})
	return true
}

func (v *View[K, V]) seal(key Key, it *item[K, V]) ([]byte, error) {
	payload, err := v.config.Encode(it.key, it.value)
	if err != nil {
		return nil, err
	}
	return envelope{generation: it.generation, observed: it.observed, payload: payload}.seal(key.Encode())
}
