package graph

import (
	"context"
	"time"

	"regtok/catalog"
	"regtok/eventlog"
	"regtok/expiry"
	"regtok/graph/internal/model"
	"regtok/graph/loader"
	"regtok/graph/transport"
	"regtok/providers"
)

type subscriptionResolver struct{ *resolver }

// TokenExpiry follows the log. The stream asks for each event, which is then in the channel.
func (r subscriptionResolver) TokenExpiry(
	ctx context.Context, filter *model.TokenFilter, thresholds []time.Duration, after *eventlog.Cursor, includeCurrent bool,
) (<-chan model.TokenExpiryUpdate, error) {
	wanted, err := r.askedEvents(ctx, filter, thresholds)
	if err != nil {
		return nil, err
	}
	stream, start, err := begins(ctx, r.events.Log, after)
	if err != nil {
		return nil, err
	}
	f := &following[expiry.Event, model.TokenExpiryUpdate]{
		resolver: r.resolver, subject: expirySubject, start: start, updates: make(chan model.TokenExpiryUpdate, 1),
		event: func(e *expiry.Event, cursor eventlog.Cursor) (model.TokenExpiryUpdate, transport.Mark) {
			return r.shown(e, cursor), transport.Mark{Cursor: string(cursor), At: e.OccurredAt}
		},
		gap: func(gap *eventlog.Gap) model.TokenExpiryUpdate { return &model.EventGap{Gap: gap} },
	}
	if includeCurrent && stream.Resume() == "" {
		f.id = func(e *expiry.Event) string { return e.ID }
		if f.current, err = r.current(ctx, tokenFilter(filter), wanted); err != nil {
			return nil, err
		}
	}
	if f.log, err = r.events.Log.Follow(start, wanted); err != nil {
		return nil, err
	}
	stream.Follow(f, f.begins())
	return f.updates, nil
}

// current is the present state. It is read after the position from which the log is followed, so that nothing falls in
// between; what is in both comes once.
func (r *resolver) current(ctx context.Context, filter catalog.TokenFilter, wanted func(*expiry.Event) bool) ([]expiry.Event, error) {
	lists := loader.New(r.catalog)
	tokens := r.catalog.Tokens(ctx, lists, catalog.TokenFilter{
		Providers: filter.Providers, OrganizationIDs: filter.OrganizationIDs, RegistryIDs: filter.RegistryIDs,
	}).Items
	names := registryNames(ctx, lists, tokens)
	readings := make([]expiry.Reading, len(tokens))
	for i, t := range tokens {
		readings[i] = t.Reading(names[t.ID.OfRegistry()])
	}
	events, err := r.events.Current(ctx, readings)
	if err != nil {
		return nil, err
	}
	kept := events[:0]
	for i := range events {
		if wanted(&events[i]) {
			kept = append(kept, events[i])
		}
	}
	return kept, nil
}

// registryNames are what the registries of tokens are called, as far as it is known. Their lists were read for the tokens'.
func registryNames(ctx context.Context, lists *loader.Loaders, tokens []*catalog.Token) map[providers.ID]string {
	names := map[providers.ID]string{}
	var ids []providers.ID
	for _, t := range tokens {
		id := t.ID.OfRegistry()
		if _, known := names[id]; !known {
			names[id] = ""
			ids = append(ids, id)
		}
	}
	for i, entry := range lists.Registries(ctx, ids) {
		if entry.Err == nil {
			names[ids[i]] = entry.Value.Name
		}
	}
	return names
}
