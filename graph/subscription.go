package graph

import (
	"context"
	"errors"
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
	stream := transport.StreamOf(ctx)
	if stream == nil {
		return nil, errors.New("a subscription runs without a stream")
	}
	if resume := eventlog.Cursor(stream.Resume()); resume != "" {
		after, includeCurrent = &resume, false
	}
	start := value(after)
	if after == nil {
		if _, start, err = r.events.Log.Bounds(ctx); err != nil {
			return nil, err
		}
	}
	follow := &following{resolver: r.resolver, start: start, updates: make(chan model.TokenExpiryUpdate, 1)}
	if includeCurrent {
		if follow.current, err = r.current(ctx, tokenFilter(filter), wanted); err != nil {
			return nil, err
		}
	}
	if follow.log, err = r.events.Log.Follow(start, wanted); err != nil {
		return nil, err
	}
	stream.Follow(follow, follow.begins())
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
	start   eventlog.Cursor
	current []expiry.Event  // of the present state, what is still to be told
	told    map[string]bool // ids of that, which the log may tell again
	log     *eventlog.Subscription[expiry.Event]
	updates chan model.TokenExpiryUpdate // has room for the one that is asked for
}

var _ transport.Source = (*following)(nil)

// begins is where a caller goes on who has heard nothing yet. The present state is then to be told again.
func (f *following) begins() string {
	if len(f.current) > 0 {
		return ""
	}
	return string(f.start)
}

// Next implements transport.Source. Most of its time it waits: what takes room on the stack is left to others.
func (f *following) Next(ctx context.Context) (transport.Mark, bool) {
	if len(f.current) > 0 {
		return f.present(), true
	}
	for {
		update, err := f.log.Next(ctx)
		if err != nil {
			return transport.Mark{}, false // the stream is over, or the process ends
		}
		if entry := update.Entry; entry != nil {
			if f.told[entry.Event.ID] {
				delete(f.told, entry.Event.ID)
				continue
			}
			if !f.reaches(ctx, entry.Event.Subject.Token) {
				continue
			}
		}
		return f.tell(update), true
	}
}

// reaches tells whether a token is within the subscriber's reach. It waits until that can be told, as it would for the log.
func (f *following) reaches(ctx context.Context, token providers.ID) bool {
	for {
		reaches, err := f.catalog.Reaches(ctx, token)
		if err == nil {
			return reaches
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(time.Second):
		}
	}
}

func (f *following) tell(update eventlog.Update[expiry.Event]) transport.Mark {
	if gap := update.Gap; gap != nil {
		f.updates <- &model.EventGap{Gap: gap}
		return transport.Mark{Cursor: string(gap.ResumesAt)}
	}
	entry := update.Entry
	f.updates <- f.shown(&entry.Event, entry.Cursor)
	return transport.Mark{Cursor: string(entry.Cursor), At: entry.Event.OccurredAt}
}

// present is the next event of the present state. Only with the last of it may the caller go on where the log is followed:
// before that, some of it would be missing.
func (f *following) present() transport.Mark {
	e := &f.current[0]
	f.current = f.current[1:]
	if f.told == nil {
		f.told = map[string]bool{}
	}
	f.told[e.ID] = true
	mark := transport.Mark{At: e.OccurredAt}
	if len(f.current) == 0 {
		f.current, mark.Cursor = nil, string(f.start)
	}
	f.updates <- f.shown(e, f.start)
	return mark
}

// Close implements transport.Source.
func (f *following) Close() { f.log.Close() }
