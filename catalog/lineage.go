package catalog

import (
	"context"
	"errors"

	"regtok/ledger"
	"regtok/providers"
)

// Successors returns, in the order of ids, the tokens that took their place by a rotation; the zero ID where none is
// known. A ledger that cannot be reached is Unavailable.
func (c *Catalog) Successors(ctx context.Context, ids []providers.ID) ([]providers.ID, error) {
	return remembered(c.ledger.Successors(ctx, ids))
}

// Predecessors returns, in the order of ids, the tokens whose place they took by a rotation; the zero ID where none is
// known. A ledger that cannot be reached is Unavailable.
func (c *Catalog) Predecessors(ctx context.Context, ids []providers.ID) ([]providers.ID, error) {
	return remembered(c.ledger.Predecessors(ctx, ids))
}

func remembered(ids []providers.ID, err error) ([]providers.ID, error) {
	if errors.Is(err, ledger.ErrUnavailable) {
		return nil, &providers.Error{Kind: providers.Unavailable, Reason: providers.Unreachable, Op: "read rotations", Err: err,
			Message: "this server cannot reach what it remembers rotations in; try again"}
	}
	return ids, err
}
