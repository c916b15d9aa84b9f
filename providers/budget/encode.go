package budget

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"
)

// format names the way in which a state is written down. Change it with what is written.
const format = "rb2"

var errUnreadable = errors.New("what is kept there is no state of this budget")

// encode writes a state down, as that of the key.
func encode(key string, s *state) []byte {
	p := &pen{text: append([]byte(nil), format...)}
	p.state(s)
	return binary.LittleEndian.AppendUint32(p.text, sum(key, p.text))
}

// decode reads what encode wrote for the same key, and nothing else.
func decode(key string, text []byte) (*state, error) {
	const check = 4
	if len(text) < len(format)+check || string(text[:len(format)]) != format {
		return nil, errUnreadable
	}
	body := text[:len(text)-check]
	if binary.LittleEndian.Uint32(text[len(body):]) != sum(key, body) {
		return nil, errUnreadable
	}
	p, s := &pen{text: body[len(format):], reads: true}, &state{}
	p.state(s)
	if p.wrong || len(p.text) > 0 {
		return nil, errUnreadable
	}
	return s, nil
}

func sum(key string, text []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE([]byte(key)), crc32.IEEETable, text)
}

// pen writes or reads: each part is named once, for both ways.
type pen struct {
	text  []byte // written so far, or left to read
	reads bool
	wrong bool
	base  moment // moments are told from here
}

func (p *pen) state(s *state) {
	p.moment(&s.written)
	p.base = s.written
	p.count(&s.writes)
	p.string(&s.server)
	p.count(&s.lineage)
	number(p, &s.manner)
	number(p, &s.answers)
	p.bool(&s.verified)
	p.bool(&s.common)
	p.moment(&s.trusted)
	p.moment(&s.gather)
	p.moment(&s.paused)
	p.count(&s.term)
	list(p, &s.windows, (*pen).window)
	list(p, &s.sent, (*pen).sent)
	list(p, &s.assumed, (*pen).assumed)
	list(p, &s.log, (*pen).bucket)
	list(p, &s.members, (*pen).member)
}

func (p *pen) window(w *window) {
	p.string(&w.scope)
	p.string(&w.of)
	number(p, &w.limit)
	number(p, &w.used)
	p.moment(&w.asked)
	p.moment(&w.from)
	p.moment(&w.to)
	p.duration(&w.length)
	p.bool(&w.over)
	number(p, &w.swept)
}

func (p *pen) sent(q *sent) {
	p.count(&q.origin)
	p.count(&q.id)
	p.string(&q.of)
	number(p, &q.priority)
	p.moment(&q.taken)
	p.moment(&q.until)
	p.string(&q.only)
}

func (p *pen) assumed(a *assumed) {
	p.string(&a.scope)
	number(p, &a.start)
	number(p, &a.limit)
	p.moment(&a.cut)
	p.moment(&a.grown)
}

func (p *pen) bucket(b *bucket) {
	p.moment(&b.at)
	p.count(&b.origin)
	number(p, &b.count)
	number(p, &b.swept)
}

func (p *pen) member(m *member) {
	p.count(&m.origin)
	p.moment(&m.seen)
	number(p, &m.may)
	number(p, &m.among)
}

// moment is told from the base, which makes it short; 0 stays 0.
func (p *pen) moment(m *moment) {
	if !p.reads {
		var from int64
		if *m != 0 {
			from = int64(*m-p.base)<<1 | 1
		}
		p.signed(&from)
		return
	}
	var from int64
	p.signed(&from)
	*m = 0
	if from != 0 {
		*m = p.base + moment(from>>1)
	}
}

func (p *pen) duration(d *time.Duration) {
	n := int64(*d)
	p.signed(&n)
	*d = time.Duration(n)
}

func (p *pen) bool(b *bool) {
	var n uint64
	if *b {
		n = 1
	}
	p.count(&n)
	*b = n == 1
}

// number writes or reads a whole number of any kind.
func number[N ~int | ~uint8](p *pen, n *N) {
	wide := int64(*n)
	p.signed(&wide)
	*n = N(wide)
}

func (p *pen) signed(n *int64) {
	if !p.reads {
		p.text = binary.AppendVarint(p.text, *n)
		return
	}
	got, size := binary.Varint(p.text)
	p.skip(size)
	*n = got
}

func (p *pen) count(n *uint64) {
	if !p.reads {
		p.text = binary.AppendUvarint(p.text, *n)
		return
	}
	got, size := binary.Uvarint(p.text)
	p.skip(size)
	*n = got
}

func (p *pen) skip(size int) {
	if size <= 0 {
		p.wrong, p.text = true, nil
		return
	}
	p.text = p.text[size:]
}

func (p *pen) string(s *string) {
	size := uint64(len(*s))
	p.count(&size)
	if !p.reads {
		p.text = append(p.text, *s...)
		return
	}
	if size > uint64(len(p.text)) {
		p.wrong, p.text = true, nil
		return
	}
	*s = string(p.text[:size])
	p.text = p.text[size:]
}

// list writes or reads the parts of a list. One is at least a byte long, so that rubbish claims no memory.
func list[T any](p *pen, all *[]T, part func(*pen, *T)) {
	size := uint64(len(*all))
	p.count(&size)
	if p.reads {
		if size > uint64(len(p.text)) {
			p.wrong, p.text = true, nil
			return
		}
		*all = make([]T, size)
	}
	for i := range *all {
		part(p, &(*all)[i])
	}
}
