package eventlog

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"strconv"
	"strings"

	"regtok/providers"
)

// position is a place in a log. The zero position is the beginning of any.
type position struct {
	epoch   epoch
	ms, seq uint64 // as in the ids of a Redis Stream
}

// epoch is one life of a log: positions of two have nothing to do with one another. Zero: nothing was told yet.
type epoch uint64

// before compares positions of one epoch.
func (p position) before(o position) bool {
	return cmp.Or(cmp.Compare(p.ms, o.ms), cmp.Compare(p.seq, o.seq)) < 0
}

const (
	cursorVersion = 1
	cursorBody    = 1 + 3*8
	most          = 1 << 53 // of each part
)

// cursor writes a position down.
func (p position) cursor() Cursor {
	raw := append(make([]byte, 0, cursorBody+crc32.Size), cursorVersion)
	raw = binary.BigEndian.AppendUint64(raw, uint64(p.epoch))
	raw = binary.BigEndian.AppendUint64(raw, p.ms)
	raw = binary.BigEndian.AppendUint64(raw, p.seq)
	raw = binary.BigEndian.AppendUint32(raw, crc32.ChecksumIEEE(raw))
	return Cursor(base64.RawURLEncoding.EncodeToString(raw))
}

// position reads what cursor wrote, and nothing else: any other text is Invalid.
func (c Cursor) position() (position, error) {
	if c == "" {
		return position{}, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(string(c))
	if err != nil || len(raw) != cursorBody+crc32.Size || raw[0] != cursorVersion {
		return position{}, errCursor()
	}
	p := position{epoch(binary.BigEndian.Uint64(raw[1:])), binary.BigEndian.Uint64(raw[9:]), binary.BigEndian.Uint64(raw[17:])}
	// The sum, and the line ends that the decoder passes over; and what Redis would refuse.
	if p.cursor() != c || p.epoch == 0 || p.ms > most || p.seq > most {
		return position{}, errCursor()
	}
	return p, nil
}

func errCursor() error {
	return providers.InvalidError("", "read events", "after", "the cursor is damaged or of another kind of list")
}

// streamID is the position as Redis has it.
func (p position) streamID() string {
	return strconv.FormatUint(p.ms, 10) + "-" + strconv.FormatUint(p.seq, 10)
}

func parseStreamID(e epoch, id string) (position, bool) {
	ms, seq, _ := strings.Cut(id, "-")
	p := position{epoch: e}
	var errMS, errSeq error
	p.ms, errMS = strconv.ParseUint(ms, 10, 64)
	p.seq, errSeq = strconv.ParseUint(seq, 10, 64)
	return p, errMS == nil && errSeq == nil
}
