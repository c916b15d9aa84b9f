package auth_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/auth"
	"regtok/providers"
)

func TestViewer(t *testing.T) {
	t.Run("a context without a viewer holds nobody, who may do nothing", func(t *testing.T) {
		got := auth.FromContext(t.Context())
		if diff := cmp.Diff(got, auth.Viewer{}); diff != "" {
			t.Errorf("FromContext (-got +want):\n%s", diff)
		}
		if got.May(auth.TokensRead) {
			t.Error("nobody may read tokens")
		}
	})
	t.Run("the viewer that was put in comes out", func(t *testing.T) {
		want := auth.Viewer{Subject: "ci", Permissions: []auth.Permission{auth.TokensRead}}
		got := auth.FromContext(auth.NewContext(t.Context(), want))
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("FromContext (-got +want):\n%s", diff)
		}
	})
	t.Run("the local viewer may read tokens", func(t *testing.T) {
		if !auth.Local().May(auth.TokensRead) {
			t.Error("Local().May(TokensRead) = false, want true")
		}
	})
	t.Run("a permission that was not given is refused", func(t *testing.T) {
		if auth.Local().May("EVERYTHING") {
			t.Error("Local().May(EVERYTHING) = true, want false")
		}
	})
	t.Run("who is narrowed may not read the figures of everything", func(t *testing.T) {
		viewer := auth.Local()
		var err error
		if viewer.Reach, err = viewer.Reach.Narrow(providers.ReachProviders, "ionos"); err != nil {
			t.Fatal(err)
		}
		if viewer.May(auth.MetricsRead) || !viewer.May(auth.TokensRead) || !auth.Local().May(auth.MetricsRead) {
			t.Error("May(MetricsRead) with a reach, want it refused, and nothing else")
		}
	})
}
