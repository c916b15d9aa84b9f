package providers_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"regtok/providers"
)

func TestAContextSendsSoManyRequestsAndNoMore(t *testing.T) {
	ctx := providers.WithRequests(t.Context(), 100)
	var sent atomic.Int64
	var readers sync.WaitGroup
	for range 20 {
		readers.Go(func() {
			for range 20 {
				if providers.CountRequest(context.WithoutCancel(ctx)) == nil {
					sent.Add(1)
				}
			}
		})
	}
	readers.Wait()
	if sent.Load() != 100 {
		t.Errorf("%d were sent, want 100", sent.Load())
	}
	for name, other := range map[string]context.Context{
		"what it writes":       providers.WithPriority(ctx, providers.Writing),
		"a sweep":              providers.WithPriority(ctx, providers.Sweeping),
		"another operation":    providers.WithRequests(ctx, 1),
		"what nobody asks for": t.Context(),
	} {
		if err := providers.CountRequest(other); err != nil {
			t.Errorf("%s is refused: %v", name, err)
		}
	}
}
