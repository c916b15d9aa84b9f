package cache

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"
)

// errRubbish says that bytes are no envelope of the key that they were found under.
var errRubbish = errors.New("cache: not an envelope of this key")

// envelopeVersion is the first byte of an envelope. Change it with the format, or with the meaning of values.
const envelopeVersion = 1

// An envelope is how a value lies in the far tier:
//
//	version     1 byte
//	checksum    4 bytes, CRC-32C of everything after it
//	generation  8 bytes
//	observed    8 bytes, Unix nanoseconds
//	key         its length in 4 bytes, then Key.Encode
//	payload     the rest
//
// Numbers are big endian.
type envelope struct {
	generation Generation
	observed   time.Time
	payload    []byte
}

const (
	checksumAt   = 1
	generationAt = checksumAt + 4
	observedAt   = generationAt + 8
	keyLengthAt  = observedAt + 8
	keyAt        = keyLengthAt + 4
)

func (e envelope) seal(key string) []byte {
	sealed := make([]byte, checksumAt+4, keyAt+len(key)+len(e.payload))
	sealed[0] = envelopeVersion
	sealed = binary.BigEndian.AppendUint64(sealed, uint64(e.generation))
	sealed = binary.BigEndian.AppendUint64(sealed, uint64(e.observed.UnixNano()))
	sealed = binary.BigEndian.AppendUint32(sealed, uint32(len(key)))
	sealed = append(sealed, key...)
	sealed = append(sealed, e.payload...)
	binary.BigEndian.PutUint32(sealed[checksumAt:], checksum(sealed[generationAt:]))
	return sealed
}

// unseal reads an envelope of key; errRubbish when it is none. The payload shares its memory with sealed.
func unseal(key string, sealed []byte) (envelope, error) {
	if len(sealed) < keyAt+len(key) || sealed[0] != envelopeVersion {
		return envelope{}, errRubbish
	}
	if binary.BigEndian.Uint32(sealed[checksumAt:]) != checksum(sealed[generationAt:]) {
		return envelope{}, errRubbish
	}
	if int64(binary.BigEndian.Uint32(sealed[keyLengthAt:])) != int64(len(key)) || string(sealed[keyAt:keyAt+len(key)]) != key {
		return envelope{}, errRubbish
	}
	return envelope{
		generation: Generation(binary.BigEndian.Uint64(sealed[generationAt:])),
		observed:   time.Unix(0, int64(binary.BigEndian.Uint64(sealed[observedAt:]))),
		payload:    sealed[keyAt+len(key):],
	}, nil
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }
