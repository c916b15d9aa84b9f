package emulator

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

// kept are the promises of the choices: what a client sees under each value.
var kept = map[string]map[string]func(*client){
	scopesChoice: {
		"all": func(c *client) { c.refusals(nil) },
		"read_only": func(c *client) {
			c.refusals([]string{"write_registries", "write_registries", "write_registries", "write_registries",
				"write_registries", "delete_registries", "read_accounts"})
		},
		"user_only": func(c *client) {
			c.refusals([]string{"read_organizations", "read_organizations", "read_organizations", "read_organizations",
				"read_registries", "read_registries", "read_registries", "read_registries",
				"write_registries", "write_registries", "write_registries", "write_registries",
				"write_registries", "delete_registries", "read_accounts"})
		},
	},
	membersChoice: {
		"visible": func(c *client) { c.get("/v2/organizations/acme-inc/members").is(200) },
		"forbidden": func(c *client) {
			c.get("/v2/organizations/acme-inc/members").says(403, "Forbidden")
			c.get("/v2/organizations/acme-inc/members/"+unknownID).says(403, "Forbidden")
			c.get("/v2/organizations/initech/members").says(404, "No organization found")
		},
	},
	memberRole: {
		"told":   func(c *client) { c.hasKey("/v2/organizations/acme-inc/members", "role", true) },
		"absent": func(c *client) { c.hasKey("/v2/organizations/acme-inc/members", "role", false) },
	},
	slugCase: {
		"sensitive": func(c *client) {
			c.get("/v2/organizations/Acme-Inc").is(404)
			c.get(acme + "/Images").is(404)
		},
		"insensitive": func(c *client) {
			c.get("/v2/organizations/Acme-Inc").is(200)
			c.get(acme + "/Images/tokens").is(200)
		},
	},
	paginateLists: {
		"never": func(c *client) {
			for _, path := range []string{"/v2/organizations/acme-inc/members", acme, images + "/tokens"} {
				if r := c.get(path + "?per_page=1").is(200); len(r.array()) < 2 || r.header.Get("Link") != "" {
					c.t.Errorf("%s is cut into pages", path)
				}
			}
		},
		"always": func(c *client) {
			for path, size := range map[string]int{"/v2/organizations/acme-inc/members": 5, acme: 5, images + "/tokens": 6} {
				got := c.walk(path+"?per_page=4", 4)
				slices.Sort(got)
				if distinct := slices.Compact(slices.Clone(got)); len(got) != size || len(distinct) != size {
					c.t.Errorf("pages of %s have %v, want %d ids", path, got, size)
				}
			}
		},
	},
	listOrder: {
		"oldest_first": func(c *client) { c.ascending(true) },
		"newest_first": func(c *client) { c.ascending(false) },
	},
	registryByUUID: {
		"no":  func(c *client) { c.get(c.imagesByUUID()).says(404, "No registry found") },
		"yes": func(c *client) { c.get(c.imagesByUUID() + "/tokens").is(200) },
	},
	registryPatch: {
		"404": func(c *client) { c.send("PATCH", images, `{"emoji":":a:"}`).says(404, "Not Found") },
		"405": func(c *client) {
			r := c.send("PATCH", images, `{"emoji":":a:"}`)
			r.says(405, "Method Not Allowed")
			if got := r.header.Get("Allow"); got != "DELETE, GET, POST, PUT" {
				c.t.Errorf("Allow = %q", got)
			}
		},
		"updates": func(c *client) {
			if got := c.send("PATCH", images, `{"emoji":":a:"}`).is(200).object()["emoji"]; got != ":a:" {
				c.t.Errorf("emoji = %v, want the new one", got)
			}
		},
	},
	registryName: {
		"free": func(c *client) { c.send("POST", acme, `{"name":"my registry","ecosystem":"ruby"}`).is(200) },
		"alphanumeric": func(c *client) {
			const refused = "Validation failed: Name may only contain letters and numbers"
			c.send("POST", acme, `{"name":"my registry","ecosystem":"ruby"}`).says(422, refused)
			c.send("POST", images, `{"name":"my registry"}`).says(422, refused)
			c.send("POST", acme, `{"name":"Registry7","ecosystem":"ruby"}`).is(200)
		},
	},
	registryEcosystem: {
		"any": func(c *client) { c.send("POST", acme, `{"name":"a","ecosystem":"fortran"}`).is(200) },
		"known": func(c *client) {
			const refused = "Validation failed: Ecosystem is not included in the list"
			c.send("POST", acme, `{"name":"a","ecosystem":"fortran"}`).says(422, refused)
			c.send("POST", acme, `{"name":"a","ecosystem":"java"}`).is(200)
		},
	},
	registryType: {
		"absent": func(c *client) { c.hasKey(acme, "type", false) },
		"source": func(c *client) {
			if got := c.get(images).is(200).object()["type"]; got != "source" {
				c.t.Errorf("type = %v, want source", got)
			}
		},
	},
	registryWebURL: {
		"uniform": func(c *client) { c.webURLs("/packages/registries/images", "/packages/registries/images") },
		"as_sampled": func(c *client) {
			c.webURLs("/packages/registries/images", "/registries/images")
		},
	},
	teamIDs: {
		"optional": func(c *client) {
			c.hasKey(acme, "team_ids", true)
			c.send("POST", acme, `{"name":"a","ecosystem":"ruby"}`).is(200)
		},
		"required": func(c *client) {
			c.send("POST", acme, `{"name":"a","ecosystem":"ruby"}`).says(422, "Validation failed: Team ids can't be blank")
			body := c.send("POST", acme, `{"name":"a","ecosystem":"ruby","team_ids":["`+unknownID+`"]}`).is(200).object()
			if diff := cmp.Diff([]any{unknownID}, body["team_ids"]); diff != "" {
				c.t.Errorf("team_ids (-want +got):\n%s", diff)
			}
		},
		"absent": func(c *client) { c.hasKey(acme, "team_ids", false) },
	},
	tokenPutPatch: {
		"404": func(c *client) {
			for _, method := range []string{"PUT", "PATCH"} {
				c.send(method, c.firstToken(images), `{"description":"a"}`).says(404, "Not Found")
			}
		},
		"405": func(c *client) {
			for _, method := range []string{"PUT", "PATCH"} {
				r := c.send(method, c.firstToken(images), `{"description":"a"}`)
				r.says(405, "Method Not Allowed")
				if got := r.header.Get("Allow"); got != "DELETE, GET, POST" {
					c.t.Errorf("Allow = %q", got)
				}
			}
		},
	},
	emptyUpdate: {
		"422": func(c *client) { c.send("POST", c.firstToken(images), `{}`).says(422, noDescribe) },
		"200": func(c *client) {
			item := c.firstToken(images)
			before := c.get(item).is(200).object()
			if diff := cmp.Diff(before, c.send("POST", item, `{}`).is(200).object()); diff != "" {
				c.t.Errorf("an empty update changed (-before +after):\n%s", diff)
			}
			c.send("POST", item, `{"description":null}`).says(422, noDescribe)
		},
	},
	publicRegistryTokens: {
		"listed": func(c *client) { c.get(c.firstToken(public)).is(200) },
		"404": func(c *client) {
			c.get(public).is(200)
			c.get(public+"/tokens").says(404, "No registry token found")
			c.send("POST", public+"/tokens", `{"description":"a"}`).says(404, "No registry token found")
			c.get(images + "/tokens").is(200)
		},
	},
	nullFields: {
		"never": func(c *client) { c.nulls(0, 0) },
		"some":  func(c *client) { c.nulls(1, 1) },
	},
	createStatus: {
		"200": func(c *client) { c.creates(200) },
		"201": func(c *client) { c.creates(201) },
	},
	deleteAnswer: {
		"200_empty": func(c *client) { c.deletes(200, false) },
		"204":       func(c *client) { c.deletes(204, false) },
		"200_object": func(c *client) {
			c.deletes(200, true)
		},
	},
	validationErrors: {
		"message": func(c *client) { c.refusedWith(`{"message":"Validation failed: Description can't be blank"}`) },
		"fields": func(c *client) {
			c.refusedWith(`{"message":"Validation Failed","errors":[{"field":"description","code":"blank"}]}`)
		},
		"strings": func(c *client) {
			c.refusedWith(`{"message":"Validation Failed","errors":["Description can't be blank"]}`)
		},
	},
	notFoundText: {
		"named": func(c *client) { c.get(acme+"/nothing").says(404, "No registry found") },
		"plain": func(c *client) { c.get(acme+"/nothing").says(404, "Not Found") },
	},
	accessTokenTime: {
		"utc":     func(c *client) { c.credentialMade("2006-01-02 15:04:05 UTC") },
		"rfc3339": func(c *client) { c.credentialMade(time.RFC3339) },
	},
	accessTokenExpiry: {
		"never": func(c *client) {
			if got, present := c.get("/v2/access-token").is(200).object()["expires_at"]; got != nil || !present {
				c.t.Errorf("expires_at = %v, want null", got)
			}
		},
		"in_seven_days": func(c *client) {
			got, err := time.Parse("2006-01-02 15:04:05 UTC", c.get("/v2/access-token").is(200).object()["expires_at"].(string))
			if left := time.Until(got); err != nil || left < 6*day || left > 7*day {
				c.t.Errorf("the credential ends in %v (%v), want seven days", left, err)
			}
		},
	},
	rateLimitScope: {
		"read_accounts": func(c *client) { c.get("/v2/organizations/acme-inc/rate_limit").is(200) },
		"none":          func(c *client) { c.get("/v2/organizations/acme-inc/rate_limit").is(200) },
	},
}

func TestEveryChoiceIsKept(t *testing.T) {
	for _, choice := range knownChoices() {
		if choice.Help == "" || len(choice.Values) < 2 || len(kept[choice.Name]) != len(choice.Values) {
			t.Errorf("choice %s has no help, no choice, or not one promise for each of %v", choice.Name, choice.Values)
		}
		for i, value := range choice.Values {
			t.Run(choice.Name+" is "+value, func(t *testing.T) {
				keeps := kept[choice.Name][value]
				if keeps == nil {
					t.Fatal("no promise is written down for this value")
				}
				keeps(chosen(t, choice.Name, value))
				if i == 0 {
					keeps(serve(t, providers.EmulatorOptions{}))
				}
			})
		}
	}
}

func TestTheScopeOfReadingLimitsMatters(t *testing.T) {
	for scope, status := range map[string]int{"read_accounts": 403, "none": 200} {
		c := serve(t, providers.EmulatorOptions{Choices: map[string]string{scopesChoice: "user_only", rateLimitScope: scope}})
		c.get("/v2/organizations/acme-inc/rate_limit").is(status)
	}
}

func TestUnknownChoicesAreRefusedWithTheKnownOnes(t *testing.T) {
	for _, test := range []struct {
		given map[string]string
		want  []string
	}{
		{map[string]string{"nonsense": "yes"}, []string{`unknown choice "nonsense"`, tokenPutPatch, deleteAnswer, rateLimitScope}},
		{map[string]string{tokenPutPatch: "500"}, []string{tokenPutPatch, `"500"`, "404, 405"}},
		{map[string]string{deleteAnswer: ""}, []string{deleteAnswer, `""`, "200_empty, 204, 200_object"}},
	} {
		_, err := New(providers.EmulatorOptions{Choices: test.given})
		if providers.KindOf(err) != providers.Invalid {
			t.Fatalf("New with %v = %v, want INVALID", test.given, err)
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("New with %v = %v, want it to name %s", test.given, err, want)
			}
		}
	}
}
