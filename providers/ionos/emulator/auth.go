package emulator

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// contractNumber is the only contract here.
const contractNumber = 32740158

// caller is whoever a credential speaks for.
type caller struct {
	author
	admin      bool
	registries bool // may access and manage registries
}

// author is a person as metadata names them: a label, which is not always an e-mail address, and an id.
type author struct{ label, id string }

// authenticate tells who asks. Any credential will do unless one is set, but what it says about itself counts: a token
// with claims, and a user name that exists, speak for that person, everything else for the contract's owner.
func (s *server) authenticate(r *http.Request, now time.Time) (caller, error) {
	scheme, credential, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	var who caller
	var err error
	switch strings.ToLower(scheme) {
	case "bearer":
		who, err = s.bearer(strings.TrimSpace(credential), now)
	case "basic":
		who, err = s.basic(r)
	default:
		err = unauthorized()
	}
	if err != nil {
		return caller{}, err
	}
	contract := r.Header.Get("X-Contract-Number")
	if contract != "" && contract != strconv.Itoa(contractNumber) {
		return caller{}, forbidden("the credential does not belong to this contract")
	}
	return who, nil
}

func (s *server) basic(r *http.Request) (caller, error) {
	name, password, ok := r.BasicAuth()
	if !ok || name == "" || password == "" || !s.accepts(name+":"+password) {
		return caller{}, unauthorized()
	}
	for _, u := range s.users {
		if strings.EqualFold(u.email, name) {
			return u.caller()
		}
	}
	return s.owner(), nil
}

func (s *server) bearer(token string, now time.Time) (caller, error) {
	if token == "" || !s.accepts(token) {
		return caller{}, unauthorized()
	}
	claims, ok := readClaims(token)
	if !ok {
		return s.owner(), nil
	}
	if claims.Expires != 0 && now.Unix() >= claims.Expires {
		return caller{}, unauthorized()
	}
	// The number comes as a number or as a string.
	contract := strings.Trim(string(claims.Identity.ContractNumber), `"`)
	if contract != "" && contract != "null" && contract != strconv.Itoa(contractNumber) {
		return caller{}, forbidden("the credential does not belong to this contract")
	}
	return s.claimed(claims.Identity)
}

// accepts compares with the one credential that is set, in a time that tells nothing.
func (s *server) accepts(credential string) bool {
	if s.only.Empty() {
		return true
	}
	got, want := sha256.Sum256([]byte(credential)), sha256.Sum256([]byte(s.only.Reveal()))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// claims are the parts of a token's payload that matter here, as the vendor's command line tool reads them.
type claims struct {
	Identity identity `json:"identity"`
	Issued   int64    `json:"iat,omitempty"`
	Expires  int64    `json:"exp,omitempty"`
}

type identity struct {
	UUID           string          `json:"uuid"`
	ContractNumber json.RawMessage `json:"contractNumber,omitempty"`
	Role           string          `json:"role,omitempty"`
	Privileges     []string        `json:"privileges,omitempty"`
}

// readClaims reads a token that looks like a JWT. The signature is not looked at.
func readClaims(token string) (claims, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return claims{}, false
	}
	var c claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return claims{}, false
	}
	return c, true
}

// claimed is the person in a token, with the rights that the token's role and privileges give or take.
func (s *server) claimed(id identity) (caller, error) {
	if id.UUID == "" {
		return s.owner(), nil
	}
	who := caller{author: author{label: "ionos:identity:::users/" + id.UUID, id: id.UUID}}
	if u := s.user(id.UUID); u != nil {
		var err error
		if who, err = u.caller(); err != nil {
			return caller{}, err
		}
	}
	switch strings.ToLower(id.Role) {
	case "":
	case "owner", "admin":
		who.admin = true
	default:
		who.admin = false
	}
	who.registries = who.registries || who.admin
	if id.Privileges != nil && !who.admin {
		who.registries = slices.ContainsFunc(id.Privileges, isRegistryPrivilege)
	}
	return who, nil
}

// isRegistryPrivilege knows both names that the vendor has for it, however they are written.
func isRegistryPrivilege(privilege string) bool {
	name := strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(privilege))
	return name == "accessandmanageregistries" || name == "manageregistry"
}

// owner is the contract's owner, the first of the users.
func (s *server) owner() caller {
	return caller{author: s.users[0].author(), admin: true, registries: true}
}

const credentialLife = 365 * 24 * time.Hour

// ownerToken is a token of the owner's that looks like the vendor's, valid for a year. Nothing here checks signatures,
// so it has none.
func (s *server) ownerToken() string {
	head := encode(map[string]string{"alg": "RS256", "kid": s.credentialID(), "typ": "JWT"})
	payload := encode(claims{
		Identity: identity{
			UUID: s.users[0].id, ContractNumber: encode(contractNumber), Role: "owner",
			Privileges: []string{"ACCESS_AND_MANAGE_REGISTRIES"},
		},
		Issued:  s.started.Unix(),
		Expires: s.started.Add(credentialLife).Unix(),
	})
	base64url := base64.RawURLEncoding.EncodeToString
	return base64url(head) + "." + base64url(payload) + "." + base64url([]byte("not signed"))
}

func (s *server) credentialID() string { return fixedID("credential", s.users[0].id) }

// credential is the owner's token as the Auth API lists it.
func (s *server) credential(r *request) credentialResource {
	return credentialResource{
		ID:             s.credentialID(),
		Href:           r.host() + authBase + "/tokens/" + s.credentialID(),
		CreatedDate:    s.timestamp(s.started),
		ExpirationDate: s.timestamp(s.started.Add(credentialLife)),
	}
}

func (s *server) listCredentials(r *request) (answer, error) {
	return ok(encode(map[string][]credentialResource{"tokens": {s.credential(r)}}))
}

func (s *server) getCredential(r *request) (answer, error) {
	if r.params["credential"] != s.credentialID() {
		return answer{}, notFound()
	}
	return ok(encode(s.credential(r)))
}
