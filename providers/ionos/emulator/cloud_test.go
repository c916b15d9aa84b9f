package emulator

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

const usersPath = "/cloudapi/v6/um/users"

func userID(mailbox string) string   { return fixedID("user", mailbox+"@lindenhof.example") }
func userPath(mailbox string) string { return usersPath + "/" + userID(mailbox) }

func TestTheContractShowsItsPropertiesAtAnyDepth(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	for _, query := range []string{"", "?depth=0", "?depth=1", "?pretty=false"} {
		got := c.get("/cloudapi/v6/contracts" + query).want(200)
		if got.at("id") != "contracts" || got.at("href") != c.base+"/cloudapi/v6/contracts" || len(got.items()) != 1 {
			t.Errorf("contracts = %s", got.text)
		}
		if got.at("items.0.properties.contractNumber") != float64(contractNumber) || got.has("items.0", "id") ||
			got.at("items.0.properties.owner") != "ida.brandt@lindenhof.example" || got.at("items.0.type") != "contract" {
			t.Errorf("contract = %v, want number and owner, and no id", got.at("items.0"))
		}
	}
}

func TestUsersAreBareReferencesWithoutDepth(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	id := userID("ida.brandt")
	bare := map[string]any{"id": id, "type": "user", "href": c.base + usersPath + "/" + id}
	for _, query := range []string{"", "?depth=0"} {
		if diff := cmp.Diff(any(bare), c.get(usersPath+query).at("items.0")); diff != "" {
			t.Errorf("users%s (-want +got):\n%s", query, diff)
		}
	}
	full := c.get(usersPath + "?depth=1").want(200)
	if len(full.items()) != 6 || full.has("items.0", "entities") {
		t.Errorf("users at depth 1 = %s, want six without entities", full.text)
	}
	full.holds(fields{"items.0.properties.firstname": "Ida", "items.0.properties.administrator": true,
		"items.0.properties.active": true})
	if deep := c.get(usersPath + "?depth=2"); deep.at("items.0.entities.groups.id") != id+"/groups" {
		t.Errorf("users at depth 2 = %s, want their entities", deep.text)
	}
	inactive := 0
	for _, u := range full.items() {
		if at(u, "properties.active") == false {
			inactive++
		}
	}
	if inactive != 1 {
		t.Errorf("%d inactive users, want 1", inactive)
	}
}

func TestOneUserShowsItsPropertiesAtAnyDepth(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	got := c.get(userPath("zoe.mueller")).want(200)
	got.holds(fields{"properties.firstname": "Zoë", "entities": nil,
		"metadata.createdBy": "ida.brandt@lindenhof.example"})
	if etag := got.header.Get("ETag"); etag == "" || etag != got.string("metadata.etag") {
		t.Errorf("ETag = %q, want that of the metadata, %q", etag, got.string("metadata.etag"))
	}
	if deep := c.get(userPath("zoe.mueller") + "?depth=1"); !deep.has("entities", "owns") {
		t.Errorf("user at depth 1 = %s, want entities", deep.text)
	}
	c.get(usersPath+"/"+fixedID("user", "leaver")).refused(404, "309", "does not exist")
}

func TestPagesOfUsersShowEachOnce(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	ids := func(r reply) (ids []any) {
		for _, item := range r.items() {
			ids = append(ids, at(item, "id"))
		}
		return ids
	}
	all := ids(c.get(usersPath))
	var got []any
	for offset := 0; offset < len(all); offset += 3 {
		page := c.get(fmt.Sprintf("%s?depth=1&offset=%d&limit=3", usersPath, offset)).want(200)
		got = append(got, ids(page)...)
		page.holds(fields{"offset": offset, "limit": 3, "total": nil, "_links.previous": nil})
		if more := offset+3 < len(all); more != (page.string("_links.next") != "") {
			t.Errorf("offset %d: next = %q, want one: %t", offset, page.string("_links.next"), more)
		}
		if before := offset > 0; before != (page.string("_links.prev") != "") {
			t.Errorf("offset %d: prev = %q, want one: %t", offset, page.string("_links.prev"), before)
		}
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Errorf("users (-whole +pages):\n%s", diff)
	}
	if prev := c.get(usersPath + "?offset=1&limit=3").string("_links.prev"); !strings.Contains(prev, "offset=0") {
		t.Errorf("before the second user = %q, want the beginning", prev)
	}
	if beyond := c.get(usersPath + "?offset=9223372036854775807").want(200); len(beyond.items()) != 0 {
		t.Errorf("beyond the end = %s", beyond.text)
	}
	for query, status := range map[string]int{
		"?limit=0": 422, "?limit=101": 422, "?limit=x": 400, "?offset=-1": 400, "?depth=11": 422, "?depth=x": 400,
	} {
		c.get(usersPath + query).want(status)
	}
	c.get(userPath("mei.tanaka") + "?depth=11").want(422)
	c.get("/cloudapi/v6/contracts?depth=x").want(400)
}

func TestUsersAreFoundByTheirProperties(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	for query, want := range map[string]int{
		"filter.email=mei.tanaka@lindenhof.example": 1, "filter.email=LINDENHOF": 6, "filter.email=nobody": 0,
		"filter.firstname=ida": 1, "filter.lastname=Brandt&filter.email=jonas": 0,
	} {
		if got := c.list(usersPath + "?depth=1&" + query); len(got) != want {
			t.Errorf("%s finds %d, want %d", query, len(got), want)
		}
	}
}

func TestUsersAreVisibleAsChosen(t *testing.T) {
	admin, jonas := "Bearer x", "Bearer "+jwt(`{"identity":{"uuid":"`+userID("jonas.keller")+`"}}`)
	for _, test := range []struct {
		visibleTo, who              string
		list, self, other, stranger int
	}{
		{"admin", admin, 200, 200, 200, 404},
		{"admin", jonas, 403, 200, 403, 403},
		{"self", admin, 200, 200, 404, 404},
		{"self", jonas, 200, 200, 404, 404},
		{"nobody", admin, 403, 403, 403, 403},
		{"nobody", jonas, 403, 403, 403, 403},
	} {
		c := serve(t, choosing("users_visible_to", test.visibleTo)).as(test.who)
		self := userPath("ida.brandt")
		if test.who == jonas {
			self = userPath("jonas.keller")
		}
		var got []int
		for _, path := range []string{usersPath, self, userPath("mei.tanaka"), usersPath + "/" + chosenID} {
			got = append(got, c.get(path).status)
		}
		if want := []int{test.list, test.self, test.other, test.stranger}; !slices.Equal(got, want) {
			t.Errorf("%s, %.20s: list, self, other, stranger = %v, want %v", test.visibleTo, test.who, got, want)
		}
		if items := c.get(usersPath).items(); test.visibleTo == "self" && len(items) != 1 {
			t.Errorf("whoever sees only themselves lists %d users, want 1", len(items))
		}
	}
	serve(t, choosing("users_visible_to", "nobody")).get(usersPath).refused(403, "451", "denied")
}

func TestTheContractIsForbiddenAsChosen(t *testing.T) {
	c := serve(t, choosing("contracts_readable", "403"))
	c.get("/cloudapi/v6/contracts").refused(403, "451", "denied")
	c.registries("").want(200)
}

func TestTheOwnersCredentialIsListed(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	list := c.get("/auth/v1/tokens").want(200)
	id, ok := list.at("tokens.0.id").(string)
	if !ok || list.at("tokens.0.href") != c.base+"/auth/v1/tokens/"+id {
		t.Fatalf("credentials = %s", list.text)
	}
	one := c.get("/auth/v1/tokens/" + id).want(200)
	if diff := cmp.Diff(list.at("tokens.0"), one.json); diff != "" || one.string("expirationDate") == "" {
		t.Errorf("credential = %s, want the one of the list:\n%s", one.text, diff)
	}
	c.get("/auth/v1/tokens/"+chosenID).refused(404, "paas-resource-1", "does not exist")
}
