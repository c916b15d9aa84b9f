package cache

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"

	"github.com/klauspost/compress/s2"
)

// errRubbish says that bytes are no envelope of the key that they were found under.
var errRubbish = errors.New("cache: not an envelope of this key")

// errTooLarge says that a value stays in its process.
var errTooLarge = errors.New("cache: too large for the far tier")

// envelopeVersion is the first byte of an envelope. Change it with the format, or with the meaning of values.
const envelopeVersion = 2

// An envelope is how a value lies in the far tier:
//
//	version     1 byte
//	checksum    4 bytes, CRC-32C of everything after it
//	packing     1 byte
//	generation  8 bytes
//	observed    8 bytes, Unix nanoseconds
//	key         its length in 4 bytes, then Key.Encode
//	payload     the rest
//
// Numbers are big endian. A payload is packed when that is worth while: its packing is asIs or asS2, a block of S2, which
// is fast rather than thorough, because each reader unpacks what one writer packs.
type envelope struct {
	generation Generation
	observed   time.Time
	payload    []byte
	packing    byte // of the payload
}

const (
	asIs = 0
	asS2 = 1

	packFrom   = 1 << 10  // bytes; what is smaller fits into a packet anyway
	maxPayload = 32 << 20 // bytes, unpacked

	checksumAt   = 1
	packingAt    = checksumAt + 4
	generationAt = packingAt + 1
	observedAt   = generationAt + 8
	keyLengthAt  = observedAt + 8
	keyAt        = keyLengthAt + 4
)

// seal returns errTooLarge for what unseal would not unpack.
func (e envelope) seal(key string) ([]byte, error) {
	if len(e.payload) > maxPayload {
		return nil, errTooLarge
	}
	packing, payload := pack(e.payload)
	sealed := make([]byte, packingAt, keyAt+len(key)+len(payload))
	sealed[0] = envelopeVersion
	sealed = append(sealed, packing)
	sealed = binary.BigEndian.AppendUint64(sealed, uint64(e.generation))
	sealed = binary.BigEndian.AppendUint64(sealed, uint64(e.observed.UnixNano()))
	sealed = binary.BigEndian.AppendUint32(sealed, uint32(len(key)))
	sealed = append(sealed, key...)
	sealed = append(sealed, payload...)
	binary.BigEndian.PutUint32(sealed[checksumAt:], checksum(sealed[packingAt:]))
	return sealed, nil
}

// unseal reads an envelope of key; errRubbish when it is none. Its payload is still packed, and shares its memory with
// sealed: whether it is wanted at all, the rest may tell.
func unseal(key string, sealed []byte) (envelope, error) {
	if len(sealed) < keyAt+len(key) || sealed[0] != envelopeVersion {
		return envelope{}, errRubbish
	}
	if binary.BigEndian.Uint32(sealed[checksumAt:]) != checksum(sealed[packingAt:]) {
		return envelope{}, errRubbish
	}
	if int64(binary.BigEndian.Uint32(sealed[keyLengthAt:])) != int64(len(key)) || string(sealed[keyAt:keyAt+len(key)]) != key {
		return envelope{}, errRubbish
	}
	return envelope{
		generation: Generation(binary.BigEndian.Uint64(sealed[generationAt:])),
		observed:   time.Unix(0, int64(binary.BigEndian.Uint64(sealed[observedAt:]))),
		payload:    sealed[keyAt+len(key):],
		packing:    sealed[packingAt],
	}, nil
}

func pack(payload []byte) (packing byte, packed []byte) {
	if len(payload) < packFrom {
		return asIs, payload
	}
	if packed = s2.Encode(nil, payload); len(packed) > len(payload)-len(payload)/8 {
		return asIs, payload
	}
	return asS2, packed
}

// unpack returns the payload of an envelope that was unsealed, which may share its memory with it. It makes no more bytes
// than a value may have, whatever the envelope says.
func (e envelope) unpack() ([]byte, error) {
	switch e.packing {
	case asIs:
		return e.payload, nil
	case asS2:
		if length, err := s2.DecodedLen(e.payload); err != nil || length > maxPayload {
			return nil, errRubbish
		}
		payload, err := s2.Decode(nil, e.payload)
		if err != nil {
			return nil, errRubbish
		}
		return payload, nil
	default:
		return nil, errRubbish
	}
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }
