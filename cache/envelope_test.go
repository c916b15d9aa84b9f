package cache

import (
	"bytes"
	"testing"
	"time"
)

func TestAnEnvelopeKeepsWhatItWasSealedWith(t *testing.T) {
	observed := time.Date(2026, 7, 1, 12, 0, 0, 123456789, time.UTC)
	for _, payload := range [][]byte{nil, {}, {0}, []byte("text"), bytes.Repeat([]byte{0xff}, 1<<16)} {
		for _, key := range []string{"", "k", "1:1:a"} {
			sealed := envelope{generation: 1<<63 + 7, observed: observed, payload: payload}.seal(key)
			got, err := unseal(key, sealed)
			if err != nil || got.generation != 1<<63+7 || !got.observed.Equal(observed) || !bytes.Equal(got.payload, payload) {
				t.Errorf("under %q: got %+v, %v", key, got, err)
			}
		}
	}
}

func TestEveryDamageIsSeen(t *testing.T) {
	sealed := envelope{generation: 5, observed: time.Unix(1, 0), payload: []byte("payload")}.seal("key")
	for at := range sealed {
		for bit := range 8 {
			damaged := bytes.Clone(sealed)
			damaged[at] ^= 1 << bit
			if _, err := unseal("key", damaged); err == nil {
				t.Errorf("bit %d of byte %d is not seen", bit, at)
			}
		}
		if _, err := unseal("key", sealed[:at]); err == nil {
			t.Errorf("the first %d bytes pass for an envelope", at)
		}
	}
	for _, key := range []string{"", "ke", "keyp", "kex", "key" + "payload"} {
		if _, err := unseal(key, sealed); err == nil {
			t.Errorf("it passes for an envelope of %q", key)
		}
	}
}

// FuzzUnseal checks that nothing but what seal wrote is read.
func FuzzUnseal(f *testing.F) {
	f.Add("key", envelope{generation: 1, observed: time.Unix(1, 2), payload: []byte("v")}.seal("key"))
	f.Add("", envelope{}.seal(""))
	f.Add("k", []byte{envelopeVersion})
	f.Add("k", bytes.Repeat([]byte{0xff}, 64))
	f.Fuzz(func(t *testing.T, key string, sealed []byte) {
		got, err := unseal(key, sealed)
		if err != nil {
			return
		}
		if again := got.seal(key); !bytes.Equal(again, sealed) {
			t.Errorf("%x was read, and is written as %x", sealed, again)
		}
	})
}
