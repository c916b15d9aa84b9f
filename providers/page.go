package providers

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
)

// PageRequest asks for a part of a list.
type PageRequest struct {
	// Size is the most items wanted. 0: as many as the provider gives at once, which costs the fewest requests.
	Size int
	// Cursor is the Next of the page before; empty: the first page.
	Cursor string
}

// Page is a part of a list.
type Page[T any] struct {
	Items []T
	// Next is the cursor of the page after this one; empty: this is the last.
	Next string
}

// maxPages ends a list whose upstream never says that it is over.
const maxPages = 10_000

// All reads a whole list page by page, or fails: it never returns a part. An item that two pages show, because the
// list changed in between, comes once.
// Item ids are told apart by key.
func All[T any](ctx context.Context, key func(T) ID, page func(context.Context, PageRequest) (Page[T], error)) ([]T, error) {
	first, err := page(ctx, PageRequest{})
	if err != nil {
		return nil, err
	}
	if first.Next == "" {
		return first.Items, nil
	}
	items := slices.Clip(first.Items)
	seen := make(map[ID]bool, 2*len(items))
	for _, item := range items {
		seen[key(item)] = true
	}
	cursors := map[string]bool{}
	for next := first.Next; next != ""; {
		if cursors[next] || len(cursors) == maxPages {
			return nil, &Error{Kind: Unavailable, Reason: InvalidResponse, Op: "list", Err: errors.New("the list never ends")}
		}
		cursors[next] = true
		p, err := page(ctx, PageRequest{Cursor: next})
		if err != nil {
			return nil, err
		}
		for _, item := range p.Items {
			if id := key(item); !seen[id] {
				seen[id] = true
				items = append(items, item)
			}
		}
		next = p.Next
	}
	return items, nil
}

// CutPage cuts a page out of a whole list, for providers that give all at once. The list is the one named by scope;
// the page starts after the item that the cursor names, in the order of the items' native ids.
func CutPage[T any](items []T, scope string, key func(T) ID, request PageRequest) (Page[T], error) {
	after, err := DecodeCursor(request.Cursor, scope)
	if err != nil {
		return Page[T]{}, err
	}
	if request.Size <= 0 && after == "" {
		return Page[T]{Items: items}, nil
	}
	sorted := slices.Clone(items)
	slices.SortStableFunc(sorted, func(a, b T) int { return strings.Compare(key(a).Native, key(b).Native) })
	if after != "" {
		start, _ := slices.BinarySearchFunc(sorted, after, func(item T, native string) int {
			return cmp.Or(strings.Compare(key(item).Native, native), -1)
		})
		sorted = sorted[start:]
	}
	if request.Size <= 0 || len(sorted) <= request.Size {
		return Page[T]{Items: sorted}, nil
	}
	sorted = sorted[:request.Size]
	last := key(sorted[len(sorted)-1])
	return Page[T]{Items: sorted, Next: EncodeCursor(scope, last.Native)}, nil
}

// ReadPage cuts a page out of the list that read gives whole, as CutPage does. The list is the one that op lists of
// the thing named by of. A bad cursor is Invalid before anything is read.
func ReadPage[T any](op string, of ID, key func(T) ID, request PageRequest, read func() ([]T, error)) (Page[T], error) {
	scope := op + " " + of.String()
	if _, err := DecodeCursor(request.Cursor, scope); err != nil {
		return Page[T]{}, InvalidError(of.Provider, op, "after", badCursor)
	}
	items, err := read()
	if err != nil {
		return Page[T]{}, err
	}
	return CutPage(items, scope, key, request)
}

const (
	cursorVersion = 1
	cursorHead    = 1 + crc32.Size // version and sum come before the position
	badCursor     = "the cursor is damaged or belongs to another list"
)

// EncodeCursor makes the cursor of a position in the list that scope names. The empty position is the list's
// beginning, and its cursor is empty.
func EncodeCursor(scope, position string) string {
	if position == "" {
		return ""
	}
	raw := append(make([]byte, 0, cursorHead+len(position)), cursorVersion)
	raw = binary.BigEndian.AppendUint32(raw, cursorSum(scope, position))
	return base64.RawURLEncoding.EncodeToString(append(raw, position...))
}

// DecodeCursor returns the position in a cursor that EncodeCursor made for the same scope. A damaged cursor, and
// one of another list, is Invalid.
func DecodeCursor(cursor, scope string) (position string, err error) {
	if cursor == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil && len(raw) > cursorHead {
		position = string(raw[cursorHead:])
	}
	// Writing it again checks it all: version, sum, list, and the line ends that the decoder passes over.
	if position == "" || EncodeCursor(scope, position) != cursor {
		return "", InvalidError("", "list", "after", badCursor)
	}
	return position, nil
}

func cursorSum(scope, position string) uint32 {
	return crc32.ChecksumIEEE(fmt.Appendf(nil, "%d:%s:%s", len(scope), scope, position))
}
