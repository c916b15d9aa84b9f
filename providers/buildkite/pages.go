package buildkite

import (
	"context"

	"regtok/providers/rest"
)

const (
	// maxPages ends a list whose links never do. Buildkite's largest page holds 100 items.
	maxPages = 1000
	// badItem is why a list is spoilt by one item.
	badItem = "an item's id is no UUID"
)

// item is what lists hold.
type item interface{ native() string }

// list reads a bare array, and the pages behind it as long as a Link header tells of one more. Each item comes once,
// though the list may change between two pages; an item without a proper id spoils the list.
func list[T item](ctx context.Context, a *adapter, call rest.Call) ([]T, error) {
	var items []T
	seen := map[string]bool{}
	read := map[string]bool{call.Query.Encode(): true}
	for len(read) <= maxPages {
		var page []T
		answer, err := a.do(ctx, call, &page)
		if err != nil {
			return nil, err
		}
		for _, item := range page {
			id := item.native()
			if !isUUID(id) {
				return nil, a.api.Nonsense(call, badItem)
			}
			if !seen[id] {
				seen[id] = true
				items = append(items, item)
			}
		}
		query, more, err := a.api.NextLink(answer, call)
		if err != nil || !more {
			return items, err
		}
		// The documentation shows a link with the credential in it. Ours stays in the header.
		query.Del("api_key")
		call.Query = query
		if read[query.Encode()] {
			break
		}
		read[query.Encode()] = true
	}
	return nil, a.api.Nonsense(call, "the list never ends")
}
