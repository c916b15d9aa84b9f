package providers

import (
	"encoding/base64"
	"errors"
	"unicode"
	"unicode/utf8"
)

// IDKind is what an ID names.
type IDKind byte

// The kinds of things that have ids. Their values stand in encoded ids: never change them.
const (
	ProviderKind     IDKind = 'p'
	AccountKind      IDKind = 'a'
	OrganizationKind IDKind = 'o'
	RegistryKind     IDKind = 'r'
	TokenKind        IDKind = 't'
	UserKind         IDKind = 'u'
)

// ID is the address of a thing at a provider, made of names that the provider never changes.
// It is comparable, so it can be a map key; two ids are equal when they name the same thing.
// An id is an address, not a right, and its parts are only as good as whoever wrote them.
type ID struct {
	Kind     IDKind
	Provider string // the driver's name
	// Organization and Registry are set where the kind has them above it.
	Organization string
	Registry     string
	// Native is the provider's own id of the thing; the name of an account; empty for a provider.
	Native string
}

// ErrBadID says that a text is no id of ours: damaged, foreign, or of a later version.
var ErrBadID = errors.New("not an id of this server")

// ProviderID names a provider by its driver's name.
func ProviderID(provider string) ID { return ID{Kind: ProviderKind, Provider: provider} }

// AccountID names a configured account.
func AccountID(provider, name string) ID {
	return ID{Kind: AccountKind, Provider: provider, Native: name}
}

// OrganizationID names an organization.
func OrganizationID(provider, native string) ID {
	return ID{Kind: OrganizationKind, Provider: provider, Native: native}
}

// UserID names a person at a provider.
func UserID(provider, native string) ID {
	return ID{Kind: UserKind, Provider: provider, Native: native}
}

// RegistryID names a registry of the organization id.
func (id ID) RegistryID(native string) ID {
	return ID{Kind: RegistryKind, Provider: id.Provider, Organization: id.Native, Native: native}
}

// TokenID names a token of the registry id.
func (id ID) TokenID(native string) ID {
	return ID{Kind: TokenKind, Provider: id.Provider, Organization: id.Organization, Registry: id.Native, Native: native}
}

// OfRegistry is the registry that a token belongs to; the zero ID for other kinds.
func (id ID) OfRegistry() ID {
	if id.Kind != TokenKind {
		return ID{}
	}
	return ID{Kind: RegistryKind, Provider: id.Provider, Organization: id.Organization, Native: id.Registry}
}

// OfOrganization is the organization that a token or registry belongs to; the zero ID for other kinds.
func (id ID) OfOrganization() ID {
	if id.Kind != TokenKind && id.Kind != RegistryKind {
		return ID{}
	}
	return OrganizationID(id.Provider, id.Organization)
}

// IsZero tells whether id names nothing.
func (id ID) IsZero() bool { return id == ID{} }

const (
	idVersion   = 1
	maxIDPart   = 255
	maxIDLength = 2048
)

// String encodes id: opaque, url-safe, at most a few hundred characters. An id that ParseID would not read back,
// because a part is missing, too long or no text, is "".
func (id ID) String() string {
	parts := id.parts()
	if parts == nil {
		return ""
	}
	raw := make([]byte, 0, 128)
	raw = append(raw, idVersion, byte(id.Kind))
	for _, part := range parts {
		if !validIDPart(part) {
			return ""
		}
		raw = append(raw, byte(len(part)))
		raw = append(raw, part...)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// MarshalText implements encoding.TextMarshaler with String.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// parts are the parts that id's kind has, in the order of the encoding; nil for an unknown kind.
func (id ID) parts() []string {
	switch id.Kind {
	case ProviderKind:
		return []string{id.Provider}
	case AccountKind, OrganizationKind, UserKind:
		return []string{id.Provider, id.Native}
	case RegistryKind:
		return []string{id.Provider, id.Organization, id.Native}
	case TokenKind:
		return []string{id.Provider, id.Organization, id.Registry, id.Native}
	}
	return nil
}

// ParseID reads what String wrote, and nothing else: any other text is ErrBadID.
func ParseID(s string) (ID, error) {
	if len(s) > maxIDLength {
		return ID{}, ErrBadID
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) < 2 || raw[0] != idVersion {
		return ID{}, ErrBadID
	}
	id := ID{Kind: IDKind(raw[1])}
	count := len(id.parts())
	parts := make([]string, 0, count)
	for rest := raw[2:]; len(rest) > 0; {
		n := int(rest[0])
		if len(rest) < 1+n || len(parts) == count {
			return ID{}, ErrBadID
		}
		part := string(rest[1 : 1+n])
		if !validIDPart(part) {
			return ID{}, ErrBadID
		}
		parts = append(parts, part)
		rest = rest[1+n:]
	}
	if count == 0 || len(parts) != count {
		return ID{}, ErrBadID
	}
	id.Provider = parts[0]
	if count > 1 {
		id.Native = parts[count-1]
	}
	if count > 2 {
		id.Organization = parts[1]
	}
	if count > 3 {
		id.Registry = parts[2]
	}
	// The decoder passes over line ends.
	if id.String() != s {
		return ID{}, ErrBadID
	}
	return id, nil
}

// validIDPart refuses what no provider uses as an id: nothing, control characters, broken UTF-8.
func validIDPart(part string) bool {
	if part == "" || len(part) > maxIDPart || !utf8.ValidString(part) {
		return false
	}
	for _, r := range part {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}
