package catalog

import (
	"reflect"
	"testing"
	"time"

	"regtok/providers"
)

// versioned is a token in which every property is set.
func versioned() *Token {
	ada := &providers.User{ID: providers.UserID("p", "ada"), Name: "Ada"}
	return &Token{Token: providers.Token{
		ID: tokenID("p", "t"), Name: "ci", Enabled: true, Username: "robot", ExpiresAt: noon.Add(day),
		Scopes: []providers.Scope{
			{Type: "registry", Name: "*", Actions: []string{"list"}},
			{Type: "repository", Name: "app", Actions: []string{"pull", "push"}, Implicit: true},
		},
		CreatedAt: noon, CreatedBy: ada, UpdatedAt: noon.Add(time.Hour), UpdatedBy: ada, WebURL: "https://p.test/t",
	}}
}

// A client may keep a version and compare it with that of another replica, or of the next release.
func TestTheVersionIsTheSameInEveryProcess(t *testing.T) {
	if got, want := versioned().Version(), "KJMsOlzgLrCNiOZJ"; got != want {
		t.Errorf("Version() = %s, want %s", got, want)
	}
}

func TestTheVersionChangesWithEachPropertyAndWithNothingElse(t *testing.T) {
	before := versioned().Version()
	told := reflect.TypeFor[providers.Token]()
	for i := range told.NumField() {
		field := told.Field(i)
		token := versioned()
		reflect.ValueOf(&token.Token).Elem().Field(i).SetZero()
		changed := token.Version() != before
		people := field.Type == reflect.TypeFor[*providers.User]() // their own data changes without the token
		if changed == people {
			t.Errorf("without %s the version has changed: %v, want %v", field.Name, changed, !people)
		}
	}
	token := versioned()
	token.ObservedAt, token.DueAt, token.DueSource, token.Account = noon, noon, DueByPolicy, &Account{}
	if token.Version() != before {
		t.Error("the version changes with what this server knows")
	}
}

func TestDifferentTokensHaveDifferentVersions(t *testing.T) {
	seen := map[string]string{}
	for name, change := range map[string]func(*Token){
		"as it is":                       func(*Token) {},
		"a space":                        func(t *Token) { t.Name = "ci " },
		"a text moved to the next":       func(t *Token) { t.Name, t.Username = "c", "irobot" },
		"a nanosecond":                   func(t *Token) { t.ExpiresAt = t.ExpiresAt.Add(1) },
		"no end":                         func(t *Token) { t.ExpiresAt = time.Time{} },
		"the last moment there is":       func(t *Token) { t.ExpiresAt = time.Unix(1<<62, 0) },
		"the end at the epoch":           func(t *Token) { t.ExpiresAt = time.Unix(0, 0) },
		"one scope less":                 func(t *Token) { t.Scopes = t.Scopes[1:] },
		"an action moved to the other":   func(t *Token) { t.Scopes[0].Actions = []string{"list", "pull"}; t.Scopes[1].Actions = []string{"push"} },
		"an action split in two":         func(t *Token) { t.Scopes[1].Actions = []string{"pull", "pu", "sh"} },
		"a name that is the next's type": func(t *Token) { t.Scopes[0].Name, t.Scopes[1].Type = "*repository", "" },
		"a scope of one's own choice":    func(t *Token) { t.Scopes[1].Implicit = false },
		"actions of a scope without any": func(t *Token) { t.Scopes[1].Actions = nil },
		"no scopes":                      func(t *Token) { t.Scopes = nil },
	} {
		token := versioned()
		change(token)
		if other, taken := seen[token.Version()]; taken {
			t.Errorf("%q and %q have one version", name, other)
		}
		seen[token.Version()] = name
	}
}

func TestTheVersionDoesNotDependOnHowAMomentIsWritten(t *testing.T) {
	token := versioned()
	token.ExpiresAt = token.ExpiresAt.In(time.FixedZone("elsewhere", 5*3600))
	token.CreatedAt = token.CreatedAt.Local()
	if got, want := token.Version(), versioned().Version(); got != want {
		t.Errorf("in other zones the version is %s, want %s", got, want)
	}
}
