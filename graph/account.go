package graph

import (
	"context"
	"time"

	"regtok/graph/internal/model"
)

type accountResolver struct{ *resolver }

func (r accountResolver) CredentialExpiresAt(ctx context.Context, accounts []*model.Account) ([]*time.Time, error) {
	return sideBySide(accounts, func(_ int, a *model.Account) (*time.Time, error) {
		end, err := r.catalog.CredentialExpiry(ctx, a.Account)
		if err != nil || end.IsZero() {
			return nil, err
		}
		return &end, nil
	})
}
