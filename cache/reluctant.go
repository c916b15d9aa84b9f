package cache

import "context"

type reluctantKey struct{}

// Reluctant returns a context whose loads give up sooner than others would. Readers who wait for such a load, and do not
// come with such a context themselves, are not told that it failed: a load is made for them. So it is where what is stale
// is being renewed.
func Reluctant(ctx context.Context) context.Context {
	return context.WithValue(ctx, reluctantKey{}, true)
}

func reluctant(ctx context.Context) bool {
	is, _ := ctx.Value(reluctantKey{}).(bool)
	return is
}

// deserted are the places of readers whose flight failed that was another's, who did not try as they would,
// or could not.
func deserted[K comparable, V any](ctx context.Context, seats []seat[K, V], entries []Entry[V]) (places []int) {
	if ctx.Err() != nil {
		return nil
	}
	for _, s := range seats {
		entry := entries[s.index]
		if s.another(entry) || s.flight.reluctant && !reluctant(ctx) && entry.Err != nil {
			places = append(places, s.index)
		}
	}
	return places
}
