package graph

import (
	"context"
	"fmt"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"regtok/auth"
	"regtok/codes"
	"regtok/graph/internal/model"
	"regtok/graph/internal/scalar"
	"regtok/graph/limits"
	"regtok/quota"
)

// spending takes what operations cost from their callers' allowances. nil: nobody has one.
func spending(q *quota.Quota) func(context.Context, int) (*limits.Allowance, *gqlerror.Error) {
	if q == nil {
		return nil
	}
	return func(ctx context.Context, points int) (*limits.Allowance, *gqlerror.Error) {
		balance := q.Spend(ctx, auth.FromContext(ctx), points)
		if balance.Allowance.Unlimited() {
			return nil, nil
		}
		left := limits.Allowance{Remaining: balance.Remaining, PerMinute: balance.Allowance.PerMinute, Burst: balance.Allowance.Burst}
		return &left, overspent(points, balance)
	}
}

// overspent is an error for an operation that its caller has no points for.
func overspent(points int, balance quota.Balance) *gqlerror.Error {
	burst := balance.Allowance.Burst
	switch balance.Wait {
	case 0:
		return nil
	case quota.Never:
		return &gqlerror.Error{
			Message:    fmt.Sprintf("this costs more points than the %d that you may have at once: ask for fewer fields, or for smaller pages (`first`)", burst),
			Extensions: map[string]any{"code": codes.QueryTooCostly, "limit": "callerPoints", "max": burst, "actual": points},
		}
	}
	return &gqlerror.Error{
		Message: fmt.Sprintf("this costs %d points, and you have %d left: wait, or ask for less", points, balance.Remaining),
		Extensions: map[string]any{
			"code": codes.RateLimited, "limit": "callerPoints", "max": burst, "retryAfter": scalar.FormatDuration(model.WholeSeconds(balance.Wait)),
		},
	}
}
