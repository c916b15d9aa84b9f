package emulator

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// user is a person of the contract.
type user struct {
	id, first, last, email string
	admin, active          bool
	registries             bool // may access and manage registries
	created, lastLogin     time.Time
	createdBy              author
}

func (u *user) author() author { return author{label: u.email, id: u.id} }

// caller is the user at work; whoever is not active cannot be.
func (u *user) caller() (caller, error) {
	if !u.active {
		return caller{}, unauthorized()
	}
	return caller{author: u.author(), admin: u.admin, registries: u.registries || u.admin}, nil
}

// user finds one; nil: there is none.
func (s *server) user(id string) *user {
	i := slices.IndexFunc(s.users, func(u *user) bool { return u.id == id })
	if i < 0 {
		return nil
	}
	return s.users[i]
}

// listContracts shows the contract whole: it has no id of its own, and no depth hides its properties.
func (s *server) listContracts(r *request) (answer, error) {
	if _, err := depth(r.query); err != nil {
		return answer{}, err
	}
	if s.contractsForbidden {
		return answer{}, forbidden("Access denied")
	}
	limits := map[string]int{}
	for _, name := range []string{"coresPerServer", "coresPerContract", "coresProvisioned", "ramPerServer",
		"ramPerContract", "ramProvisioned", "k8sClusterLimitTotal", "k8sClustersProvisioned"} {
		limits[name] = 0
	}
	item := encode(contractResource{Type: "contract", Properties: contractProperties{
		ContractNumber: contractNumber, Owner: s.users[0].email, Status: "BILLABLE", RegDomain: "ionos.de",
		ResourceLimits: limits,
	}})
	head := collection{ID: "contracts", Type: "collection", Href: r.host() + cloudBase + "/contracts"}
	return ok(encodeList(head, [][]byte{item}, false))
}

func (s *server) listUsers(r *request) (answer, error) {
	deep, err := depth(r.query)
	if err != nil {
		return answer{}, err
	}
	limit, offset, err := cloudPage(r.query)
	if err != nil {
		return answer{}, err
	}
	if !s.mayListUsers(r.caller) {
		return answer{}, forbidden("Access denied")
	}
	found := slices.DeleteFunc(slices.Clone(s.users), func(u *user) bool {
		return !s.visible(r.caller, u) || !u.matches(r.query)
	})
	start := min(offset, len(found))
	page := found[start : start+min(limit, len(found)-start)]
	items := make([][]byte, len(page))
	for i, u := range page {
		// The items of a list are one level below the list.
		items[i] = encode(s.userResource(r, u, deep-1))
	}
	head := usersPage{
		collection: collection{ID: "users", Type: "collection", Href: r.host() + cloudBase + "/um/users"},
		Offset:     offset, Limit: limit,
	}
	at := func(offset int) string {
		query := r.URL.Query()
		query.Set("offset", strconv.Itoa(offset))
		query.Set("limit", strconv.Itoa(limit))
		return head.Href + "?" + query.Encode()
	}
	head.Links.Self = at(offset)
	if offset+limit < len(found) {
		head.Links.Next = at(offset + limit)
	}
	if offset > 0 {
		head.Links.Prev = at(max(0, offset-limit))
	}
	return ok(encodeList(head, items, false))
}

func (s *server) getUser(r *request) (answer, error) {
	deep, err := depth(r.query)
	if err != nil {
		return answer{}, err
	}
	u := s.user(r.params["user"])
	switch {
	case u != nil && s.visible(r.caller, u):
		return answer{status: http.StatusOK, etag: u.etag(), body: encode(s.userResource(r, u, deep))}, nil
	case s.mayListUsers(r.caller):
		return answer{}, notFound()
	}
	return answer{}, forbidden("Access denied")
}

// visible tells whether somebody sees a user.
func (s *server) visible(who caller, u *user) bool {
	switch s.usersVisibleTo {
	case "nobody":
		return false
	case "self":
		return who.id == u.id
	}
	return who.admin || who.id == u.id
}

// mayListUsers tells whether somebody gets a list of users at all, be it only of themselves.
func (s *server) mayListUsers(who caller) bool {
	return s.usersVisibleTo == "self" || s.usersVisibleTo == "admin" && who.admin
}

// matches applies the filters, which look for a part of a property's text.
func (u *user) matches(query url.Values) bool {
	for name, value := range map[string]string{
		"filter.email": u.email, "filter.firstname": u.first, "filter.lastname": u.last,
	} {
		if !strings.Contains(strings.ToLower(value), strings.ToLower(query.Get(name))) {
			return false
		}
	}
	return true
}
