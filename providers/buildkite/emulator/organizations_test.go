package emulator

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

func TestACallerSeesOnlyTheirOrganizations(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	for _, test := range []struct {
		credential string
		want       []string
	}{
		{c.credential, []string{"acme-inc", "globex"}},
		{"bkua_grace", []string{"acme-inc"}},
		{"bkua_NIKOLA", []string{"globex"}},
		{"bkua_nobody", []string{"acme-inc", "globex"}},
	} {
		got := fields(c.as(test.credential).get("/v2/organizations").is(200).array(), "slug")
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("organizations of %s (-want +got):\n%s", test.credential, diff)
		}
	}
	c.as("bkua_grace").get("/v2/organizations/globex").says(404, "No organization found")
	c.as("bkua_grace").get(globex).says(404, "No organization found")
}

func TestAnOrganizationHasTheDocumentedShape(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	want := map[string]any{
		"id":            "01869c2f-736a-7eaf-ad16-74ff1a9a937f",
		"graphql_id":    "T3JnYW5pemF0aW9uLS0tMDE4NjljMmYtNzM2YS03ZWFmLWFkMTYtNzRmZjFhOWE5Mzdm",
		"url":           c.base + "/v2/organizations/acme-inc",
		"web_url":       "https://buildkite.com/acme-inc",
		"name":          "Acme Inc",
		"slug":          "acme-inc",
		"pipelines_url": c.base + "/v2/organizations/acme-inc/pipelines",
		"agents_url":    c.base + "/v2/organizations/acme-inc/agents",
		"emojis_url":    c.base + "/v2/organizations/acme-inc/emojis",
		"created_at":    "2023-03-01T08:00:00.874Z",
	}
	if diff := cmp.Diff(want, c.get("/v2/organizations/acme-inc").is(200).object()); diff != "" {
		t.Errorf("alone (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, c.get("/v2/organizations").is(200).array()[0]); diff != "" {
		t.Errorf("in the list (-want +got):\n%s", diff)
	}
	c.get("/v2/organizations/initech").says(404, "No organization found")
}

func TestOrganizationsComeInPages(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	at := func(page string) string {
		return "<" + c.base + "/v2/organizations?page=" + page + "&per_page=1>; rel="
	}
	for _, test := range []struct {
		query string
		slugs []string
		link  string
	}{
		{"", []string{"acme-inc", "globex"}, ""},
		{"?page=2", []string{}, ""},
		{"?page=x&per_page=-1", []string{"acme-inc", "globex"}, ""},
		{"?per_page=1", []string{"acme-inc"}, at("2") + `"next", ` + at("2") + `"last"`},
		{"?page=2&per_page=1", []string{"globex"}, at("1") + `"first", ` + at("1") + `"prev"`},
		{"?page=9&per_page=1", []string{}, at("1") + `"first", ` + at("2") + `"prev"`},
		{"?page=99999999999999999999&per_page=1000", []string{"acme-inc", "globex"}, ""},
	} {
		r := c.get("/v2/organizations" + test.query).is(200)
		if diff := cmp.Diff(test.slugs, fields(r.array(), "slug")); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.query, diff)
		}
		if got := r.header.Get("Link"); got != test.link {
			t.Errorf("%q: Link = %s, want %s", test.query, got, test.link)
		}
	}
}

func TestMembersHaveTheirUsersIDs(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	user := c.get("/v2/user").is(200).object()
	want := map[string]any{
		"id": user["id"], "name": "Ada Lovelace", "email": "ada@acme.test", "role": "admin", "sso_mode": "required",
	}
	members := c.get("/v2/organizations/acme-inc/members").is(200).array()
	if diff := cmp.Diff(want, members[0]); diff != "" {
		t.Errorf("first member (-want +got):\n%s", diff)
	}
	for _, member := range members {
		path := "/v2/organizations/acme-inc/members/" + member["id"].(string)
		if diff := cmp.Diff(member, c.get(path).is(200).object()); diff != "" {
			t.Errorf("%v alone (-want +got):\n%s", member["name"], diff)
		}
	}
	c.get("/v2/organizations/acme-inc/members/"+unknownID).says(404, "No organization member found")
	c.get("/v2/organizations/initech/members").says(404, "No organization found")
}

func TestOnlyAdminsAreToldHowOthersSignIn(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	for _, test := range []struct {
		credential, organization string
		told                     []string
	}{
		{"bkua_grace", "acme-inc", []string{
			"Ada Lovelace", "Grace Hopper", "Alan Turing", "Katherine Johnson", "Émilie du Châtelet",
		}},
		{"bkua_alan", "acme-inc", []string{"Alan Turing"}},
		{"bkua_émilie", "acme-inc", []string{"Émilie du Châtelet"}},
		{"bkua_ada", "globex", []string{"Ada Lovelace"}},
	} {
		var told []string
		for _, member := range c.as(test.credential).get("/v2/organizations/" + test.organization + "/members").is(200).array() {
			if _, ok := member["sso_mode"]; ok {
				told = append(told, member["name"].(string))
			}
		}
		if diff := cmp.Diff(test.told, told); diff != "" {
			t.Errorf("%s in %s (-want +got):\n%s", test.credential, test.organization, diff)
		}
	}
}

func TestTheUserIsTheCredentialsOwner(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	ada, grace := c.get("/v2/user").is(200).object(), c.as("bkua_grace").get("/v2/user").is(200).object()
	if ada["name"] != "Ada Lovelace" || grace["name"] != "Grace Hopper" {
		t.Errorf("names = %v, %v; want Ada and Grace", ada["name"], grace["name"])
	}
	if _, ok := ada["avatar_url"].(string); !ok {
		t.Errorf("Ada's avatar = %v, want an address", ada["avatar_url"])
	}
	if url, present := grace["avatar_url"]; url != nil || !present {
		t.Errorf("Grace's avatar = %v, want null", url)
	}
	want := []string{"avatar_url", "created_at", "email", "graphql_id", "id", "name"}
	if diff := cmp.Diff(want, keys(ada)); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestTheAccessTokenTellsAboutItself(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	got := c.get("/v2/access-token").is(200).object()
	want := []string{"created_at", "description", "expires_at", "scopes", "user", "uuid"}
	if diff := cmp.Diff(want, keys(got)); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"email": "ada@acme.test", "name": "Ada Lovelace"}, got["user"]); diff != "" {
		t.Errorf("user (-want +got):\n%s", diff)
	}
	if got["uuid"] == c.as("bkua_other").get("/v2/access-token").is(200).object()["uuid"] {
		t.Error("two credentials have one uuid")
	}
}

func TestARevokedAccessTokenIsGoneForGood(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	c.send("DELETE", "/v2/access-token", "").is(204)
	c.get("/v2/access-token").says(401, noAccess)
	c.send("DELETE", "/v2/access-token", "").says(401, noAccess)
	c.as("bkua_other").get("/v2/access-token").is(200)
}
