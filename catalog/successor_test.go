package catalog

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

// unique makes names unique, and of a form.
func unique(s *source, pattern string) *source {
	s.driver.Capabilities.Names = providers.NameRule{Pattern: pattern, Help: "of another form", Unique: true}
	return s
}

const shortNames = `^[a-z]([-a-z0-9]{0,8}[a-z0-9])?$` // of at most ten characters

func TestNamesAreCounted(t *testing.T) {
	for _, test := range []struct {
		name, pattern string
		taken         []string
		want          string
	}{
		{"ci", shortNames, nil, "ci-2"},
		{"ci-2", shortNames, nil, "ci-3"},
		{"ci-1", shortNames, nil, "ci-2"},
		{"ci-9", shortNames, nil, "ci-10"},
		{"ci", shortNames, []string{"ci-2", "ci-3", "ci-5"}, "ci-4"},
		{"ci-2", shortNames, []string{"ci", "ci-2", "ci-3"}, "ci-4"},
		{"ci-0", shortNames, nil, "ci-0-2"},
		{"ci-02", shortNames, nil, "ci-02-2"},
		{"ci-2026", shortNames, nil, "ci-2026-2"},
		{"ci-+2", "", nil, "ci-+2-2"},
		{"-2", "", nil, "-2-2"},
		{"abcdefghij", shortNames, nil, "abcdefgh-2"},
		{"abcdefg-hi", shortNames, nil, "abcdefg-2"},
		{"abcdefgh-9", shortNames, nil, "abcdefg-10"},
		{"abcdefghij", shortNames, []string{"abcdefgh-2"}, "abcdefgh-3"},
		{"größte", "^.{1,6}$", nil, "größ-2"},
		{"a tool", "", nil, "a tool-2"},
		{"Ci", "^[A-Z]i$", nil, ""},
		{"", "", nil, ""},
	} {
		taken := map[string]bool{test.name: true}
		for _, name := range test.taken {
			taken[name] = true
		}
		form := providers.Capabilities{Names: providers.NameRule{Pattern: test.pattern, Help: "of another form"}}
		if got := counted(form, test.name, taken); got != test.want {
			t.Errorf("after %q, with %v taken, comes %q, want %q", test.name, test.taken, got, test.want)
		}
	}
}

func FuzzACountedNameIsFreeAndFits(f *testing.F) {
	for _, name := range []string{"ci", "ci-2", "ci-999", "abcdefghij", "---", "größte", "a-9223372036854775807", "\xff-1"} {
		f.Add(name, "ci-3")
	}
	form := providers.Capabilities{Names: providers.NameRule{Pattern: shortNames, Help: "of another form"}}
	f.Fuzz(func(t *testing.T, name, taken string) {
		for _, form := range []providers.Capabilities{form, {}} {
			got := counted(form, name, map[string]bool{name: true, taken: true})
			if got == "" {
				continue
			}
			if got == name || got == taken || form.CheckName(got) != "" {
				t.Errorf("after %q, with %q taken, comes %q, want a free name of the form", name, taken, got)
			}
		}
	})
}

func TestWhereNamesAreUniqueTheNextOneIsTaken(t *testing.T) {
	s := unique(newWriter(1, 2), shortNames)
	s.set(oldToken, func(token *providers.Token) { token.Name = "ci" })
	s.set(otherToken, func(token *providers.Token) { token.Name = "ci-2" })
	c := over(t, s.account("a"))
	s.requests()
	got := turned(t)(c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: day}))
	if asked := s.requests(); got.Token.Name != "ci-3" || asked["tokens"] != 1 || asked["token"] != 0 {
		t.Errorf("the new token is called %q after %v, want ci-3 out of one list", got.Token.Name, asked)
	}
	name := "chosen"
	got = turned(t)(c.RotateToken(t.Context(), RotateToken{Token: otherToken, Overlap: day, Name: &name}))
	if asked := s.requests(); got.Token.Name != name || asked["tokens"] != 0 || asked["token"] != 1 {
		t.Errorf("the new token is called %q after %v, want the chosen name without a list", got.Token.Name, asked)
	}
}

func TestANameThatOthersTakeMeanwhileIsCountedOn(t *testing.T) {
	for name, test := range map[string]struct {
		conflicts int
		chosen    string
		want      string
		tries     int
	}{
		"once":         {1, "", "ci-3", 2},
		"twice":        {2, "", "ci-4", 3},
		"ever again":   {3, "", "", 3},
		"a chosen one": {1, "mine", "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := unique(newWriter(1, 1), shortNames)
			s.set(oldToken, func(token *providers.Token) { token.Name = "ci" })
			left := test.conflicts
			s.behave(func(op string, _ providers.ID) error {
				if op != "create" || left == 0 {
					return nil
				}
				left--
				return errTaken
			})
			in := RotateToken{Token: oldToken, Overlap: day}
			if test.chosen != "" {
				in.Name = &test.chosen
			}
			got, err := over(t, s.account("a")).RotateToken(t.Context(), in)
			if tries := s.requests()["create"]; tries != test.tries {
				t.Errorf("%d names were tried, want %d", tries, test.tries)
			}
			if test.want == "" {
				p := stopped(t)(got, err)
				if p.Kind != providers.Conflict || !slices.Equal(p.Path, []string{"name"}) || !strings.Contains(p.Message, "say a name that no other") {
					t.Errorf("the problem is %+v, want a CONFLICT at name that says what to do", p)
				}
				return
			}
			if turned(t)(got, err); got.Token.Name != test.want {
				t.Errorf("the new token is called %q, want %q", got.Token.Name, test.want)
			}
		})
	}
}

func TestAConflictThatIsNotAboutNamesIsNotTriedAgain(t *testing.T) {
	s := newWriter(1, 1)
	s.failing(errTaken, "create")
	p := stopped(t)(over(t, s.account("a")).RotateToken(t.Context(), RotateToken{Token: oldToken}))
	if p.Kind != providers.Conflict || p.Path != nil || s.requests()["create"] != 1 {
		t.Errorf("the problem is %+v, want a CONFLICT after one try", p)
	}
}

func TestAnOldNameThatDoesNotDoIsAskedFor(t *testing.T) {
	for name, test := range map[string]struct {
		source *source
		old    string
	}{
		"no name":                     {newWriter(1, 1), ""},
		"none of the form":            {unique(newWriter(1, 1), shortNames), "1!"},
		"a form without any counters": {unique(newWriter(1, 1), "^[a-z]+$"), "ci"},
	} {
		t.Run(name, func(t *testing.T) {
			test.source.set(oldToken, func(token *providers.Token) { token.Name = test.old })
			p := stopped(t)(over(t, test.source.account("a")).RotateToken(t.Context(), RotateToken{Token: oldToken}))
			if p.Kind != providers.Invalid || !slices.Equal(p.Path, []string{"name"}) || !strings.Contains(p.Message, "say a name for the new token") {
				t.Errorf("the problem is %+v, want INVALID at name that says what to do", p)
			}
			if asked := test.source.requests(); asked["create"] != 0 {
				t.Errorf("requests: %v, want no new token", asked)
			}
		})
	}
}

func TestAPeriodIsWrittenAsInputsHaveIt(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Hour: "PT1H", 24 * time.Hour: "PT24H", 90 * time.Minute: "PT1H30M", 10 * time.Minute: "PT10M", 30 * time.Second: "PT30S",
	} {
		if got := period(d); got != want {
			t.Errorf("%s is written %s, want %s", d, got, want)
		}
	}
}

func TestALifeThatAProviderOnlyJustAcceptsIsAMinuteLonger(t *testing.T) {
	for life, want := range map[time.Duration]time.Duration{
		59 * time.Minute: 59 * time.Minute, time.Hour: 61 * time.Minute, 62 * time.Minute: 62 * time.Minute,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newWriter(1, 1)
			s.driver.Capabilities.SoonestExpiry = time.Hour
			born := time.Now().UTC()
			s.set(oldToken, func(token *providers.Token) { token.CreatedAt, token.ExpiresAt = born, born.Add(life) })
			got := turned(t)(over(t, s.account("a")).RotateToken(t.Context(), RotateToken{Token: oldToken}))
			if !got.Token.ExpiresAt.Equal(born.Add(want)) {
				t.Errorf("after a life of %s comes one of %s, want %s", life, got.Token.ExpiresAt.Sub(born), want)
			}
		})
	}
}
