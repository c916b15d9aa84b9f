package ionos

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"regtok/providers"
	"regtok/providers/rest"
)

// What IONOS writes. Nulls read as zero values; fields that are not mapped are left out.

// isUUID tells whether a text is a UUID in the one form in which it stands in ids. IONOS takes letters of either case in its
// paths; one token with two ids would have two locks, two rotations, and a past that nobody finds.
func isUUID(text string) bool { return rest.IsUUID(text) && text == canonical(text) }

// canonical is the one form of a UUID that IONOS tells.
func canonical(id string) string { return strings.ToLower(id) }

// valid tells whether id is of that kind, and could be of IONOS. Whether it is of this account's contract is another
// question: see adapter.check.
func valid(id providers.ID, kind providers.IDKind) bool {
	if id.Provider != name || id.Kind != kind {
		return false
	}
	switch kind {
	case providers.OrganizationKind:
		return id.Native != ""
	case providers.TokenKind:
		return isUUID(id.Registry) && isUUID(id.Native)
	}
	return isUUID(id.Native)
}

// sameID tells whether an answer is about what was asked for.
func sameID(got, asked string) bool { return canonical(got) == asked }

type contracts struct {
	Items []struct {
		Properties struct {
			ContractNumber json.RawMessage `json:"contractNumber"`
		} `json:"properties"`
	} `json:"items"`
}

// numbers are the different contract numbers. Their form is not checked.
func (c contracts) numbers() []string {
	var numbers []string
	for _, item := range c.Items {
		number := strings.Trim(string(item.Properties.ContractNumber), `"`)
		if !slices.Contains(numbers, number) {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// metadata is what everything in the registry API has.
type metadata struct {
	CreatedBy            string    `json:"createdBy"`
	CreatedByUserID      string    `json:"createdByUserId"`
	CreatedDate          rest.Time `json:"createdDate"`
	LastModifiedBy       string    `json:"lastModifiedBy"`
	LastModifiedByUserID string    `json:"lastModifiedByUserId"`
	LastModifiedDate     rest.Time `json:"lastModifiedDate"`
	State                string    `json:"state"`
}

// partialUser is all that metadata tells of a person: an id and a label, which is an e-mail address, a URN, or else.
// Nil: no id, or one that is none.
func partialUser(id, label string) *providers.User {
	if rest.IsUUID(id) {
		id = canonical(id)
	}
	user := providers.UserID(name, id)
	if !isUUID(id) {
		if parsed, err := providers.ParseID(user.String()); err != nil || parsed != user {
			return nil
		}
	}
	return &providers.User{ID: user, Name: label}
}

type registry struct {
	ID         string   `json:"id"`
	Metadata   metadata `json:"metadata"`
	Properties struct {
		Name         string `json:"name"`
		Location     string `json:"location"`
		Hostname     string `json:"hostname"` // "" until there is one
		StorageUsage struct {
			Bytes *int64 `json:"bytes"`
		} `json:"storageUsage"`
		Features struct {
			VulnerabilityScanning struct {
				Enabled *bool `json:"enabled"`
			} `json:"vulnerabilityScanning"`
		} `json:"features"`
		APISubnetAllowList []string `json:"apiSubnetAllowList"`
	} `json:"properties"`
}

func (r registry) native() string { return canonical(r.ID) }

// domain needs the organization, because registries do not name their contract.
func (r registry) domain(organization providers.ID) providers.Registry {
	return providers.Registry{
		ID:        organization.RegistryID(r.native()),
		Name:      r.Properties.Name,
		Ecosystem: "container",
		Host:      r.Properties.Hostname,
		State:     state(r.Metadata.State),
		CreatedAt: r.Metadata.CreatedDate.Time,
		CreatedBy: partialUser(r.Metadata.CreatedByUserID, r.Metadata.CreatedBy),
		Ionos: &providers.IonosRegistry{
			Location:              r.Properties.Location,
			RawState:              r.Metadata.State,
			StorageBytes:          r.Properties.StorageUsage.Bytes,
			APISubnetAllowList:    r.Properties.APISubnetAllowList,
			VulnerabilityScanning: r.Properties.Features.VulnerabilityScanning.Enabled,
		},
	}
}

// state translates a registry's state. The description leaves it open; these words have been seen.
func state(word string) providers.RegistryState {
	word = strings.ToLower(word)
	switch {
	case word == "running":
		return providers.Ready
	case word == "new", word == "waitingforstorage":
		return providers.Provisioning
	case strings.HasPrefix(word, "failed"):
		return providers.Failed
	}
	return providers.UnknownState
}

type token struct {
	ID         string   `json:"id"`
	Metadata   metadata `json:"metadata"`
	Properties struct {
		Name        string      `json:"name"`
		Status      string      `json:"status"`
		ExpiryDate  rest.Time   `json:"expiryDate"`
		Scopes      []scope     `json:"scopes"`
		Credentials credentials `json:"credentials"`
	} `json:"properties"`
}

func (t token) native() string { return canonical(t.ID) }

func (t token) domain(registry providers.ID) providers.Token {
	return providers.Token{
		ID:        registry.TokenID(t.native()),
		Name:      t.Properties.Name,
		Enabled:   t.enabled(),
		Username:  cmp.Or(t.Properties.Credentials.Username, t.Properties.Name),
		ExpiresAt: t.Properties.ExpiryDate.Time,
		Scopes:    domainScopes(t.Properties.Scopes),
		CreatedAt: t.Metadata.CreatedDate.Time,
		CreatedBy: partialUser(t.Metadata.CreatedByUserID, t.Metadata.CreatedBy),
		UpdatedAt: t.Metadata.LastModifiedDate.Time,
		UpdatedBy: partialUser(t.Metadata.LastModifiedByUserID, t.Metadata.LastModifiedBy),
	}
}

// enabled is true unless IONOS says that the token is disabled, in its status or in the state that mirrors it: it is
// better to take a dead token for a live one than the other way round.
func (t token) enabled() bool {
	return !strings.EqualFold(cmp.Or(t.Properties.Status, t.Metadata.State), disabled)
}

// credentials hold a password where a token has just been created, and "" everywhere else.
type credentials struct {
	Username string      `json:"username"`
	Password rest.Secret `json:"password"`
}

type scope struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

// domainScopes sorts, in place too, because IONOS does not keep an order.
func domainScopes(scopes []scope) []providers.Scope {
	sorted := make([]providers.Scope, 0, len(scopes))
	for _, s := range scopes {
		slices.Sort(s.Actions)
		sorted = append(sorted, providers.Scope{Type: s.Type, Name: s.Name, Actions: s.Actions})
	}
	slices.SortFunc(sorted, func(a, b providers.Scope) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), slices.Compare(a.Actions, b.Actions))
	})
	return sorted
}

type user struct {
	ID         string   `json:"id"`
	Metadata   metadata `json:"metadata"`
	Properties *struct {
		FirstName string `json:"firstname"`
		LastName  string `json:"lastname"`
		Email     string `json:"email"`
	} `json:"properties"`
}

func (u user) native() string { return canonical(u.ID) }

// domain is a whole user, or where IONOS sent a bare reference, no more than an id.
func (u user) domain() providers.User {
	person := providers.User{ID: providers.UserID(name, u.native()), CreatedAt: u.Metadata.CreatedDate.Time}
	if p := u.Properties; p != nil {
		person.Name = strings.TrimSpace(p.FirstName + " " + p.LastName)
		person.Email = p.Email
		person.Complete = true
	}
	return person
}
