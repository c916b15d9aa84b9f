package emulator

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// locations are de/fra and de/txl of the vendor's examples, and a few more.
var locations = []string{"de/fra", "de/txl", "es/vit", "fr/par", "gb/lhr", "us/ewr"}

var registryNamePattern = regexp.MustCompile(`^[a-z][-a-z0-9]{1,61}[a-z0-9]$`)

func (s *server) listLocations(*request) (answer, error) {
	items := make([][]byte, len(locations))
	for i, id := range locations {
		items[i] = encode(map[string]string{"id": id})
	}
	return ok(encodeList(collection{ID: "locations", Type: "collection"}, items, s.nullLists))
}

// checkName tells whether a name is in use (200) or free (404). Names are unique among all customers; there is only
// one here.
func (s *server) checkName(r *request) (answer, error) {
	if !registryNamePattern.MatchString(r.params["name"]) {
		return answer{}, invalid("name must match %s", registryNamePattern)
	}
	if !s.store.nameTaken(r.params["name"]) {
		return answer{}, notFound()
	}
	return answer{status: http.StatusOK}, nil
}

func (s *server) listRegistries(r *request) (answer, error) {
	limit, err := s.pageSize(r.query)
	if err != nil {
		return answer{}, err
	}
	after, err := readPageToken(r.query.Get("pagination.token"))
	if err != nil {
		return answer{}, err
	}
	page, more := s.pageOfRegistries(after, limit, strings.ToLower(r.query.Get("filter.name")))
	items := make([][]byte, len(page))
	for i, found := range page {
		items[i] = s.encodeRegistry(found, r.now)
	}
	next := ""
	if more || s.lastPage == "spare" && len(page) > 0 {
		next = pageToken(page[len(page)-1].sequence)
	}
	head := registriesPage{
		collection: collection{ID: "registries", Type: "collection"},
		Links:      links{Self: s.registriesURL(r, limit, r.query.Get("pagination.token"))},
		Pagination: pagination{Limit: limit, Token: &next},
	}
	if next != "" {
		head.Links.Next = s.registriesURL(r, limit, next)
	} else if s.lastPage == "absent" {
		head.Pagination.Token = nil
	}
	return ok(encodeList(head, items, s.nullLists))
}

// pageOfRegistries is the page behind a place in the list, and whether more follow it.
func (s *server) pageOfRegistries(after int64, limit int, name string) (page []*registry, more bool) {
	for _, r := range s.store.registries {
		if r.sequence <= after || !strings.Contains(r.name, name) {
			continue
		}
		if len(page) == limit {
			return page, true
		}
		page = append(page, r)
	}
	return page, false
}

func (s *server) registriesURL(r *request, limit int, token string) string {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if name := r.query.Get("filter.name"); name != "" {
		query.Set("filter.name", name)
	}
	if token != "" {
		query.Set("pagination.token", token)
	}
	return s.url(r, "/registries?"+query.Encode())
}

// place is what a page token holds, in the manner of the vendor's example.
type place struct {
	Version string `json:"v"`
	Start   int64  `json:"start"`
}

const placeVersion = "emulator/v1"

func pageToken(start int64) string {
	return base64.RawURLEncoding.EncodeToString(encode(place{Version: placeVersion, Start: start}))
}

func readPageToken(token string) (int64, error) {
	if token == "" {
		return 0, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	var p place
	if err != nil || json.Unmarshal(raw, &p) != nil || p.Version != placeVersion || p.Start < 1 {
		return 0, invalid("pagination.token is invalid")
	}
	return p.Start, nil
}

func (s *server) getRegistry(r *request) (answer, error) {
	found, err := s.find(r)
	if err != nil {
		return answer{}, err
	}
	return ok(s.encodeRegistry(found, r.now))
}

func (s *server) postRegistry(r *request) (answer, error) {
	name, location, change, err := s.newRegistry(r.body)
	if err != nil {
		return answer{}, err
	}
	return s.createRegistry(r, newID(), name, location, change)
}

func (s *server) putRegistry(r *request) (answer, error) {
	name, location, change, err := s.newRegistry(r.body)
	if err != nil {
		return answer{}, err
	}
	found := s.store.byID[r.params["registry"]]
	if found == nil {
		return s.createRegistry(r, r.params["registry"], name, location, change)
	}
	if name != found.name || location != found.location {
		return answer{}, invalid(`"name" and "location" cannot be changed`)
	}
	if err := found.allows(change); err != nil {
		return answer{}, err
	}
	found.reset(change)
	found.touch(r.mark())
	a := answer{status: s.replaceStatus, body: s.encodeRegistry(found, r.now)}
	if a.status == http.StatusCreated {
		a.location = s.url(r, "/registries/"+found.id)
	}
	return a, nil
}

func (s *server) createRegistry(r *request, id, name, location string, change registryChange) (answer, error) {
	if s.store.nameTaken(name) {
		return answer{}, invalid("the name is not available")
	}
	made := &registry{id: id, name: name, location: location, created: r.mark()}
	made.reset(change)
	s.store.add(made)
	return answer{
		status:   http.StatusCreated,
		location: s.url(r, "/registries/"+id),
		body:     s.encodeRegistry(made, r.now),
	}, nil
}

func (s *server) patchRegistry(r *request) (answer, error) {
	found, err := s.find(r)
	if err != nil {
		return answer{}, err
	}
	change, err := s.registryPatch(r.body)
	if err != nil {
		return answer{}, err
	}
	if err := found.allows(change); err != nil {
		return answer{}, err
	}
	if change.schedule.set || change.scanning.set || change.allowList.set {
		found.apply(change)
		found.touch(r.mark())
	}
	return ok(s.encodeRegistry(found, r.now))
}

// deleteRegistry answers at once; the registry goes later.
func (s *server) deleteRegistry(r *request) (answer, error) {
	found, err := s.find(r)
	if err != nil {
		return answer{}, err
	}
	if found.goneAt.IsZero() {
		s.store.remove(found, r.now.Add(s.registryDelay))
		s.store.sweep(r.now)
	}
	return answer{status: http.StatusNoContent}, nil
}
