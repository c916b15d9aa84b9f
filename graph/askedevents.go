package graph

import (
	"context"
	"fmt"
	"slices"
	"time"

	"regtok/catalog"
	"regtok/expiry"
	"regtok/graph/internal/model"
	"regtok/providers"
)

// askedEvents is the test of the events that a caller wants, and may know of as far as an id tells. It may be called from
// anywhere, at any time.
func (r *resolver) askedEvents(ctx context.Context, f *model.TokenFilter, thresholds []time.Duration) (func(*expiry.Event) bool, error) {
	if r.events == nil {
		return nil, &providers.Error{Kind: providers.Unsupported, Message: "this server is set up to tell no events"}
	}
	if err := r.mustTell(f); err != nil {
		return nil, err
	}
	for i, threshold := range thresholds {
		if !slices.Contains(r.catalog.Policy().Thresholds, threshold) {
			return nil, &providers.Error{Kind: providers.Invalid, Field: fmt.Sprintf("thresholds[%d]", i),
				Message: "this is none of the thresholds of this server: `server { expiryThresholds }` tells them"}
		}
	}
	filter, reach := tokenFilter(f), catalog.ReachOf(ctx)
	return func(e *expiry.Event) bool {
		return reach.Sees(e.Subject.Token) && among(thresholds, e) && (f == nil || filter.Matcher(e.OccurredAt)(tokenOf(e)))
	}, nil
}

// mustTell refuses filters that events do not tell enough for.
func (r *resolver) mustTell(f *model.TokenFilter) error {
	if f == nil {
		return nil
	}
	for _, asked := range []struct {
		field string
		given bool
	}{
		{"createdByIds", f.CreatedByIds != nil}, {"states", f.States != nil}, {"created", f.Created != nil},
		{"neverDue", f.NeverDue != nil}, {"scope", f.Scope != nil},
	} {
		if asked.given {
			return &providers.Error{Kind: providers.Invalid, Field: "filter." + asked.field,
				Message: "events do not tell this of a token: leave it out, and look at `token` of those that come"}
		}
	}
	_, err := r.askedTokens(1, nil, f, model.TokenOrder{})
	return err
}

// tokenOf is what an event tells of its token.
func tokenOf(e *expiry.Event) *catalog.Token {
	return &catalog.Token{Token: providers.Token{ID: e.Subject.Token, Name: e.Subject.Name}, DueAt: e.DueAt}
}

// among tells whether an event is one of those thresholds, or takes back what a subscriber to them was told. Thresholds are
// told longest first: before the last one that was, all longer ones were.
func among(thresholds []time.Duration, e *expiry.Event) bool {
	switch {
	case thresholds == nil || e.Kind == expiry.Expired || e.Threshold == 0:
		return true
	case e.Kind == expiry.Threshold:
		return slices.Contains(thresholds, e.Threshold)
	default:
		return len(thresholds) > 0 && slices.Max(thresholds) >= e.Threshold
	}
}
