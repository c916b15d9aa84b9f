package main

import (
	"encoding/base64"
	"maps"
	"runtime/debug"
	"slices"

	"golang.org/x/crypto/argon2"

	"regtok/cache"
	"regtok/providers"
)

// fingerprintVersion stands in every fingerprint. Change it with what goes in, and nothing older is shared any more.
const fingerprintVersion = "regtok account 1"

// fingerprint is the same for accounts of one provider, name and settings, and differs for all others. It stands in
// Redis, so it is made slowly, and with much memory: whoever reads it there must not find a short password by trying
// many. Besides adapters, nothing else reveals settings. docs/decisions/account-fingerprints.md tells more.
func (a accountConfig) fingerprint() string {
	var given []string
	for _, name := range slices.Sorted(maps.Keys(a.settings)) {
		// What is not set is left out: so a setting that a later release adds changes nothing for those who do not use it.
		if value := a.settings[name]; !value.Empty() {
			given = append(given, name, value.Reveal())
		}
	}
	const passes, memory, lanes, length = 1, 64 << 10, 4, 16 // memory in KiB
	salt := cache.Join(fingerprintVersion, a.driver.Name, a.name)
	sum := argon2.IDKey([]byte(cache.Join(given...)), []byte(salt), passes, memory, lanes, length)
	debug.FreeOSMemory() // or as much again is taken for the next account, and kept for a while
	return base64.RawURLEncoding.EncodeToString(sum)
}

// sameSettings tells whether two accounts have the same settings.
func (a accountConfig) sameSettings(b accountConfig) bool {
	return maps.EqualFunc(a.settings, b.settings, func(x, y providers.Secret) bool { return x.Reveal() == y.Reveal() })
}
