package model

import "regtok/eventlog"

// EventPage is a page of a log, with events of one kind.
type EventPage[T interface{ Position() eventlog.Cursor }] struct {
	// Items are in the order of the log.
	Items []T
	// Start is where the page begins, and End what was looked at.
	Start, End eventlog.Cursor
	// More tells whether there may be more after End.
	More bool
	// Missing is what is missing before the page; nil: nothing.
	Missing *eventlog.Gap
}

// Nodes are the page's items.
func (p *EventPage[T]) Nodes() []T { return p.Items }

// PageInfo tells where the page lies.
func (p *EventPage[T]) PageInfo() *PageInfo {
	end := string(p.End)
	info := PageInfo{HasPreviousPage: p.Start != "", HasNextPage: p.More, EndCursor: &end}
	if len(p.Items) > 0 {
		start := string(p.Items[0].Position())
		info.StartCursor = &start
	}
	return &info
}

// Gap is what is missing before the page.
func (p *EventPage[T]) Gap() *EventGap {
	if p.Missing == nil {
		return nil
	}
	return &EventGap{p.Missing}
}
