package providers

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// someIDs has one id of each kind, and the odd ones.
func someIDs() map[string]ID {
	organization := OrganizationID("buildkite", "0190aaaa-1111-7222-8333-444455556666")
	registry := organization.RegistryID("018f56ef-9ef4-70f0-aba2-0f4578e3d69d")
	return map[string]ID{
		"a provider":              ProviderID("ionos"),
		"an account":              AccountID("ionos", "default"),
		"an organization":         organization,
		"a user":                  UserID("ionos", "63cef532-26fe-4a64-a4e0-de7c8a506c90"),
		"a registry":              registry,
		"a token":                 registry.TokenID("0199c0de-aa51-70d0-8a5f-aabce115b0fd"),
		"one with slashes":        OrganizationID("x", "a/b").RegistryID("../..").TokenID("%2f%00"),
		"one with unicode":        OrganizationID("x", "größe").RegistryID("注册表").TokenID("🗝"),
		"one with longest parts":  OrganizationID("x", strings.Repeat("o", 255)).RegistryID(strings.Repeat("r", 255)).TokenID(strings.Repeat("t", 255)),
		"one with a line's break": OrganizationID("x", "a\u2028b"),
	}
}

func TestAnIDReadsBackAsItWas(t *testing.T) {
	for what, id := range someIDs() {
		text := id.String()
		got, err := ParseID(text)
		if err != nil || got != id {
			t.Errorf("%s: ParseID(%q) = %+v, %v, want %+v", what, text, got, err, id)
		}
		if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("%s: %q is not safe in a URL", what, text)
		}
		marshalled, err := json.Marshal(id)
		if err != nil || string(marshalled) != `"`+text+`"` {
			t.Errorf("%s: json = %s, %v, want %q", what, marshalled, err, text)
		}
	}
}

func TestDifferentIDsHaveDifferentTexts(t *testing.T) {
	texts := map[string]ID{}
	for _, id := range []ID{
		OrganizationID("p", "ab").RegistryID("c"), OrganizationID("p", "a").RegistryID("bc"),
		OrganizationID("p", "a"), UserID("p", "a"), AccountID("p", "a"), OrganizationID("pa", "a"), ProviderID("p"),
		OrganizationID("p", "a").RegistryID("b").TokenID("c"), OrganizationID("p", "a\x01b").RegistryID("c"),
	} {
		text := id.String()
		if other, taken := texts[text]; taken && text != "" {
			t.Errorf("%+v and %+v are both %q", id, other, text)
		}
		texts[text] = id
	}
}

func TestWhatCannotBeReadBackIsNotWritten(t *testing.T) {
	for what, id := range map[string]ID{
		"nothing":             {},
		"an empty part":       OrganizationID("p", ""),
		"no provider":         OrganizationID("", "a"),
		"a part too long":     OrganizationID("p", strings.Repeat("x", 256)),
		"a control character": OrganizationID("p", "a\nb"),
		"broken UTF-8":        OrganizationID("p", "\xff"),
		"an unknown kind":     {Kind: 'z', Provider: "p", Native: "a"},
	} {
		if got := id.String(); got != "" {
			t.Errorf("the text of an id with %s is %q, want none", what, got)
		}
	}
}

func TestADamagedIDIsRefused(t *testing.T) {
	encode := func(raw string) string { return base64.RawURLEncoding.EncodeToString([]byte(raw)) }
	good := someIDs()["a token"].String()
	cases := map[string]string{
		"nothing":                    "",
		"a word":                     "token",
		"not base64":                 "!!!!",
		"padding":                    good + "=",
		"the other alphabet":         base64.RawStdEncoding.EncodeToString([]byte("\x01p\x03~~~")),
		"a line's end inside":        good[:8] + "\n" + good[8:],
		"a line's end after":         good + "\r\n",
		"a space before":             " " + good,
		"cut short":                  good[:len(good)-4],
		"more after it":              good + "AAAA",
		"one character changed":      good[:3] + "_" + good[4:],
		"only a version":             encode("\x01"),
		"a later version":            encode("\x02p\x01a"),
		"an unknown kind":            encode("\x01z\x01a"),
		"no parts":                   encode("\x01p"),
		"too few parts":              encode("\x01t\x01a\x01b\x01c"),
		"too many parts":             encode("\x01p\x01a\x01b"),
		"an empty part":              encode("\x01o\x01a\x00"),
		"a length beyond the end":    encode("\x01o\x01a\xffb"),
		"a control character":        encode("\x01o\x01a\x02b\n"),
		"a zero byte":                encode("\x01o\x01a\x02b\x00"),
		"broken UTF-8":               encode("\x01o\x01a\x02b\xff"),
		"bits that mean nothing":     encode("\x01p\x01a")[:5] + "R",
		"far too long":               strings.Repeat("A", 2049),
		"another server's global id": base64.StdEncoding.EncodeToString([]byte("RegistryToken---0199c0de-aa51-70d0-8a5f-aabce115b0fd")),
	}
	for what, text := range cases {
		if id, err := ParseID(text); !errors.Is(err, ErrBadID) || !id.IsZero() {
			t.Errorf("ParseID of %s (%q) = %+v, %v, want ErrBadID", what, text, id, err)
		}
	}
}

func TestAnIDKnowsWhatItBelongsTo(t *testing.T) {
	organization := OrganizationID("p", "o")
	registry := organization.RegistryID("r")
	token := registry.TokenID("t")
	for _, c := range []struct {
		what      string
		got, want ID
	}{
		{"the registry of a token", token.OfRegistry(), registry},
		{"the organization of a token", token.OfOrganization(), organization},
		{"the organization of a registry", registry.OfOrganization(), organization},
		{"the registry of a registry", registry.OfRegistry(), ID{}},
		{"the organization of an organization", organization.OfOrganization(), ID{}},
		{"the organization of a user", UserID("p", "u").OfOrganization(), ID{}},
		{"the registry of a provider", ProviderID("p").OfRegistry(), ID{}},
	} {
		if c.got != c.want {
			t.Errorf("%s = %+v, want %+v", c.what, c.got, c.want)
		}
	}
	if token.IsZero() || !(ID{}).IsZero() {
		t.Error("only the zero ID names nothing")
	}
}

func FuzzParseID(f *testing.F) {
	for _, id := range someIDs() {
		f.Add(id.String())
	}
	f.Add("")
	f.Add("AXABYQ\n")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := ParseID(text)
		if err != nil {
			if !errors.Is(err, ErrBadID) || !id.IsZero() {
				t.Fatalf("ParseID(%q) = %+v, %v, want the zero ID and ErrBadID", text, id, err)
			}
			return
		}
		if got := id.String(); got != text {
			t.Errorf("ParseID(%q).String() = %q", text, got)
		}
	})
}

func FuzzIDRoundTrip(f *testing.F) {
	for _, id := range someIDs() {
		f.Add(id.Provider, id.Organization, id.Registry, id.Native)
	}
	f.Fuzz(func(t *testing.T, provider, organization, registry, native string) {
		org := OrganizationID(provider, organization)
		for _, id := range []ID{
			ProviderID(provider), AccountID(provider, native), org, UserID(provider, native),
			org.RegistryID(registry), org.RegistryID(registry).TokenID(native),
		} {
			text := id.String()
			if text == "" {
				continue
			}
			if got, err := ParseID(text); err != nil || got != id {
				t.Errorf("ParseID(%q) = %+v, %v, want %+v", text, got, err, id)
			}
		}
	})
}
