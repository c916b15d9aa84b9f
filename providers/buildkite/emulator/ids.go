package emulator

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"

	"regtok/providers"
)

// uuid writes the first 16 of raw's bytes as a UUID of that version.
func uuid(raw [sha256.Size]byte, version byte) string {
	raw[6] = raw[6]&0x0f | version<<4
	raw[8] = raw[8]&0x3f | 0x80
	var text [36]byte
	hex.Encode(text[0:], raw[0:4])
	text[8] = '-'
	hex.Encode(text[9:], raw[4:6])
	text[13] = '-'
	hex.Encode(text[14:], raw[6:8])
	text[18] = '-'
	hex.Encode(text[19:], raw[8:10])
	text[23] = '-'
	hex.Encode(text[24:], raw[10:16])
	return string(text[:])
}

// timed makes a UUID v7 of a time and of whatever raw holds.
func timed(at time.Time, raw [sha256.Size]byte) string {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(at.UnixMilli()))
	copy(raw[:6], ms[2:])
	return uuid(raw, 7)
}

// newID makes the id of something created now.
func newID() string {
	var raw [sha256.Size]byte
	_, _ = rand.Read(raw[:]) // never fails
	return timed(time.Now(), raw)
}

// globalID is a thing's id in the vendor's GraphQL API.
func globalID(kind, id string) string {
	return base64.StdEncoding.EncodeToString([]byte(kind + "---" + id))
}

const (
	secretPrefix = "bkpt_"
	secretLength = 204
)

// newSecret makes what opens a registry. Nobody keeps it: it is told once.
func newSecret() providers.Secret {
	var b strings.Builder
	b.WriteString(secretPrefix)
	for b.Len() < secretLength {
		b.WriteString(rand.Text())
	}
	return providers.NewSecret(b.String()[:secretLength])
}
