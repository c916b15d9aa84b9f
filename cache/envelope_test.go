package cache

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
)

func TestAnEnvelopeKeepsWhatItWasSealedWith(t *testing.T) {
	observed := time.Date(2026, 7, 1, 12, 0, 0, 123456789, time.UTC)
	noise := make([]byte, 1<<16)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	for _, payload := range [][]byte{nil, {}, {0}, []byte("text"), bytes.Repeat([]byte{0xff}, 1<<16), noise, make([]byte, maxPayload)} {
		for _, key := range []string{"", "k", "1:1:a"} {
			sealed := mustSeal(t, envelope{generation: 1<<63 + 7, observed: observed, payload: payload}, key)
			got, err := opened(key, sealed)
			if err != nil || got.generation != 1<<63+7 || !got.observed.Equal(observed) || !bytes.Equal(got.payload, payload) {
				t.Errorf("under %q: got %d bytes of %d, observed %v, %v", key, len(got.payload), len(payload), got.observed, err)
			}
			if most := keyAt + len(key) + len(payload); len(sealed) > most {
				t.Errorf("%d bytes became %d, want at most %d", len(payload), len(sealed), most)
			}
		}
	}
}

func mustSeal(t testing.TB, e envelope, key string) []byte {
	t.Helper()
	sealed, err := e.seal(key)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestWhatIsLargeIsPacked(t *testing.T) {
	large := bytes.Repeat([]byte("token 0190a1b2 reads and writes, "), 100)
	if got := len(mustSeal(t, envelope{payload: large}, "key")); got > len(large)/10 {
		t.Errorf("%d bytes of text became %d, want a tenth at most", len(large), got)
	}
	if _, err := (envelope{payload: make([]byte, maxPayload+1)}).seal("key"); !errors.Is(err, errTooLarge) {
		t.Errorf("too much was sealed, with %v", err)
	}
}

func TestWhatUnpacksToTooMuchIsRubbish(t *testing.T) {
	zeros := s2.Encode(nil, make([]byte, maxPayload+1))
	for name, packed := range map[string][]byte{
		"it holds too much":              zeros,
		"it says that it holds too much": binary.AppendUvarint(nil, 1<<31),
		"it says so in too many bytes":   bytes.Repeat([]byte{0xff}, 20),
		"it holds less than it says":     append(binary.AppendUvarint(nil, 1<<10), 0, 'a'),
		"it is empty":                    {},
	} {
		t.Run(name, func(t *testing.T) {
			sealed := bytes.Clone(mustSeal(t, envelope{generation: 1}, "key"))
			sealed[packingAt] = asS2
			sealed = append(sealed, packed...)
			binary.BigEndian.PutUint32(sealed[checksumAt:], checksum(sealed[packingAt:]))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := opened("key", sealed)
			runtime.ReadMemStats(&after)
			if !errors.Is(err, errRubbish) {
				t.Errorf("got %v, want %v", err, errRubbish)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
				t.Errorf("it took %d bytes of memory", took)
			}
		})
	}
}

func TestEveryDamageIsSeen(t *testing.T) {
	sealed := mustSeal(t, envelope{generation: 5, observed: time.Unix(1, 0), payload: []byte("payload")}, "key")
	for at := range sealed {
		for bit := range 8 {
			damaged := bytes.Clone(sealed)
			damaged[at] ^= 1 << bit
			if _, err := opened("key", damaged); err == nil {
				t.Errorf("bit %d of byte %d is not seen", bit, at)
			}
		}
		if _, err := opened("key", sealed[:at]); err == nil {
			t.Errorf("the first %d bytes pass for an envelope", at)
		}
	}
	for _, key := range []string{"", "ke", "keyp", "kex", "key" + "payload"} {
		if _, err := opened(key, sealed); err == nil {
			t.Errorf("it passes for an envelope of %q", key)
		}
	}
}

// FuzzUnseal checks that nothing but what seal wrote is read.
func FuzzUnseal(f *testing.F) {
	f.Add("key", mustSeal(f, envelope{generation: 1, observed: time.Unix(1, 2), payload: []byte("v")}, "key"))
	f.Add("large", mustSeal(f, envelope{payload: bytes.Repeat([]byte("large "), 1000)}, "large"))
	f.Add("", mustSeal(f, envelope{}, ""))
	f.Add("k", []byte{envelopeVersion})
	f.Add("k", bytes.Repeat([]byte{0xff}, 64))
	f.Fuzz(func(t *testing.T, key string, sealed []byte) {
		got, err := opened(key, sealed)
		if err != nil {
			return
		}
		if len(got.payload) > maxPayload {
			t.Fatalf("%d bytes were unpacked", len(got.payload))
		}
		again, err := opened(key, mustSeal(t, got, key))
		if err != nil || again.generation != got.generation || !again.observed.Equal(got.observed) || !bytes.Equal(again.payload, got.payload) {
			t.Errorf("%x was read, and is another thing when it is written again: %v", sealed, err)
		}
		if sealed[packingAt] == asIs && len(got.payload) < packFrom && !bytes.Equal(mustSeal(t, got, key), sealed) {
			t.Errorf("%x is not how it is written", sealed)
		}
	})
}

// opened is an envelope with its payload unpacked.
func opened(key string, sealed []byte) (envelope, error) {
	e, err := unseal(key, sealed)
	if err != nil {
		return envelope{}, err
	}
	e.payload, err = e.unpack()
	e.packing = asIs
	return e, err
}
