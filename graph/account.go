package graph

import (
	"context"
	"sync"
	"time"

	"regtok/graph/internal/model"
)

type accountResolver struct{ *resolver }

func (r accountResolver) CredentialExpiresAt(ctx context.Context, accounts []*model.Account) ([]*time.Time, error) {
	ends, errs := make([]*time.Time, len(accounts)), make([]error, len(accounts))
	var wait sync.WaitGroup
	for i, a := range accounts {
		wait.Go(func() {
			end, err := r.catalog.CredentialExpiry(ctx, a.Account)
			if err == nil && !end.IsZero() {
				ends[i] = &end
			}
			errs[i] = err
		})
	}
	wait.Wait()
	return ends, batchErrors(errs)
}
