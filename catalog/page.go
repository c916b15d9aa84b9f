package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
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

// Check is the error that Cut would return for r, so that nothing need be read in vain.
func (o Order[T]) Check(r PageRequest) error {
	_, err := o.start(r)
	return err
}

// Cut returns the page that r asks for. A size outside 1 to MaxPage and a cursor that is damaged, or of another
// list or order, are Invalid.
func Cut[T any](items []T, order Order[T], r PageRequest) (Page[T], error) {
	after, err := order.start(r)
	if err != nil {
		return Page[T]{}, err
	}
	next, behind := order.next(items, after, r.First)
	return Page[T]{
		Items: next, All: items, order: order,
		HasPrevious: behind < len(items), HasNext: len(next) < behind,
	}, nil
}

// start is the place behind which the page begins; nil: the beginning.
func (o Order[T]) start(r PageRequest) (*place, error) {
	if r.First < 1 || r.First > MaxPage {
		return nil, &providers.Error{Kind: providers.Invalid, Field: "first",
			Message: fmt.Sprintf("first is %d; ask for 1 to %d and follow pageInfo.endCursor for more", r.First, MaxPage)}
	}
	if r.After == "" {
		return nil, nil
	}
	after, err := o.position(r.After)
	if err != nil {
		return nil, err
	}
	return &after, nil
}

// next returns the first n of the items behind a place, nil being the beginning, and how many are behind it in all.
// A page is short and a list may be long, so keeping the smallest is many times faster than sorting them all. Most items
// are told apart by their keys, so an id is looked at only where these are equal.
func (o Order[T]) next(items []T, after *place, n int) (kept []T, behind int) {
	kept = make([]T, 0, min(n, len(items)))
	keys := make([]sortKey, 0, cap(kept)) // of kept
	for _, item := range items {
		key := o.key(item)
		if after != nil && cmp.Or(o.compareKeys(key, after.key), compareIDs(o.id(item), after.id)) <= 0 {
			continue
		}
		behind++
		full := len(kept) == n
		if full && o.compareItems(key, item, keys[n-1], kept[n-1]) >= 0 {
			continue
		}
		if full {
			kept, keys = kept[:n-1], keys[:n-1]
		}
		i := sort.Search(len(kept), func(i int) bool { return o.compareItems(key, item, keys[i], kept[i]) < 0 })
		kept, keys = slices.Insert(kept, i, item), slices.Insert(keys, i, key)
	}
	return kept, behind
}

// Cursor is the place of an item of this page.
func (p Page[T]) Cursor(item T) string { return p.order.Cursor(item) }

// Cursor is the place of an item in any list of this order.
func (o Order[T]) Cursor(item T) string {
	at := o.place(item)
	position := "n:"
	switch {
	case at.key.none:
	case at.key.text != "":
		position = "t:" + at.key.text
	default:
		position = "d:" + strconv.FormatInt(at.key.time, 36)
	}
	return providers.EncodeCursor(o.scope(), at.id.String()+" "+position)
}

// position reads a cursor of this order.
func (o Order[T]) position(cursor string) (place, error) {
	damaged := &providers.Error{Kind: providers.Invalid, Field: "after",
		Message: "the cursor is damaged, or of another list or order; take pageInfo.endCursor of the page before, or leave it out"}
	text, err := providers.DecodeCursor(cursor, o.scope())
	if err != nil {
		return place{}, damaged
	}
	encoded, position, _ := strings.Cut(text, " ")
	id, err := providers.ParseID(encoded)
	if err != nil {
		return place{}, damaged
	}
	kind, value, _ := strings.Cut(position, ":")
	switch kind {
	case "n":
		return place{sortKey{none: true}, id}, nil
	case "t":
		return place{sortKey{text: value}, id}, nil
	case "d":
		at, err := strconv.ParseInt(value, 36, 64)
		if err != nil {
			return place{}, damaged
		}
		return place{sortKey{time: at}, id}, nil
	}
	return place{}, damaged
}

func (o Order[T]) scope() string {
	if o.desc {
		return o.name + ", descending"
	}
	return o.name
}
