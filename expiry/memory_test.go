package expiry_test

import (
	"testing"
	"testing/synctest"
	"time"

	"regtok/eventlog/logtest"
	"regtok/expiry"
	"regtok/expiry/expirytest"
)

func TestTheLogInMemory(t *testing.T) {
	logtest.Run(t, expirytest.Kind(), func(t *testing.T, run func(*testing.T, logtest.World[expiry.Event])) {
		synctest.Test(t, func(t *testing.T) {
			const most = 1000
			log := expiry.NewMemory(most, 0)
			run(t, logtest.World[expiry.Event]{
				Connect: func() expiry.Log { return log },
				Forget: func() {
					if _, err := log.Append(t.Context(), expirytest.Events(10_000, 10_000+most)); err != nil {
						t.Fatal(err)
					}
				},
				Wait: time.Sleep,
			})
			log.Close()
		})
	})
}
