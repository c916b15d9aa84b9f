package soak

import (
	"fmt"
	"strings"
	"testing"
)

// settle waits until each replica shows everything, without a note.
func (w *world) settle() {
	for _, one := range w.replicas {
		c := newClient([]*replica{one})
		last := &reader{client: c, pool: w.pool, history: w.history, figures: w.figures}
		w.until(one.name+" shows everything", func() string {
			return last.look(w.t.Context(), atLast())
		})
		w.standing = append(w.standing, one.name+" knows "+c.standing(w.t))
		c.http.CloseIdleConnections()
	}
}

// standing is what a replica knows of its accounts and their allowances.
func (c *client) standing(t testing.TB) string {
	got, _, _, _, err := c.ask(t.Context(), question{query: `{ accounts { name healthy lastError budgets { scope limit remaining } } }`})
	var accounts []struct {
		Name, LastError string
		Healthy         bool
		Budgets         []struct {
			Scope            string
			Limit, Remaining int
		}
	}
	if !got.into("accounts", &accounts) {
		return fmt.Sprint(got, err)
	}
	var parts []string
	for _, a := range accounts {
		if !a.Healthy {
			t.Errorf("%s is not well at last: %s", a.Name, a.LastError)
		}
		for _, b := range a.Budgets {
			parts = append(parts, fmt.Sprintf("%s of %s: %d of %d left", a.Name, b.Scope, b.Remaining, b.Limit))
		}
	}
	return strings.Join(parts, ", ")
}
