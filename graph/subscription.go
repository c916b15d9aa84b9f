package graph

import (
	"context"
	"errors"
	"time"

	"regtok/catalog"
	"regtok/expiry"
	"regtok/graph/internal/model"
	"regtok/graph/loader"
	"regtok/graph/transport"
	"regtok/providers"
)

type subscriptionResolver struct{ *resolver }

// TokenExpiry follows the log. What brings the events ends with ctx, and the stream waits for that.
func (r subscriptionResolver) TokenExpiry(
	ctx context.Context, filter *model.TokenFilter, thresholds []time.Duration, after *expiry.Cursor, includeCurrent bool,
) (<-chan model.TokenExpiryUpdate, error) {
	wanted, err := r.askedEvents(filter, thresholds)
	if err != nil {
		return nil, err
	}
	stream := transport.StreamOf(ctx)
	if stream == nil {
		return nil, errors.New("a subscription runs without a stream")
	}
	if resume := expiry.Cursor(stream.Resume()); resume != "" {
		after, includeCurrent = &resume, false
	}
	start := value(after)
	if after == nil {
		if _, start, err = r.events.Log.Bounds(ctx); err != nil {
			return nil, err
		}
	}
	follow := following{resolver: r.resolver, stream: stream, start: start, updates: make(chan model.TokenExpiryUpdate)}
	if includeCurrent {
		if follow.current, err = r.current(ctx, tokenFilter(filter), wanted); err != nil {
			return nil, err
		}
	}
	if follow.log, err = r.events.Log.Follow(start, wanted); err != nil {
		return nil, err
	}
	stream.Go(func() { follow.run(ctx) })
	return follow.updates, nil
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

// following brings events to one subscriber.
type following struct {
	*resolver
	stream  *transport.Stream
	start   expiry.Cursor
	current []expiry.Event
	log     *expiry.Subscription
	updates chan model.TokenExpiryUpdate
}

func (f *following) run(ctx context.Context) {
	defer close(f.updates)
	defer f.log.Close()
	told := f.present(ctx)
	f.stream.Begin(string(f.start))
	for ctx.Err() == nil {
		update, err := f.log.Next(ctx)
		if err != nil {
			return // the stream is over, or the process ends
		}
		if gap := update.Gap; gap != nil {
			f.send(ctx, &model.EventGap{Gap: gap}, transport.Mark{Cursor: string(gap.ResumesAt)})
			continue
		}
		entry := update.Entry
		if told[entry.ID] {
			delete(told, entry.ID)
			continue
		}
		f.send(ctx, f.shown(entry.Event, entry.Cursor), transport.Mark{Cursor: string(entry.Cursor), At: entry.OccurredAt})
	}
}

// present sends the present state, and returns the ids of what it has. Only with the last of it may the caller go on where
// the log is followed: before that, some of it would be missing.
func (f *following) present(ctx context.Context) (told map[string]bool) {
	told = make(map[string]bool, len(f.current))
	for i, e := range f.current {
		mark := transport.Mark{At: e.OccurredAt}
		if i == len(f.current)-1 {
			mark.Cursor = string(f.start)
		}
		told[e.ID] = true
		f.send(ctx, f.shown(e, f.start), mark)
	}
	f.current = nil
	return told
}

// send waits until the transport asks for the next event.
func (f *following) send(ctx context.Context, update model.TokenExpiryUpdate, mark transport.Mark) {
	f.stream.Mark(ctx, mark)
	select {
	case f.updates <- update:
	case <-ctx.Done():
	}
}
