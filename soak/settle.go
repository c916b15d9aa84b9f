package soak

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// settle waits until each replica shows everything, without a note.
func (w *world) settle() {
	for _, one := range w.replicas {
		c := newClient([]*replica{one})
		last := &reader{client: c, pool: w.pool, history: w.history, figures: w.figures}
		w.within(w.fill()+patience*time.Second, one.name+" shows everything", func() string {
			return last.look(w.t.Context(), atLast())
		})
		w.standing = append(w.standing, one.name+" knows "+c.standing(w.t))
		c.http.CloseIdleConnections()
	}
}

// fill is how long a sweep may take to read everything anew: Buildkite allows it 20 requests a minute, one for each list.
// Where Redis was killed last it has to.
func (w *world) fill() time.Duration {
	return time.Duration(w.plan.Registries+2) * 3100 * time.Millisecond
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
