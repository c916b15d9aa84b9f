package all_test

import (
	"testing"

	"regtok/providers/all"
	"regtok/providers/providertest"
)

// TestEveryProviderConforms tries every driver of the table, and every case on each.
func TestEveryProviderConforms(t *testing.T) {
	names := map[string]bool{}
	for _, d := range all.Drivers() {
		if names[d.Name] {
			t.Errorf("two drivers are called %q", d.Name)
		}
		names[d.Name] = true
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			providertest.Run(t, d)
		})
	}
	if len(names) == 0 {
		t.Error("there is no driver")
	}
}
