package emulator

import (
	"slices"
	"time"

	"regtok/providers"
)

// The registry API's JSON.
type (
	metadata struct {
		CreatedBy            string `json:"createdBy"`
		CreatedByUserID      string `json:"createdByUserId"`
		CreatedDate          string `json:"createdDate"`
		LastModifiedBy       string `json:"lastModifiedBy,omitempty"`
		LastModifiedByUserID string `json:"lastModifiedByUserId,omitempty"`
		LastModifiedDate     string `json:"lastModifiedDate,omitempty"`
		State                string `json:"state"`
	}
	resource[P any] struct {
		ID         string   `json:"id"`
		Type       string   `json:"type"`
		Href       string   `json:"href"`
		Metadata   metadata `json:"metadata"`
		Properties P        `json:"properties"`
	}
	tokenProperties struct {
		Credentials credentials `json:"credentials"`
		ExpiryDate  *string     `json:"expiryDate"`
		Name        string      `json:"name"`
		Scopes      []scope     `json:"scopes"`
		Status      string      `json:"status"`
	}
	credentials struct {
		Username string `json:"username"`
		Password string `json:"password"`
	}
	scope struct {
		Actions []string `json:"actions"`
		Name    string   `json:"name"`
		Type    string   `json:"type"`
	}
	registryProperties struct {
		Name      string       `json:"name"`
		Location  string       `json:"location"`
		Hostname  string       `json:"hostname"`
		Schedule  *schedule    `json:"garbageCollectionSchedule,omitempty"`
		Storage   storageUsage `json:"storageUsage"`
		Features  features     `json:"features"`
		AllowList []string     `json:"apiSubnetAllowList,omitempty"`
	}
	schedule struct {
		Days []string `json:"days"`
		Time string   `json:"time"`
	}
	storageUsage struct {
		Bytes     int64  `json:"bytes"`
		UpdatedAt string `json:"updatedAt,omitempty"`
	}
	features struct {
		VulnerabilityScanning feature `json:"vulnerabilityScanning"`
	}
	feature struct {
		Enabled bool `json:"enabled"`
	}
	collection struct {
		ID   string `json:"id"`
		Type string `json:"type"`
		Href string `json:"href"`
	}
	tokensPage struct {
		collection
		Links  links `json:"_links"`
		Count  int   `json:"count"`
		Limit  int   `json:"limit"`
		Offset int   `json:"offset"`
		Total  int   `json:"total"`
	}
	registriesPage struct {
		collection
		Links      links      `json:"_links"`
		Pagination pagination `json:"pagination"`
	}
	links struct {
		Next     string `json:"next"`
		Previous string `json:"previous"`
		Self     string `json:"self"`
	}
	pagination struct {
		Limit int     `json:"limit"`
		Token *string `json:"token,omitempty"`
	}
	errorEnvelope struct {
		HTTPStatus int            `json:"httpStatus"`
		Messages   []errorMessage `json:"messages"`
	}
	errorMessage struct {
		ErrorCode string `json:"errorCode"`
		Message   string `json:"message"`
	}
)

// credentialResource is a token of the Auth API.
type credentialResource struct {
	ID             string `json:"id"`
	Href           string `json:"href"`
	CreatedDate    string `json:"createdDate"`
	ExpirationDate string `json:"expirationDate"`
}

// encodeToken writes a token as reads show it: without its password.
func (s *server) encodeToken(t *token) []byte {
	if t.encoded == nil {
		t.encoded = s.encodeNewToken(t, providers.Secret{})
	}
	return t.encoded
}

// encodeNewToken writes a token with its password.
func (s *server) encodeNewToken(t *token, password providers.Secret) []byte {
	var expiry *string
	if !t.expiry.IsZero() {
		text := s.timestamp(t.expiry)
		expiry = &text
	}
	return encode(resource[tokenProperties]{
		ID: t.id, Type: "token",
		Metadata: s.metadata(t.created, t.modified, t.status),
		Properties: tokenProperties{
			Credentials: credentials{Username: t.name, Password: password.Reveal()},
			ExpiryDate:  expiry,
			Name:        t.name,
			Scopes:      s.wireScopes(t.scopes),
			Status:      t.status,
		},
	})
}

func (s *server) encodeRegistry(r *registry, now time.Time) []byte {
	state := r.stateAt(now, s.registryDelay)
	if r.encoded != nil && r.encodedState == state {
		return r.encoded
	}
	storage := storageUsage{Bytes: r.storage}
	if !r.storageAt.IsZero() {
		storage.UpdatedAt = s.timestamp(r.storageAt)
	}
	r.encodedState = state
	r.encoded = encode(resource[registryProperties]{
		ID: r.id, Type: "registry",
		Metadata: s.metadata(r.created, r.modified, state),
		Properties: registryProperties{
			Name: r.name, Location: r.location, Hostname: r.hostname(state),
			Schedule:  s.wireSchedule(r.schedule),
			Storage:   storage,
			Features:  features{VulnerabilityScanning: feature{Enabled: r.scanning}},
			AllowList: r.allowList,
		},
	})
	return r.encoded
}

func (s *server) metadata(created, modified mark, state string) metadata {
	m := metadata{
		CreatedBy: created.by.label, CreatedByUserID: created.by.id, CreatedDate: s.timestamp(created.at), State: state,
	}
	if !modified.at.IsZero() {
		m.LastModifiedBy, m.LastModifiedByUserID = modified.by.label, modified.by.id
		m.LastModifiedDate = s.timestamp(modified.at)
	}
	return m
}

func (s *server) wireScopes(scopes []scope) []scope {
	out := make([]scope, len(scopes))
	for i, one := range scopes {
		out[i] = scope{Type: one.Type, Name: one.Name, Actions: s.words(one.Actions)}
	}
	if s.reversed {
		slices.Reverse(out)
	}
	if len(out) == 0 && s.nullLists {
		return nil
	}
	return out
}

func (s *server) wireSchedule(in *schedule) *schedule {
	if in == nil {
		if !s.weeklySchedule {
			return nil
		}
		in = &schedule{Days: []string{"Sunday"}, Time: "01:23:00+00:00"}
	}
	return &schedule{Days: s.words(in.Days), Time: in.Time}
}

// words is a list in the order chosen, never nil unless null was chosen.
func (s *server) words(in []string) []string {
	if len(in) == 0 && s.nullLists {
		return nil
	}
	out := append([]string{}, in...)
	if s.reversed {
		slices.Reverse(out)
	}
	return out
}

// timestamp is a time in whole seconds.
func (s *server) timestamp(t time.Time) string {
	if s.zoneless {
		return t.UTC().Format("2006-01-02T15:04:05")
	}
	return t.UTC().Format(time.RFC3339)
}

// host is where the client reached us.
func (r *request) host() string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// url is the form chosen of a path of the registry API.
func (s *server) url(r *request, path string) string {
	if s.absoluteURLs {
		return r.host() + registryBase + path
	}
	return registryBase + path
}
