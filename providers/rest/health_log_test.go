package rest

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

func TestAChangeOfHealthIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		refused := step{status: 401}
		s := play(fine, refused, refused, fine, fine, refused)
		config := once
		config.Log = slog.New(slog.NewJSONHandler(&logged, nil))
		api, _ := s.over(t, config)
		for range 6 {
			_ = get(t, api)
		}
		var got []string
		for decoder := json.NewDecoder(&logged); decoder.More(); {
			var line struct{ Level, Msg, Error string }
			if err := decoder.Decode(&line); err != nil {
				t.Fatal(err)
			}
			got = append(got, line.Level+" "+line.Msg+" "+line.Error)
		}
		const falls = "WARN account failing get thing: the credential is refused, status 401"
		if diff := cmp.Diff([]string{falls, "INFO account well again ", falls}, got); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
	})
}
