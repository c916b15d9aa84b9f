package ionos

import (
	"context"
	"net/url"
	"strconv"

	"regtok/providers/rest"
)

const (
	// pageSize is the documented default of both APIs, and the most that the Cloud API gives.
	pageSize = 100
	// maxPages ends a list whose upstream never does.
	maxPages = 1000
	// badItem is why a list is spoilt by one item.
	badItem = "an item's id is no UUID"
)

// item is what lists hold.
type item interface{ native() string }

// collected gathers the items of several pages, each once, though the list may change between two pages.
type collected[T item] struct {
	items []T
	seen  map[string]bool
}

// add tells how many of a page's items are new; ok is false when one has no proper id.
func (c *collected[T]) add(page []T) (fresh int, ok bool) {
	if c.seen == nil {
		c.seen = make(map[string]bool, len(page))
	}
	for _, item := range page {
		id := item.native()
		if !rest.IsUUID(id) {
			return 0, false
		}
		if !c.seen[id] {
			c.seen[id] = true
			c.items = append(c.items, item)
			fresh++
		}
	}
	return fresh, true
}

// tokenPage is a page of a list that pagination.token leads through.
type tokenPage[T item] struct {
	Items      []T `json:"items"`
	Pagination *struct {
		Token string `json:"token"`
	} `json:"pagination"`
	Links links `json:"_links"`
}

type links struct {
	Next string `json:"next"`
}

// next is the token of the page behind this one; empty: there is none.
func (p tokenPage[T]) next() string {
	if p.Pagination != nil && p.Pagination.Token != "" {
		return p.Pagination.Token
	}
	// Whether the token may stand in the link alone is not documented.
	link, err := url.Parse(p.Links.Next)
	if err != nil {
		return ""
	}
	return link.Query().Get("pagination.token")
}

// listByToken reads a list that pagination.token leads through. The token alone says whether there is more, as its
// form (a Kubernetes list's) has it: pages may be short or empty on the way, and links are often left empty here.
func listByToken[T item](ctx context.Context, api *rest.API, call rest.Call) ([]T, error) {
	var all collected[T]
	sent := map[string]bool{}
	call.Query = url.Values{"limit": {strconv.Itoa(pageSize)}}
	for range maxPages {
		var page tokenPage[T]
		if _, err := api.Do(ctx, call, &page); err != nil {
			return nil, err
		}
		if page.Items == nil && page.Pagination == nil {
			return nil, api.Nonsense(call, "no list")
		}
		fresh, ok := all.add(page.Items)
		if !ok {
			return nil, api.Nonsense(call, badItem)
		}
		next := page.next()
		if next == "" {
			return all.items, nil
		}
		if sent[next] {
			// All that the tokens lead to is read, unless they lead nowhere: then it is the same page again.
			if fresh == 0 && len(page.Items) > 0 {
				break
			}
			return all.items, nil
		}
		sent[next] = true
		call.Query = url.Values{"limit": {strconv.Itoa(pageSize)}, "pagination.token": {next}}
	}
	return nil, api.Nonsense(call, "the list never ends")
}

// offsetPage is a page of a list with offset and limit. The Cloud API has no total.
type offsetPage[T item] struct {
	Items  []T    `json:"items"`
	Type   string `json:"type"`
	Offset *int   `json:"offset"`
	Limit  int    `json:"limit"`
	Total  *int   `json:"total"`
	Links  links  `json:"_links"`
}

// flaw is why the page cannot be the one that begins at offset; empty: it can.
func (p offsetPage[T]) flaw(offset int) string {
	switch {
	case p.Items == nil && p.Total == nil && p.Type == "":
		return "no list"
	case p.Offset != nil && *p.Offset != offset:
		return "the list begins elsewhere than asked for"
	}
	return ""
}

// more tells whether there is something behind this page, which begins at offset.
func (p offsetPage[T]) more(offset int) bool {
	if p.counted(offset) {
		return *p.Total > offset+len(p.Items)
	}
	size := pageSize
	if p.Limit > 0 && p.Limit < size {
		size = p.Limit // the server gives less at once than it was asked for
	}
	return len(p.Items) > 0 && (p.Links.Next != "" || len(p.Items) >= size)
}

// counted tells whether the page has a total that can be true. One behind the end of a list may well be smaller.
func (p offsetPage[T]) counted(offset int) bool {
	return p.Total != nil && (len(p.Items) == 0 || *p.Total >= offset+len(p.Items))
}

// listByOffset reads a list with offset and limit.
func listByOffset[T item](ctx context.Context, api *rest.API, call rest.Call) ([]T, error) {
	var all collected[T]
	query, offset, reached, total := call.Query, 0, 0, 0
	for range maxPages {
		call.Query = url.Values{"offset": {strconv.Itoa(offset)}, "limit": {strconv.Itoa(pageSize)}}
		for key, values := range query {
			call.Query[key] = values
		}
		var page offsetPage[T]
		if _, err := api.Do(ctx, call, &page); err != nil {
			return nil, err
		}
		if flaw := page.flaw(offset); flaw != "" {
			return nil, api.Nonsense(call, flaw)
		}
		fresh, ok := all.add(page.Items)
		if !ok {
			return nil, api.Nonsense(call, badItem)
		}
		again := offset < reached
		reached = max(reached, offset+len(page.Items))
		if page.counted(offset) {
			// Items that went away meanwhile have drawn others to places that were read already: go back as far.
			gone := total - *page.Total
			total = *page.Total
			if gone > 0 && offset > 0 {
				offset = max(0, offset-gone)
				continue
			}
		}
		if !page.more(offset) {
			return all.items, nil
		}
		if len(page.Items) == 0 || fresh == 0 && !again {
			return nil, api.Nonsense(call, "the list does not go on")
		}
		offset += len(page.Items)
	}
	return nil, api.Nonsense(call, "the list never ends")
}
