package expiry_test

import (
	"testing"
	"testing/synctest"
	"time"

	"regtok/expiry"
	"regtok/expiry/logtest"
)

func TestTheLogInMemory(t *testing.T) {
	logtest.Run(t, func(t *testing.T, run func(*testing.T, logtest.World)) {
		synctest.Test(t, func(t *testing.T) {
			const most = 1000
			log := expiry.NewMemory(most, 0)
			run(t, logtest.World{
				Connect: func() expiry.Log { return log },
				Forget: func() {
					if _, err := log.Append(t.Context(), logtest.Events(10_000, 10_000+most)); err != nil {
						t.Fatal(err)
					}
				},
				Wait: time.Sleep,
			})
			log.Close()
		})
	})
}
