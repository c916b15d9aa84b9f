package catalog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"regtok/providers"
)

// MaxPage is the most items of a page.
const MaxPage = 100

// PageRequest asks for a page of a list.
type PageRequest struct {
	First int
	After string // a cursor; empty: from the beginning
}

// Page is a part of a list in an order.
type Page[T any] struct {
	Items []T
	// All are the items of the whole list, in no order.
	All                  []T
	HasPrevious, HasNext bool
	order                Order[T]
}

// Cut returns the page that r asks for. A size outside 1 to MaxPage and a cursor that is damaged, or of another
// list or order, are Invalid.
func Cut[T any](items []T, order Order[T], r PageRequest) (Page[T], error) {
	if r.First < 1 || r.First > MaxPage {
		return Page[T]{}, &providers.Error{Kind: providers.Invalid, Field: "first",
			Message: fmt.Sprintf("first is %d; ask for 1 to %d and follow pageInfo.endCursor for more", r.First, MaxPage)}
	}
	page := Page[T]{All: items, order: order}
	rest := items
	if r.After != "" {
		key, id, err := order.position(r.After)
		if err != nil {
			return Page[T]{}, err
		}
		rest = make([]T, 0, len(items))
		for _, item := range items {
			if order.compareKeys(order.key(item), order.id(item), key, id) > 0 {
				rest = append(rest, item)
			}
		}
		page.HasPrevious = len(rest) < len(items)
	}
	page.Items = smallest(rest, r.First, order.compare)
	page.HasNext = len(rest) > len(page.Items)
	return page, nil
}

// smallest returns the n smallest items in order, and leaves items as they are.
func smallest[T any](items []T, n int, compare func(a, b T) int) []T {
	sorted := slices.Clone(items)
	slices.SortFunc(sorted, compare)
	return sorted[:min(n, len(sorted))]
}

// Cursor is the place of an item of this page.
func (p Page[T]) Cursor(item T) string {
	key := p.order.key(item)
	id := p.order.id(item).String()
	position := "n:"
	switch {
	case key.none:
	case key.text != "":
		position = "t:" + key.text
	default:
		position = "d:" + strconv.FormatInt(key.time, 36)
	}
	return providers.EncodeCursor(p.order.scope(), id+" "+position)
}

// position reads a cursor of this order.
func (o Order[T]) position(cursor string) (sortKey, providers.ID, error) {
	text, err := providers.DecodeCursor(cursor, o.scope())
	if err != nil {
		return sortKey{}, providers.ID{}, err
	}
	damaged := &providers.Error{Kind: providers.Invalid, Field: "after", Message: "the cursor is damaged"}
	encoded, position, _ := strings.Cut(text, " ")
	id, err := providers.ParseID(encoded)
	if err != nil {
		return sortKey{}, providers.ID{}, damaged
	}
	kind, value, _ := strings.Cut(position, ":")
	switch kind {
	case "n":
		return sortKey{none: true}, id, nil
	case "t":
		return sortKey{text: value}, id, nil
	case "d":
		at, err := strconv.ParseInt(value, 36, 64)
		if err != nil {
			return sortKey{}, providers.ID{}, damaged
		}
		return sortKey{time: at}, id, nil
	}
	return sortKey{}, providers.ID{}, damaged
}

func (o Order[T]) scope() string {
	if o.desc {
		return o.name + ", descending"
	}
	return o.name
}
