package catalog

import (
	"fmt"
	"time"

	"regtok/providers"
)

// codecVersion is the first byte of every packed value: what another version has packed is read anew.
const codecVersion = 1

// kindCredential is the second byte of a packed end of a credential. Elsewhere that is the kind of the ids.
const kindCredential providers.IDKind = 'c'

// codec packs the things of one kind for the far tier: where all of a list come from once, then each of them. Due dates
// are left out, because they follow from the policy of whoever reads. docs/decisions/packed-values.md tells why the form is
// our own.
type codec[T any] struct {
	kind  providers.IDKind
	least int // bytes that a thing takes at least
	id    func(*T) *providers.ID
	// child makes the id of a thing of a list.
	child func(holder providers.ID, native string) providers.ID
	// parts are all but the id and what complete adds.
	parts    func(stream, *T)
	complete func(*T, *Account, time.Time)
	// seen is who saw a thing, and when.
	seen func(*T) (*Account, time.Time)
}

// packList packs the list of a key; nil stays nil.
func (c codec[T]) packList(of at, list []*T) ([]byte, error) {
	p := newPacker(c.kind, of)
	p.count(len(list), list == nil, c.least)
	if len(list) == 0 {
		return p.bytes, nil
	}
	_, observed := c.seen(list[0])
	p.moment(&observed)
	for _, v := range list {
		c.item(p, v, of.id)
		if account, at := c.seen(v); p.bad || account != of.account || at != observed {
			return nil, fmt.Errorf("catalog: %+v does not belong to %+v", *c.id(v), of.id)
		}
	}
	return p.bytes, nil
}

// unpackList reads what packList wrote for this key; all else is errUnreadable.
func (c codec[T]) unpackList(of at, packed []byte) ([]*T, error) {
	u := newUnpacker(packed, c.kind, of)
	n, isNil := u.count(0, false, c.least)
	if isNil {
		return nil, u.err()
	}
	values, list := make([]T, n), make([]*T, n)
	var observed time.Time
	if n > 0 {
		u.moment(&observed)
	}
	for i := range values {
		list[i] = &values[i]
		c.item(u, list[i], of.id)
		c.complete(list[i], of.account, observed)
	}
	if err := u.err(); err != nil {
		return nil, err
	}
	return list, nil
}

// packOne packs a thing alone.
func (c codec[T]) packOne(key within, v *T) ([]byte, error) {
	if *c.id(v) != key.id {
		return nil, fmt.Errorf("catalog: %+v is not %+v", *c.id(v), key.id)
	}
	return c.packList(key.list, []*T{v})
}

// unpackOne reads what packOne wrote for this key; all else is errUnreadable.
func (c codec[T]) unpackOne(key within, packed []byte) (*T, error) {
	list, err := c.unpackList(key.list, packed)
	if err != nil {
		return nil, err
	}
	if len(list) != 1 || *c.id(list[0]) != key.id {
		return nil, errUnreadable
	}
	return list[0], nil
}

func (c codec[T]) item(s stream, v *T, holder providers.ID) {
	id := c.id(v)
	s.id(id, c.child(holder, s.native(id.Native)))
	c.parts(s, v)
}

func packCredential(a *Account, end time.Time) ([]byte, error) {
	p := newPacker(kindCredential, of(a))
	p.moment(&end)
	return p.bytes, nil
}

func unpackCredential(a *Account, packed []byte) (end time.Time, err error) {
	u := newUnpacker(packed, kindCredential, of(a))
	u.moment(&end)
	return end, u.err()
}

// of is what holds an account's own lists.
func of(a *Account) at { return at{a, a.ID()} }
