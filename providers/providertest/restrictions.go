package providertest

import (
	"slices"
	"testing"

	"regtok/providers"
)

// checkRestriction calls every method under a choice that takes rights away from the account. The ids are those of an
// account that may do everything: seeds are the same each time.
func (s subject) checkRestriction(t *testing.T, restricted []string) {
	t.Helper()
	refused := 0
	free := subject{driver: s.driver}.newRig(t, options{})
	for i := range free.methods() {
		r := s.prepare(t, options{})
		r.serve(t)
		m := r.methods()[i]
		_, err := m.call(t.Context(), r.open(t), free.world)
		switch {
		case err == nil:
		case slices.Contains(restricted, m.name):
			refused++
			r.wantKind(t, m.name, err, providers.Forbidden, providers.NotFound)
		default:
			t.Errorf("%s is not restricted: %v", m.name, err)
		}
	}
	if refused == 0 {
		t.Errorf("nothing is refused, and %v are said to be restricted", restricted)
	}
	for _, name := range restricted {
		if !slices.ContainsFunc(free.methods(), func(m method) bool { return m.name == name }) {
			t.Errorf("there is no method %s to restrict", name)
		}
	}
}
