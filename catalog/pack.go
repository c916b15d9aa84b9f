package catalog

import (
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"regtok/providers"
)

// errUnreadable says that bytes are no packed value of this kind, version and server.
var errUnreadable = errors.New("catalog: not a packed value of this kind")

// stream takes the parts of a value one after the other, without names: a packer writes them, an unpacker reads them.
// So what is packed and what is unpacked is said once.
type stream interface {
	text(*string)
	truth(*bool)
	// native and present are parts that are no variables of the value; they return what is written or read.
	native(string) string
	present(bool) bool
	integer(*int64)
	moment(*time.Time)
	// count opens a list whose items take that many bytes at least; nil is another list than an empty one.
	count(n int, isNil bool, least int) (int, bool)
	// id is what is known of an id from where it stands, and is not written.
	id(id *providers.ID, known providers.ID)
}

// optional is a part that may be missing.
func optional[T any](s stream, part **T, parts func(stream, *T)) {
	if !s.present(*part != nil) {
		return
	}
	if *part == nil {
		*part = new(T)
	}
	parts(s, *part)
}

// each is a list of parts.
func each[T any](s stream, list *[]T, least int, parts func(stream, *T)) {
	n, isNil := s.count(len(*list), *list == nil, least)
	if isNil {
		return
	}
	if *list == nil {
		*list = make([]T, n)
	}
	for i := range *list {
		parts(s, &(*list)[i])
	}
}

func texts(s stream, list *[]string) { each(s, list, 1, stream.text) }

// yearOne is the zero time in Unix seconds.
const yearOne = -62135596800

// packer writes. It changes nothing of what it is shown, because that is shared.
type packer struct {
	bytes  []byte
	places map[string]uint64 // of the texts that were written
	bad    bool
}

var _ stream = (*packer)(nil)

// newPacker begins a packed value with what it is and where it belongs.
func newPacker(kind providers.IDKind, of at) *packer {
	p := &packer{bytes: []byte{codecVersion, byte(kind)}, places: map[string]uint64{}}
	p.native(of.account.tenant())
	p.native(of.id.String())
	return p
}

func (p *packer) write(n uint64) { p.bytes = binary.AppendUvarint(p.bytes, n) }

func (p *packer) integer(n *int64) { p.write(uint64(*n)) }

func (p *packer) text(s *string) { p.native(*s) }

// native writes a text that was written before as its place: lists repeat people, scopes and actions.
func (p *packer) native(s string) string {
	if place, known := p.places[s]; known {
		p.write(place<<1 | 1)
		return s
	}
	p.write(uint64(len(s)) << 1)
	p.bytes = append(p.bytes, s...)
	if s != "" {
		p.places[s] = uint64(len(p.places))
	}
	return s
}

func (p *packer) truth(b *bool) { p.present(*b) }

func (p *packer) present(b bool) bool {
	if b {
		p.write(1)
	} else {
		p.write(0)
	}
	return b
}

// moment keeps nanoseconds, and no zone.
func (p *packer) moment(t *time.Time) {
	p.write(uint64(t.Unix() - yearOne))
	p.write(uint64(t.Nanosecond()))
}

func (p *packer) count(n int, isNil bool, _ int) (int, bool) {
	if isNil {
		p.write(0)
	} else {
		p.write(uint64(n) + 1)
	}
	return n, isNil
}

func (p *packer) id(id *providers.ID, known providers.ID) { p.bad = p.bad || *id != known }

// unpacker reads. Bytes that make no sense give zeros from there on, and an error in the end.
type unpacker struct {
	rest  string
	known []string // the texts that were read
	bad   bool
}

var _ stream = (*unpacker)(nil)

// newUnpacker reads a packed value of that kind that belongs there.
func newUnpacker(packed []byte, kind providers.IDKind, of at) *unpacker {
	u := &unpacker{rest: string(packed)}
	rest, ok := strings.CutPrefix(u.rest, string([]byte{codecVersion, byte(kind)}))
	u.rest = rest
	if !ok || u.native("") != of.account.tenant() || u.native("") != of.id.String() {
		u.refuse()
	}
	return u
}

// err tells whether all that was read made sense, and nothing is left.
func (u *unpacker) err() error {
	if u.bad || u.rest != "" {
		return errUnreadable
	}
	return nil
}

func (u *unpacker) refuse() { u.bad, u.rest = true, "" }

func (u *unpacker) read() uint64 {
	var n uint64
	for i := 0; i < min(len(u.rest), binary.MaxVarintLen64); i++ {
		b := u.rest[i]
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			u.rest = u.rest[i+1:]
			return n
		}
	}
	u.refuse()
	return 0
}

func (u *unpacker) integer(n *int64) { *n = int64(u.read()) }

func (u *unpacker) text(s *string) { *s = u.native("") }

// native shares the memory of what is read.
func (u *unpacker) native(string) string {
	n := u.read()
	size := n >> 1
	switch {
	case n&1 == 1 && size < uint64(len(u.known)):
		return u.known[size]
	case n&1 == 0 && size <= uint64(len(u.rest)):
		s := u.rest[:size]
		u.rest = u.rest[size:]
		if s != "" {
			u.known = append(u.known, s)
		}
		return s
	}
	u.refuse()
	return ""
}

func (u *unpacker) truth(b *bool) { *b = u.present(false) }

func (u *unpacker) present(bool) bool {
	n := u.read()
	if n > 1 {
		u.refuse()
	}
	return n == 1
}

func (u *unpacker) moment(t *time.Time) {
	seconds, nanoseconds := u.read(), u.read()
	if nanoseconds >= uint64(time.Second) {
		u.refuse()
		return
	}
	*t = time.Unix(int64(seconds)+yearOne, int64(nanoseconds)).UTC()
}

// count believes no list that is longer than what is left: rubbish claims no memory.
func (u *unpacker) count(_ int, _ bool, least int) (int, bool) {
	n := u.read()
	if n > uint64(len(u.rest)/least)+1 {
		u.refuse()
		return 0, true
	}
	return int(max(n, 1) - 1), n == 0
}

func (u *unpacker) id(id *providers.ID, known providers.ID) {
	if known.Native == "" {
		u.refuse()
	}
	*id = known
}
