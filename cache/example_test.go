package cache_test

import (
	"context"
	"fmt"
	"time"

	"regtok/cache"
)

func Example() {
	c := cache.New(cache.Options{})
	defer c.Close()

	registry := func(name string) cache.Scope {
		return cache.Scope{Tenant: "account", Name: cache.Join("registry", name)}
	}
	tokens := cache.NewView(c, cache.Config[string, []string]{
		Name: "tokens of a registry",
		Key:  func(name string) cache.Key { return cache.Key{Scope: registry(name)} },
		Load: func(_ context.Context, name string) ([]string, error) {
			fmt.Println("asked for", name)
			return []string{name + "-ci", name + "-laptop"}, nil
		},
		Timeout: 10 * time.Second,
		Fresh:   func([]string) time.Duration { return 30 * time.Second },
		Stale:   10 * time.Minute,
	})

	ctx := context.Background()
	fmt.Println(tokens.Get(ctx, "images").Value)
	for _, entry := range tokens.GetMany(ctx, []string{"images", "gems"}) {
		fmt.Println(entry.Value)
	}
	c.Bump(ctx, registry("images")) // a token was deleted there
	fmt.Println(tokens.Get(ctx, "images").Value)
	// Output:
	// asked for images
	// [images-ci images-laptop]
	// asked for gems
	// [images-ci images-laptop]
	// [gems-ci gems-laptop]
	// asked for images
	// [images-ci images-laptop]
}
