package ionos

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"

	"regtok/providers"
)

// uuids are n different ids.
func uuids(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("1e9f63b6-ff23-41ab-8f7e-%012d", i)
	}
	return ids
}

// shown is the JSON of items that have no more than ids.
func shown(ids []string) string {
	items := make([]map[string]string, len(ids))
	for i, id := range ids {
		items[i] = map[string]string{"id": id}
	}
	text, _ := json.Marshal(items)
	return string(text)
}

// tokensOf reads all tokens and returns their ids.
func tokensOf(t *testing.T, u *upstream) ([]string, error) {
	t.Helper()
	page, err := u.contracted(t).Tokens(t.Context(), registryID, providers.PageRequest{})
	var ids []string
	for _, token := range page.Items {
		ids = append(ids, token.ID.Native)
	}
	return ids, err
}

// offsets serves ids with offset and limit; envelope makes the page around the items.
func offsets(ids func(request int) []string, most int, envelope func(items string, offset, limit, total int) string) *upstream {
	request := 0
	return &upstream{answer: func(w http.ResponseWriter, r *http.Request) {
		request++
		all := ids(request)
		offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		limit = min(limit, most)
		part := all[min(offset, len(all)):min(offset+limit, len(all))]
		write(w, 200, envelope(shown(part), offset, limit, len(all)))
	}}
}

func documented(items string, offset, limit, total int) string {
	return fmt.Sprintf(`{"id":"tokens","type":"collection","href":"","items":%s,"count":0,"offset":%d,"limit":%d,"total":%d,
		"_links":{"next":"","previous":"","self":""}}`, items, offset, limit, total)
}

func TestAListWithOffsetsIsReadWhole(t *testing.T) {
	bare := func(items string, _, _, _ int) string { return `{"type":"collection","items":` + items + `}` }
	limited := func(items string, offset, limit, _ int) string {
		return fmt.Sprintf(`{"items":%s,"offset":%d,"limit":%d,"type":"collection"}`, items, offset, limit)
	}
	linked := func(items string, offset, limit, total int) string {
		next := ""
		if offset+limit < total {
			next = "https://api.ionos.com/x"
		}
		return fmt.Sprintf(`{"items":%s,"type":"collection","_links":{"next":%q}}`, items, next)
	}
	zero := func(items string, offset, limit, _ int) string { return documented(items, offset, limit, 0) }
	null := func(items string, offset, limit, total int) string {
		if items == "[]" {
			items = "null"
		}
		return documented(items, offset, limit, total)
	}
	for what, test := range map[string]struct {
		count, most, requests int
		envelope              func(string, int, int, int) string
	}{
		"nothing":                            {0, 100, 1, documented},
		"nothing, as null":                   {0, 100, 1, null},
		"a page":                             {99, 100, 1, documented},
		"a full page":                        {100, 100, 1, documented},
		"a page and one":                     {101, 100, 2, documented},
		"three pages":                        {250, 100, 3, documented},
		"smaller pages than asked for":       {5, 2, 3, documented},
		"no total, a short page":             {99, 100, 1, bare},
		"no total, a full page":              {100, 100, 2, bare},
		"no total, three pages":              {250, 100, 3, bare},
		"no total, smaller pages, told":      {5, 2, 3, limited},
		"no total, smaller pages, with next": {5, 2, 3, linked},
		"a total that is never filled":       {250, 100, 3, zero},
	} {
		u := offsets(func(int) []string { return uuids(test.count) }, test.most, test.envelope)
		got, err := tokensOf(t, u)
		if err != nil || !slices.Equal(got, uuids(test.count)) {
			t.Errorf("%s: %d of %d items, %v", what, len(got), test.count, err)
		}
		if asked := u.took(); len(asked) != test.requests {
			t.Errorf("%s: %d requests, want %d: %q", what, len(asked), test.requests, asked)
		}
	}
}

func TestAListWithOffsetsAsksAsDocumented(t *testing.T) {
	u := offsets(func(int) []string { return uuids(101) }, 100, documented)
	if _, err := tokensOf(t, u); err != nil {
		t.Error(err)
	}
	u.wantAsked(t, "tokens", "GET "+tokensPath+"?limit=100&offset=0", "GET "+tokensPath+"?limit=100&offset=100")
	u = offsets(func(int) []string { return uuids(1) }, 100, documented)
	if _, err := u.contracted(t).Users(t.Context(), orgID, providers.PageRequest{}); err != nil {
		t.Error(err)
	}
	u.wantAsked(t, "users", "GET /cloudapi/v6/um/users?depth=1&limit=100&offset=0")
}

func TestAListThatShrinksBetweenItsPagesLosesNothing(t *testing.T) {
	all := uuids(250)
	shrunk := all[10:] // the first ten expire after the first page
	u := offsets(func(request int) []string {
		if request == 1 {
			return all
		}
		return shrunk
	}, 100, documented)
	got, err := tokensOf(t, u)
	for _, id := range shrunk {
		if !slices.Contains(got, id) {
			t.Errorf("%s is missing", id)
		}
	}
	if err != nil || len(got) != len(all) {
		t.Errorf("%d items, %v, want the %d that were there when their page was read", len(got), err, len(all))
	}
	longer := uuids(450)
	u = offsets(func(request int) []string {
		if request == 1 {
			return longer
		}
		return longer[:300] // nothing has moved, but that is not to be seen
	}, 100, documented)
	if got, err := tokensOf(t, u); err != nil || !slices.Equal(got, longer[:300]) {
		t.Errorf("%d items, %v, want the first 300", len(got), err)
	}
	u = offsets(func(request int) []string {
		if request == 1 {
			return all
		}
		return all[200:] // so few are left that the second page is behind the end
	}, 100, documented)
	got, err = tokensOf(t, u)
	if err != nil || !slices.Contains(got, all[249]) || !slices.Contains(got, all[200]) {
		t.Errorf("%d items, %v, want those that are left among them", len(got), err)
	}
}

func TestAListThatGrowsBetweenItsPagesShowsEachItemOnce(t *testing.T) {
	all := uuids(150)
	u := offsets(func(request int) []string { return append(uuids(request)[request-1:], all...) }, 100, documented)
	got, err := tokensOf(t, u)
	slices.Sort(got)
	if err != nil || len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf("%d items with doubles among them, %v", len(got), err)
	}
}

func TestAListWithOffsetsThatCannotBeReadWholeIsAnError(t *testing.T) {
	always := func(body string) *upstream { return serves(200, body) }
	full := shown(uuids(100))
	for what, test := range map[string]struct {
		upstream *upstream
		requests int
	}{
		"it ends before its total":        {always(`{"items":[],"total":7,"offset":0}`), 1},
		"it begins elsewhere":             {always(`{"items":[],"total":7,"offset":3}`), 1},
		"offsets are ignored":             {always(`{"items":` + full + `,"total":500}`), 2},
		"offsets are ignored, no total":   {always(`{"items":` + full + `,"type":"collection"}`), 2},
		"offsets are ignored, with total": {always(`{"items":` + full + `,"total":500,"offset":0}`), 2},
		"no list at all":                  {always(`{"message":"come back later"}`), 1},
		"items of another shape":          {always(`{"items":{},"total":0}`), 1},
		"an item without id":              {always(`{"items":[{}],"total":1}`), 1},
		"an item that is null":            {always(`{"items":[null],"total":1}`), 1},
	} {
		got, err := tokensOf(t, test.upstream)
		if kindOf(err) != "UNAVAILABLE INVALID_RESPONSE" || len(got) != 0 {
			t.Errorf("%s: %d items, %v, want UNAVAILABLE", what, len(got), err)
		}
		if asked := test.upstream.took(); len(asked) != test.requests {
			t.Errorf("%s: %d requests, want %d", what, len(asked), test.requests)
		}
	}
	request := 0
	failing := &upstream{answer: func(w http.ResponseWriter, _ *http.Request) {
		if request++; request == 2 {
			write(w, 500, `{}`)
			return
		}
		write(w, 200, documented(full, 0, 100, 250))
	}}
	if got, err := tokensOf(t, failing); kindOf(err) != "UNAVAILABLE UNREACHABLE" || len(got) != 0 {
		t.Errorf("the second of three pages fails: %d items, %v, want UNAVAILABLE", len(got), err)
	}
}

// tokenPages serves registries: for each pagination.token a page of ids, and the token and link that come with it.
type tokenPages map[string]struct {
	ids         []string
	token, next string
}

func (p tokenPages) read(t *testing.T) (ids []string, requests []string, err error) {
	t.Helper()
	u := &upstream{answer: func(w http.ResponseWriter, r *http.Request) {
		page := p[r.URL.Query().Get("pagination.token")]
		write(w, 200, fmt.Sprintf(`{"id":"registries","type":"collection","href":"","items":%s,
			"pagination":{"limit":100,"token":%q},"_links":{"next":%q,"previous":"","self":""}}`, shown(page.ids), page.token, page.next))
	}}
	got, err := u.contracted(t).Registries(t.Context(), orgID, providers.PageRequest{})
	for _, registry := range got.Items {
		ids = append(ids, registry.ID.Native)
	}
	return ids, u.took(), err
}

func TestAListWithTokensIsReadWhole(t *testing.T) {
	all := uuids(6)
	for what, test := range map[string]struct {
		pages    tokenPages
		want     int
		requests int
	}{
		"nothing":                 {tokenPages{"": {nil, "", ""}}, 0, 1},
		"one page":                {tokenPages{"": {all, "", ""}}, 6, 1},
		"two pages, links empty":  {tokenPages{"": {all[:2], "a", ""}, "a": {all[2:], "", ""}}, 6, 2},
		"two pages, links filled": {tokenPages{"": {all[:2], "a", "/x?pagination.token=a"}, "a": {all[2:], "", ""}}, 6, 2},
		"the token in the link alone": {
			tokenPages{"": {all[:2], "", "/registries?limit=100&pagination.token=a"}, "a": {all[2:], "", ""}}, 6, 2,
		},
		"a link without a token":      {tokenPages{"": {all, "", "/registries?limit=100"}}, 6, 1},
		"a link that cannot be read":  {tokenPages{"": {all, "", "http://[x"}}, 6, 1},
		"an empty page on the way":    {tokenPages{"": {all[:2], "a", ""}, "a": {nil, "b", ""}, "b": {all[2:], "", ""}}, 6, 3},
		"a spare page at the end":     {tokenPages{"": {all, "a", ""}, "a": {nil, "", ""}}, 6, 2},
		"the last token again":        {tokenPages{"": {all[:2], "a", ""}, "a": {all[2:], "a", ""}}, 6, 2},
		"a spare page with its token": {tokenPages{"": {all, "a", ""}, "a": {nil, "a", ""}}, 6, 2},
		"a page that overlaps":        {tokenPages{"": {all[:4], "a", ""}, "a": {all[3:], "", ""}}, 6, 2},
		"a token of odd characters":   {tokenPages{"": {all[:2], "a&b=/?%", ""}, "a&b=/?%": {all[2:], "", ""}}, 6, 2},
	} {
		got, requests, err := test.pages.read(t)
		if err != nil || !slices.Equal(got, all[:test.want]) {
			t.Errorf("%s: %d of %d items, %v", what, len(got), test.want, err)
		}
		if len(requests) != test.requests {
			t.Errorf("%s: %d requests, want %d: %q", what, len(requests), test.requests, requests)
		}
	}
	_, requests, _ := tokenPages{"": {all[:2], "a", ""}, "a": {all[2:], "", ""}}.read(t)
	want := []string{
		"GET /containerregistries/registries?limit=100", "GET /containerregistries/registries?limit=100&pagination.token=a",
	}
	if !slices.Equal(requests, want) {
		t.Errorf("asked %q, want %q", requests, want)
	}
}

func TestAListWithTokensThatCannotBeReadWholeIsAnError(t *testing.T) {
	stuck := tokenPages{"": {uuids(3), "a", ""}, "a": {uuids(3), "a", ""}}
	if got, requests, err := stuck.read(t); kindOf(err) != "UNAVAILABLE INVALID_RESPONSE" || len(got) != 0 || len(requests) != 2 {
		t.Errorf("the same page again: %d items, %d requests, %v, want UNAVAILABLE", len(got), len(requests), err)
	}
	request := 0
	endless := &upstream{answer: func(w http.ResponseWriter, _ *http.Request) {
		request++
		write(w, 200, fmt.Sprintf(`{"items":[],"pagination":{"token":"t%d"}}`, request))
	}}
	_, err := endless.contracted(t).Registries(t.Context(), orgID, providers.PageRequest{})
	if kindOf(err) != "UNAVAILABLE INVALID_RESPONSE" || request > maxPages {
		t.Errorf("a new token with every empty page: %v after %d requests, want UNAVAILABLE", err, request)
	}
	for _, body := range []string{
		`{}`, `{"message":"later"}`, `{"items":7,"pagination":{}}`, `{"items":[{"id":"x"}],"pagination":{}}`, `[]`,
	} {
		_, err := serves(200, body).contracted(t).Registries(t.Context(), orgID, providers.PageRequest{})
		if kindOf(err) != "UNAVAILABLE INVALID_RESPONSE" {
			t.Errorf("%s = %v, want UNAVAILABLE", body, err)
		}
	}
}

func TestAPageIsCutOutOfTheWholeList(t *testing.T) {
	u := offsets(func(int) []string { return uuids(5) }, 100, documented)
	a := u.contracted(t)
	var got []string
	request := providers.PageRequest{Size: 2}
	for range 4 {
		page, err := a.Tokens(t.Context(), registryID, request)
		if err != nil || len(page.Items) > 2 {
			t.Fatalf("the page is %+v, %v, want at most two", page, err)
		}
		for _, token := range page.Items {
			got = append(got, token.ID.Native)
		}
		if request.Cursor = page.Next; page.Next == "" {
			break
		}
	}
	if !slices.Equal(got, uuids(5)) {
		t.Errorf("pages of two show %v, want each of five once", got)
	}
}
