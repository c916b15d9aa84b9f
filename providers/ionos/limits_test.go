package ionos

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

func TestAnAccountIsAllowedWhatItsOwnerSays(t *testing.T) {
	for text, want := range map[string]int{"": 200, "1": 1, "60": 60, "1000000": 1000000, "0": 200, "many": 200} {
		got := Driver().Start(providers.Settings{settingRequests: providers.NewSecret(text)})
		limit := []providers.Limit{{Scope: "contract", Limit: want, Remaining: want, Reset: time.Minute}}
		if diff := cmp.Diff(limit, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	if got := Driver().Start(nil); len(got) != 1 || got[0].Limit != 200 {
		t.Errorf("without a setting: %+v, want 200 requests", got)
	}
}
