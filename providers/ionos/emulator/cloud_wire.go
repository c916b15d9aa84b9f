package emulator

import (
	"strings"
	"time"
)

// The Cloud API's JSON.
type (
	contractResource struct {
		Type       string             `json:"type"`
		Properties contractProperties `json:"properties"`
	}
	contractProperties struct {
		ContractNumber int64          `json:"contractNumber"`
		Owner          string         `json:"owner"`
		Status         string         `json:"status"`
		RegDomain      string         `json:"regDomain"`
		ResourceLimits map[string]int `json:"resourceLimits"`
	}
	usersPage struct {
		collection
		Offset int        `json:"offset"`
		Limit  int        `json:"limit"`
		Links  cloudLinks `json:"_links"`
	}
	cloudLinks struct {
		Prev string `json:"prev"`
		Self string `json:"self"`
		Next string `json:"next"`
	}
	userResource struct {
		collection
		Metadata   *userMetadata         `json:"metadata,omitempty"`
		Properties *userProperties       `json:"properties,omitempty"`
		Entities   map[string]collection `json:"entities,omitempty"`
	}
	userMetadata struct {
		ETag                 string `json:"etag"`
		CreatedDate          string `json:"createdDate"`
		CreatedBy            string `json:"createdBy"`
		CreatedByUserID      string `json:"createdByUserId"`
		LastModifiedDate     string `json:"lastModifiedDate"`
		LastModifiedBy       string `json:"lastModifiedBy"`
		LastModifiedByUserID string `json:"lastModifiedByUserId"`
		LastLogin            string `json:"lastLogin"`
	}
	userProperties struct {
		Firstname         string `json:"firstname"`
		Lastname          string `json:"lastname"`
		Email             string `json:"email"`
		Administrator     bool   `json:"administrator"`
		ForceSecAuth      bool   `json:"forceSecAuth"`
		SecAuthActive     bool   `json:"secAuthActive"`
		S3CanonicalUserID string `json:"s3CanonicalUserId"`
		Active            bool   `json:"active"`
	}
)

// userResource is a user as deep as asked: below 0 a bare reference, at 0 what the user is, from 1 on references to
// what belongs to the user.
func (s *server) userResource(r *request, u *user, depth int) userResource {
	href := r.host() + cloudBase + "/um/users/" + u.id
	res := userResource{collection: collection{ID: u.id, Type: "user", Href: href}}
	if depth < 0 {
		return res
	}
	res.Metadata = &userMetadata{
		ETag:        u.etag(),
		CreatedDate: s.cloudTime(u.created), CreatedBy: u.createdBy.label, CreatedByUserID: u.createdBy.id,
		LastModifiedDate: s.cloudTime(u.created), LastModifiedBy: u.createdBy.label, LastModifiedByUserID: u.createdBy.id,
		LastLogin: s.cloudTime(u.lastLogin),
	}
	res.Properties = &userProperties{
		Firstname: u.first, Lastname: u.last, Email: u.email,
		Administrator: u.admin, ForceSecAuth: u.admin, SecAuthActive: u.admin,
		S3CanonicalUserID: strings.ReplaceAll(u.id, "-", ""), Active: u.active,
	}
	if depth > 0 {
		res.Entities = map[string]collection{}
		for _, name := range []string{"owns", "groups"} {
			res.Entities[name] = collection{ID: u.id + "/" + name, Type: "collection", Href: href + "/" + name}
		}
	}
	return res
}

func (u *user) etag() string { return strings.ReplaceAll(fixedID("etag", u.id), "-", "") }

// cloudTime is a time as the Cloud API writes it, in milliseconds.
func (s *server) cloudTime(t time.Time) string {
	if s.zoneless {
		return t.UTC().Format("2006-01-02T15:04:05.000")
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}
