package budget

import (
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

func TestANewcomerToALostStateWaitsUntilItIsToldWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := assemble(t, 2)
		for c.up.used < 4 {
			time.Sleep(c.try(0, 0, 0))
		}
		var held []*Ticket
		for ticket, _ := c.all[0].Take(t.Context(), Request{Priority: providers.Writing}); ticket != nil; {
			held = append(held, ticket)
			ticket, _ = c.all[0].Take(t.Context(), Request{Priority: providers.Writing})
		}
		if len(held) < 30 {
			t.Errorf("%d requests are under way, want more", len(held))
		}
		c.shared.become(c.shared.server, 0, map[string][]byte{})
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
			time.Sleep(min(c.try(1, 0, 0)+time.Millisecond, time.Second))
		}
		for _, ticket := range held {
			ticket.Settle(c.up.count(Request{}, false))
		}
		if c.up.refused > 0 {
			t.Errorf("%d requests were refused", c.up.refused)
		}
	})
}
