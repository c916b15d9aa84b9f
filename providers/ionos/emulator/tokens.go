package emulator

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"regtok/providers"
)

// find returns the registry in the path.
func (s *server) find(r *request) (*registry, error) {
	found := s.store.byID[r.params["registry"]]
	if found == nil {
		return nil, notFound()
	}
	return found, nil
}

// findToken returns the registry and the token in the path.
func (s *server) findToken(r *request) (*registry, *token, error) {
	in, err := s.find(r)
	if err != nil {
		return nil, nil, err
	}
	t := in.token(r.params["token"])
	if t == nil {
		return nil, nil, notFound()
	}
	return in, t, nil
}

func (s *server) listTokens(r *request) (answer, error) {
	in, err := s.find(r)
	if err != nil {
		return answer{}, err
	}
	limit, err := s.pageSize(r.query)
	if err != nil {
		return answer{}, err
	}
	offset, err := queryNumber(r.query, "offset", 0)
	if err != nil {
		return answer{}, err
	}
	total := len(in.tokens)
	start := min(offset, total)
	// Not start+limit: that can overflow.
	page := in.tokens[start : start+min(limit, total-start)]
	items := make([][]byte, len(page))
	for i, t := range page {
		items[i] = s.encodeToken(t)
	}
	head := tokensPage{
		collection: collection{ID: "tokens", Type: "collection"},
		Links:      s.tokenLinks(r, in, offset, limit),
		Count:      len(items), Limit: limit, Offset: offset, Total: total,
	}
	return ok(encodeList(head, items, s.nullLists))
}

func (s *server) tokenLinks(r *request, in *registry, offset, limit int) links {
	if s.emptyLinks {
		return links{}
	}
	at := func(offset int) string {
		query := url.Values{"offset": {strconv.Itoa(offset)}, "limit": {strconv.Itoa(limit)}}
		return s.url(r, "/registries/"+in.id+"/tokens?"+query.Encode())
	}
	l := links{Self: at(offset)}
	if offset < len(in.tokens)-limit {
		l.Next = at(offset + limit)
	}
	if offset > 0 {
		l.Previous = at(max(0, offset-limit))
	}
	return l
}

func (s *server) getToken(r *request) (answer, error) {
	_, t, err := s.findToken(r)
	if err != nil {
		return answer{}, err
	}
	return ok(s.encodeToken(t))
}

func (s *server) postToken(r *request) (answer, error) {
	in, err := s.find(r)
	if err != nil {
		return answer{}, err
	}
	name, change, err := s.newToken(r.body, r.now)
	if err != nil {
		return answer{}, err
	}
	return s.createToken(r, in, newID(), name, change)
}

func (s *server) putToken(r *request) (answer, error) {
	in, err := s.find(r)
	if err != nil {
		return answer{}, err
	}
	name, change, err := s.newToken(r.body, r.now)
	if err != nil {
		return answer{}, err
	}
	if t := in.token(r.params["token"]); t != nil {
		return s.replaceToken(r, in, t, name, change)
	}
	return s.createToken(r, in, r.params["token"], name, change)
}

func (s *server) createToken(r *request, in *registry, id, name string, change tokenChange) (answer, error) {
	if !s.duplicateNames && in.hasTokenNamed(name) {
		return answer{}, conflict("a token with this name exists already")
	}
	t := &token{id: id, name: name, created: r.mark()}
	t.reset(change)
	s.store.addToken(in, t)
	return answer{
		status:   http.StatusCreated,
		location: s.tokenLocation(r, in, t),
		body:     s.encodeNewToken(t, newPassword()),
	}, nil
}

// replaceToken gives a token a new state; what the client leaves out goes back to its default.
func (s *server) replaceToken(r *request, in *registry, t *token, name string, change tokenChange) (answer, error) {
	if name != t.name {
		return answer{}, &fault{status: s.nameChangeStatus, message: `"name" cannot be changed`}
	}
	t.reset(change)
	t.touch(r.mark())
	s.store.expire(t)
	a := answer{status: s.replaceStatus, body: s.encodeToken(t)}
	if s.renewPassword {
		a.body = s.encodeNewToken(t, newPassword())
	}
	if a.status == http.StatusCreated {
		a.location = s.tokenLocation(r, in, t)
	}
	return a, nil
}

func (s *server) patchToken(r *request) (answer, error) {
	_, t, err := s.findToken(r)
	if err != nil {
		return answer{}, err
	}
	change, err := s.tokenPatch(r.body, r.now)
	if err != nil {
		return answer{}, err
	}
	if change.expiry.set || change.scopes.set || change.status.set {
		t.apply(change)
		t.touch(r.mark())
		s.store.expire(t)
	}
	return ok(s.encodeToken(t))
}

func (s *server) deleteToken(r *request) (answer, error) {
	in, t, err := s.findToken(r)
	if err != nil {
		return answer{}, err
	}
	in.drop(t)
	return answer{status: http.StatusNoContent}, nil
}

func (s *server) tokenLocation(r *request, in *registry, t *token) string {
	return s.url(r, "/registries/"+in.id+"/tokens/"+t.id)
}

// reset gives the token the whole state in change: never expiring, without scopes and enabled unless it says more.
func (t *token) reset(change tokenChange) {
	t.expiry, t.scopes, t.status = time.Time{}, nil, "enabled"
	t.apply(change)
}

// apply changes what is set.
func (t *token) apply(change tokenChange) {
	if change.expiry.set {
		t.expiry = change.expiry.value
	}
	if change.scopes.set {
		t.scopes = change.scopes.value
	}
	if change.status.set {
		t.status = change.status.value
	}
}

func (t *token) touch(by mark) {
	t.modified = by
	t.encoded = nil
}

// mark is this request's caller and time.
func (r *request) mark() mark { return mark{at: r.now, by: r.caller.author} }

// newPassword is a random secret.
func newPassword() providers.Secret { return providers.NewSecret(rand.Text()) }
