package emulator

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultPerPage = 30
	maxPerPage     = 100
)

// list answers a list that is whole unless the choice says otherwise. memory keeps the encoded whole; nil: the list
// depends on who asks.
func list[T, V any](c *call, items []T, memory *listing, view func(T) V) answer {
	if c.choices.is(paginateLists, "always") {
		return page(c, ordered(c, items), view)
	}
	whole := func() any { return views(ordered(c, items), view) }
	if memory == nil {
		return answer{body: whole()}
	}
	return answer{encoded: memory.encoded(c.base, whole)}
}

// page answers the part of a list that the query asks for, and links to its neighbours.
func page[T, V any](c *call, items []T, view func(T) V) answer {
	query := c.request.URL.Query()
	number := positive(query.Get("page"), 1)
	size := min(positive(query.Get("per_page"), defaultPerPage), maxPerPage)
	pages := max(1, (len(items)+size-1)/size)
	if number > pages {
		items = nil
	} else {
		from := (number - 1) * size
		items = items[from:min(from+size, len(items))]
	}
	a := answer{body: views(items, view)}
	if links := c.links(query, number, pages); links != "" {
		a.header = http.Header{"Link": {links}}
	}
	return a
}

// links is the Link header of one page of several; empty for the only page.
func (c *call) links(query url.Values, number, pages int) string {
	if pages == 1 {
		return ""
	}
	var links []string
	link := func(rel string, number int) {
		query.Set("page", strconv.Itoa(number))
		links = append(links, "<"+c.base+c.request.URL.EscapedPath()+"?"+query.Encode()+`>; rel="`+rel+`"`)
	}
	if number < pages {
		link("next", number+1)
		link("last", pages)
	}
	if number > 1 {
		link("first", 1)
		link("prev", min(number-1, pages))
	}
	return strings.Join(links, ", ")
}

// positive reads a count out of a query; what is none is the fallback.
func positive(text string, fallback int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return fallback
	}
	return n
}

// ordered gives a list, kept oldest first, the order of the choice.
func ordered[T any](c *call, items []T) []T {
	if c.choices.is(listOrder, "oldest_first") {
		return items
	}
	items = slices.Clone(items)
	slices.Reverse(items)
	return items
}

// views is never nil: an empty list is [], not null.
func views[T, V any](items []T, view func(T) V) []V {
	shown := make([]V, len(items))
	for i, item := range items {
		shown[i] = view(item)
	}
	return shown
}
