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

// codec packs the things of one kind for the far tier: what all of a list have in common once, then each of them. Due
// dates are left out, because they follow from the policy of whoever reads. docs/decisions/packed-values.md tells why
// the form is our own.
type codec[T any] struct {
	kind   providers.IDKind
	least  int // bytes that a thing takes at least
	id     func(*T) *providers.ID
	origin func(*T) origin
	// child makes the id of a thing of holder.
	child func(holder providers.ID, native string) providers.ID
	// parts are all but what follows from id and origin; complete adds that.
	parts    func(stream, *T)
	complete func(*T, origin)

	accounts map[string]*Account // by tenant
}

// origin is where the things of one list come from.
type origin struct {
	account *Account
	// holder is the registry of tokens, and the organization of registries. The ids of organizations and people tell
	// none: there it is the account.
	holder   providers.ID
	observed time.Time // zero for people
}

// packList packs a list; nil stays nil.
func (c codec[T]) packList(list []*T) ([]byte, error) {
	p := newPacker(c.kind)
	p.count(len(list), list == nil, c.least)
	if len(list) == 0 {
		return p.bytes, nil
	}
	common := c.origin(list[0])
	holder := common.holder.String()
	p.native(common.account.tenant())
	p.native(holder)
	p.moment(&common.observed)
	for _, v := range list {
		c.item(p, v, common.holder)
		if p.bad || holder == "" || c.origin(v) != common {
			return nil, fmt.Errorf("catalog: %+v does not belong to %+v", *c.id(v), common.holder)
		}
	}
	return p.bytes, nil
}

// packOne packs a thing alone.
func (c codec[T]) packOne(v *T) ([]byte, error) { return c.packList([]*T{v}) }

// unpackList reads what packList wrote; all else is errUnreadable.
func (c codec[T]) unpackList(packed []byte) ([]*T, error) {
	u := newUnpacker(packed, c.kind)
	n, isNil := u.count(0, false, c.least)
	if isNil {
		return nil, u.err()
	}
	if n == 0 {
		return []*T{}, u.err()
	}
	common, err := c.common(u)
	if err != nil {
		return nil, err
	}
	values, list := make([]T, n), make([]*T, n)
	for i := range values {
		list[i] = &values[i]
		c.item(u, list[i], common.holder)
		c.complete(list[i], common)
	}
	// The ids of another kind have other holders.
	if c.origin(list[0]) != common {
		u.refuse()
	}
	if err := u.err(); err != nil {
		return nil, err
	}
	return list, nil
}

// unpackOne reads what packOne wrote; all else is errUnreadable.
func (c codec[T]) unpackOne(packed []byte) (*T, error) {
	list, err := c.unpackList(packed)
	if err != nil {
		return nil, err
	}
	if len(list) != 1 {
		return nil, errUnreadable
	}
	return list[0], nil
}

// common reads what a list has in common, if it is of this server's accounts.
func (c codec[T]) common(u *unpacker) (origin, error) {
	account := c.accounts[u.native("")]
	holder, err := providers.ParseID(u.native(""))
	common := origin{account: account, holder: holder}
	u.moment(&common.observed)
	if u.bad || err != nil || account == nil || holder.Provider != account.Driver.Name {
		return origin{}, errUnreadable
	}
	return common, nil
}

func (c codec[T]) item(s stream, v *T, holder providers.ID) {
	id := c.id(v)
	s.id(id, c.child(holder, s.native(id.Native)))
	c.parts(s, v)
}

func packCredential(end time.Time) ([]byte, error) {
	p := newPacker(kindCredential)
	p.moment(&end)
	return p.bytes, nil
}

func unpackCredential(packed []byte) (end time.Time, err error) {
	u := newUnpacker(packed, kindCredential)
	u.moment(&end)
	return end, u.err()
}
