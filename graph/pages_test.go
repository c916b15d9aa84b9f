package graph_test

import (
	"encoding/json"
	"testing"
)

// TestPagesOfEveryConnectionShowEachItemOnce follows the cursors of each list to its end.
func TestPagesOfEveryConnectionShowEachItemOnce(t *testing.T) {
	w := newWorld(t, plan{})
	for name, query := range map[string]string{
		"organizations": `query ($after: String) { page: organizations(first: 2, after: $after) { totalCount nodes { id } pageInfo { hasNextPage endCursor } } }`,
		"registries":    `query ($after: String) { page: registries(first: 3, after: $after) { totalCount nodes { id } pageInfo { hasNextPage endCursor } } }`,
		"tokens":        `query ($after: String) { page: tokens(first: 4, after: $after) { totalCount nodes { id } pageInfo { hasNextPage endCursor } } }`,
		"tokens by name": `query ($after: String) { page: tokens(first: 1, after: $after, orderBy: { field: NAME, direction: DESC }) {
		  totalCount nodes { id } pageInfo { hasNextPage endCursor } } }`,
	} {
		t.Run(name, func(t *testing.T) {
			seen := map[string]bool{}
			var after any
			for {
				page := w.page(t, query, after)
				for _, node := range page.Nodes {
					if seen[node.ID] {
						t.Errorf("%s is there twice", node.ID)
					}
					seen[node.ID] = true
				}
				if len(seen) > page.TotalCount {
					t.Fatalf("%d seen of %d", len(seen), page.TotalCount)
				}
				if !page.PageInfo.HasNextPage {
					if len(seen) != page.TotalCount || page.TotalCount == 0 {
						t.Errorf("%d seen of %d", len(seen), page.TotalCount)
					}
					return
				}
				after = page.PageInfo.EndCursor
			}
		})
	}
}

type page struct {
	TotalCount int
	Nodes      []struct{ ID string }
	PageInfo   struct {
		HasNextPage bool
		EndCursor   string
	}
}

func (w *world) page(t *testing.T, query string, after any) page {
	t.Helper()
	a := w.ask(t, query, map[string]any{"after": after})
	var data struct{ Page page }
	if err := json.Unmarshal(a.Data, &data); err != nil || len(a.Errors) > 0 || len(data.Page.Nodes) == 0 {
		t.Fatalf("the page is %s, %v, %v", a.Data, a.Errors, err)
	}
	return data.Page
}
