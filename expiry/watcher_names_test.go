package expiry_test

import (
	"testing"
	"time"

	"regtok/expiry"
	"regtok/expiry/expirytest"
)

func TestANameThatNobodyKnewIsLookedForWhenAnEventIsTold(t *testing.T) {
	for _, name := range []string{"acme", ""} {
		play(t, func(s *scene) {
			s.name = name
			token := expiry.Reading{At: time.Now(), Subject: expirytest.Subject(1), Due: s.at(2*hour + minute/2), Source: expiry.ByProvider}
			token.Subject.RegistryName = ""
			s.puts(token)
			s.watcher.Tell(expiry.List{Registry: token.Subject.Token.OfRegistry(), At: token.At, Part: true, Tokens: []expiry.Reading{token}})
			s.after(minute)
			page, err := s.log.Read(s.Context(), "", 9)
			if err != nil || len(page.Entries) != 1 || page.Entries[0].Event.Subject.RegistryName != name {
				s.Fatalf("told %v, %v: want one event of the registry %q", page.Entries, err, name)
			}
			if s.named != 1 {
				s.Errorf("the name was asked for %d times, want once", s.named)
			}
			if lag := s.watcher.Figures().Lag; lag > 2*time.Second {
				s.Errorf("it came after %v, want 2s at most", lag)
			}
			s.after(3 * hour)
			if want := map[string]int{"acme": 1, "": 2}[name]; s.named != want {
				s.Errorf("after the next event the name was asked for %d times, want %d", s.named, want)
			}
		})
	}
}

func TestARegistrysNameThatAReaderDoesNotKnowStays(t *testing.T) {
	play(t, func(s *scene) {
		s.has(1, s.at(9*hour), expiry.ByPolicy)
		s.reads(1)
		nameless := s.tokens[expirytest.Subject(1).Token]
		nameless.Subject.RegistryName = ""
		s.puts(nameless)
		s.reads(1)
		s.after(2 * hour)
		page, err := s.log.Read(s.Context(), "", 1)
		if err != nil || len(page.Entries) != 1 || page.Entries[0].Event.Subject != expirytest.Subject(1) {
			s.Errorf("told %v, %v: want the subject with the registry's name", page.Entries, err)
		}
	})
}
