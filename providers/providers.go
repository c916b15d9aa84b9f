// Package providers is the vocabulary of regtok and the contract that every provider's adapter keeps.
// It imports nothing of ours.
//
// # Rules for adapters
//
//   - An adapter only translates: domain in, wire out; wire in, domain out; status to [Kind].
//     Retries, breaker, deadlines, request budget and tracing arrive inside the [http.Client] of its [Config].
//   - Every method may be called by many goroutines at once. Cancelling one call's context ends that call
//     soon and disturbs no other.
//   - Every error is an [*Error] with a kind. A [Token], [Registry], [Organization] or [User] never holds a secret.
//   - What the provider cannot do is declared in [Capabilities] and answered with [Unsupported] before any request.
//   - Lists are cut into pages that never exceed the size asked for; pages of one list show each item once.
//     [All] reads a list whole, or fails: a list is never short without an error.
//   - Ids hold what the provider never changes. Where URLs need a name that can change, the adapter finds it,
//     and finds it again once after a 404 on a read.
//   - An id's parts are checked before they become part of a path: what the provider cannot have made is [NotFound].
//   - A create is sent once, and so is a replace, which may be one: a repetition does not bring back the secret that
//     was in a lost answer. Calls that may be repeated are marked so, because the HTTP method does not tell.
package providers

import (
	"context"
	"net/http"
	"time"
)

// Provider is one account at one provider. All its methods are safe for concurrent use.
type Provider interface {
	// Organizations lists what the credential belongs to: Buildkite organizations, the IONOS contract.
	Organizations(ctx context.Context, page PageRequest) (Page[Organization], error)

	// Registries lists the registries of one organization.
	Registries(ctx context.Context, organization ID, page PageRequest) (Page[Registry], error)

	// Registry returns one registry. One that does not exist, or that the credential may not see, is NotFound:
	// upstreams do not tell the two apart.
	Registry(ctx context.Context, id ID) (Registry, error)

	// Tokens lists the tokens of one registry.
	Tokens(ctx context.Context, registry ID, page PageRequest) (Page[Token], error)

	// Token returns one token, or NotFound as for Registry.
	Token(ctx context.Context, id ID) (Token, error)

	// Users lists the people of an organization. Forbidden when the credential may not.
	Users(ctx context.Context, organization ID, page PageRequest) (Page[User], error)

	// User returns one person of an organization; NotFound also when the person is not visible.
	User(ctx context.Context, organization, id ID) (User, error)

	// CreateToken makes a token in a registry and returns it with its secret. It is sent once: when the answer
	// is lost the error's kind is OutcomeUnknown.
	CreateToken(ctx context.Context, registry ID, in TokenState) (Created, error)

	// ReplaceToken puts the whole state of a token, and makes it when it is missing. The secret is empty
	// unless the provider made a new one. It is sent once, as a create. An id that the provider takes for no new
	// token is Invalid with the field FieldID. Unsupported when Capabilities.ReplaceFields is empty.
	ReplaceToken(ctx context.Context, id ID, in TokenState) (Created, error)

	// PatchToken changes what is set in the patch and nothing else. A field outside
	// Capabilities.PatchFields is Unsupported and nothing is sent.
	PatchToken(ctx context.Context, id ID, patch TokenPatch) (Token, error)

	// DeleteToken deletes a token. One that is already gone is NotFound.
	DeleteToken(ctx context.Context, id ID) error

	// CredentialExpiry tells when this account's own credential ends; zero when it never does or the provider
	// does not tell.
	CredentialExpiry(ctx context.Context) (time.Time, error)
}

// Driver is everything regtok knows about a provider before it has an account there. Configuration, flags,
// ids, demo mode and the conformance suite follow from it. It is a value; share it freely.
type Driver struct {
	// Name is short, lower case and never changes, because ids hold it: "buildkite".
	Name string
	// Title is for people: "Buildkite Package Registries".
	Title string
	// Capabilities says what the provider's API allows.
	Capabilities Capabilities
	// Settings are what an account of this provider is configured with.
	Settings []Setting
	// Open makes the adapter of one account. It sends no request. A missing or senseless setting is an Invalid
	// error whose Field is the setting's name.
	Open func(Config) (Provider, error)
	// RegistryFromList: one registry is only to be had out of its organization's list, so that reading one costs as
	// much as reading all.
	RegistryFromList bool
	// Native is the one form of a native id that people may write in several: of UUIDs, the lower case. Nil: there is
	// one only.
	Native func(string) string
	// Organization tells an organization from its id alone, where the id says it all. Nil: it has to be asked for.
	Organization func(ID) Organization
	// Costs says what each method costs in requests.
	Costs Costs
	// Limits reads the allowances that the response to a request tells of. The body is nil unless the status is 429, and
	// then holds at most its first 4 KiB. Nil when the provider publishes none.
	Limits func(r *http.Request, status int, header http.Header, body []byte) []Limit
	// LimitedBy names whose allowance a request counts for where a scope has several, as Limit.Of does: an organization's
	// slug. Empty: the request does not tell. Nil: no scope has several.
	LimitedBy func(*http.Request) string
	// Start is what an account is taken to be allowed where the provider does not tell, by its settings. Those that Open
	// would refuse it takes for their defaults. Nil: answers tell.
	Start func(Settings) []Limit
	// Emulator makes a stateful double of the provider's API, in memory.
	Emulator func(EmulatorOptions) (*Emulator, error)
}

// Setting is one thing to configure for an account.
type Setting struct {
	// Name is the key in the configuration file: "base_url".
	Name string
	// Env is the variable that the provider's own tools use; empty when there is none.
	Env string
	// Help is one sentence for people.
	Help string
	// Default is used when nothing is given.
	Default string
	// Secret settings are never printed, and can be given as a file: NAME_file.
	Secret bool
}

// Settings are the values of an account's settings by name. Every value is a Secret, so that none can be
// printed by accident; an absent one is the empty Secret.
type Settings map[string]Secret

// Config is what Driver.Open needs.
type Config struct {
	// Account is the account's name in the configuration. Unique within a provider.
	Account string
	// Settings by name, defaults filled in.
	Settings Settings
	// Client sends the requests. Its transport endures (retry, breaker, budget); see package rest.
	// Nil: http.DefaultClient's behaviour without any endurance.
	Client *http.Client
	// MaxBody bounds a response's body in bytes; 0 means 32 MiB. A longer one is Unavailable.
	MaxBody int64
}

// Capabilities is what a provider's API allows. An empty list: the operation is unsupported.
type Capabilities struct {
	CreateFields         []TokenField
	RequiredCreateFields []TokenField
	ReplaceFields        []TokenField
	PatchFields          []TokenField
	// Expiry: the provider itself ends a token at a date.
	Expiry bool
	// Scopes: a token's rights can be chosen.
	Scopes bool
	// Names is the form of a token's name.
	Names NameRule
	// SoonestExpiry is how far ahead the end of a token has to be, as far as the provider tells; 0: it does not.
	SoonestExpiry time.Duration
}

// TokenField is a property of a token that some provider lets a caller choose.
type TokenField string

// The fields of a token that can be chosen.
const (
	FieldName    TokenField = "NAME"
	FieldExpiry  TokenField = "EXPIRY"
	FieldScopes  TokenField = "SCOPES"
	FieldEnabled TokenField = "ENABLED"
)

// Limit is an allowance of requests as a provider last told it.
type Limit struct {
	// Scope says what kind of allowance it is: "user", "organization".
	Scope string
	// Of names whose it is where a scope has several: an organization's slug. Empty: there is one, and every request
	// counts for it.
	Of string
	// Limit and Remaining count requests.
	Limit, Remaining int
	// Reset is how long after the answer the window starts anew; in what Driver.Start returns, how long a window is.
	Reset time.Duration
}

// Budget is a Limit as an account remembers it.
type Budget struct {
	Scope, Of        string
	Limit, Remaining int
	ResetsAt         time.Time
	// Window is the length of its window of time; 0: not known.
	Window time.Duration
}

// Health is how an account's last requests went.
type Health struct {
	// Healthy is false after a failure that was the provider's or the credential's, until the next success.
	Healthy bool
	// LastSuccess is zero before the first.
	LastSuccess time.Time
	// LastError is for people, holds no upstream text, and is empty since the last success.
	LastError string
	Budgets   []Budget
}

// EmulatorOptions shape an emulator. The zero value is the seeded story that demo mode shows.
type EmulatorOptions struct {
	// Registries and Tokens, when Registries is positive, replace the story: that many registries in all,
	// each with that many tokens.
	Registries, Tokens int
	// Token is the only credential accepted. Empty: any non-empty one is.
	Token string
	// RateLimit enforces the provider's request limits. Off, answers tell of limits so large that no client is slowed down.
	RateLimit bool
	// Choices settle what no source does, by the names in Emulator.Choices. An unknown name or value is refused.
	Choices map[string]string
}

// Emulator is a running double of a provider's API. Its state lives in memory and is safe for concurrent use.
type Emulator struct {
	// Handler serves the provider's own paths.
	Handler http.Handler
	// Settings point an adapter at the handler when it is served at base, for example "http://127.0.0.1:9001".
	Settings func(base string) Settings
	// Choices are the switches of this emulator.
	Choices []Choice
	// RenameRegistry gives a registry, found by its native id, another name, as its owner could elsewhere.
	// Nil: names are fixed at this provider.
	RenameRegistry func(nativeID, name string) error
}

// Choice is a behaviour that no public source settles. The first value is the default.
type Choice struct {
	Name   string
	Values []string
	Help   string
	// Restricts names, by value, the methods of Provider that the credential may then not call, or not for
	// everything: {"forbidden": {"Users"}}. They answer Forbidden or NotFound there; all others work as ever.
	Restricts map[string][]string
}
