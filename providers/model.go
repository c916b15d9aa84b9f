package providers

import "time"

// Organization owns registries: a Buildkite organization, an IONOS contract.
type Organization struct {
	ID ID
	// Slug is the short name in URLs; empty when the provider has none.
	Slug string
	Name string
	// WebURL and CreatedAt are zero when the provider does not tell.
	WebURL    string
	CreatedAt time.Time
}

// Registry holds packages or images and is opened with tokens.
type Registry struct {
	ID   ID
	Slug string
	Name string
	// Description, Host, WebURL, CreatedAt and CreatedBy are zero when the provider does not tell.
	Description string
	// Ecosystem is what it holds, in the provider's words: "container", "ruby".
	Ecosystem string
	// Host is what a client logs in to.
	Host      string
	Public    bool
	State     RegistryState
	WebURL    string
	CreatedAt time.Time
	CreatedBy *User
	// At most one of these is set.
	Buildkite *BuildkiteRegistry
	Ionos     *IonosRegistry
}

// RegistryState is where a registry is in its life.
type RegistryState string

// The states of a registry. UnknownState is a word of the provider's that we do not know.
const (
	Provisioning RegistryState = "PROVISIONING"
	Ready        RegistryState = "READY"
	Failed       RegistryState = "FAILED"
	UnknownState RegistryState = "UNKNOWN"
)

// BuildkiteRegistry is what only Buildkite's registries have. Empty strings: not set there.
type BuildkiteRegistry struct {
	Emoji      string
	Color      string // a hex code, "#f0ccff"
	OIDCPolicy string // YAML
	TeamIDs    []string
}

// IonosRegistry is what only IONOS's registries have.
type IonosRegistry struct {
	Location              string // "de/fra"
	RawState              string // the provider's own word
	StorageBytes          *int64 // nil: not told
	APISubnetAllowList    []string
	VulnerabilityScanning *bool // nil: not told
}

// Token is a credential for one registry. Its secret is not part of it.
type Token struct {
	ID ID
	// Name is IONOS's name, or Buildkite's description.
	Name    string
	Enabled bool
	// Username goes with the secret at login.
	Username string
	// ExpiresAt is when the provider stops accepting it; zero: never.
	ExpiresAt time.Time
	// Scopes are sorted by type, name and actions, because providers do not keep an order.
	Scopes    []Scope
	CreatedAt time.Time
	// CreatedBy and UpdatedBy may be incomplete; nil when the provider does not tell.
	CreatedBy *User
	UpdatedAt time.Time
	UpdatedBy *User
	WebURL    string
}

// Scope is a right that a token gives.
type Scope struct {
	Type, Name string
	Actions    []string // sorted
	// Implicit: the provider knows no scopes, and this is what its tokens can always do.
	Implicit bool
}

// User is a person at a provider.
type User struct {
	ID ID
	// Name may be a label of the provider's. Email and AvatarURL are empty when not told.
	Name      string
	Email     string
	AvatarURL string
	CreatedAt time.Time
	// Complete is false when the provider told no more than an id or a label.
	Complete bool
}

// TokenState is the whole state of a token that a caller can choose.
type TokenState struct {
	Name string
	// ExpiresAt: nil leaves it to the provider, which means never.
	ExpiresAt *time.Time
	// Scopes: nil leaves it to the provider, which means none.
	Scopes []Scope
	// Enabled: nil leaves it to the provider, which means true.
	Enabled *bool
}

// TokenPatch changes what is set. An absent field stays, a null one is cleared.
type TokenPatch struct {
	Name      Optional[string]
	ExpiresAt Optional[time.Time]
	Scopes    Optional[[]Scope]
	Enabled   Optional[bool]
}

// Created is a new token, and its secret.
type Created struct {
	Token Token
	// Secret is empty when the call made no new one.
	Secret Secret
}
