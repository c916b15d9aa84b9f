package logtest

import (
	"context"
	"slices"
	"sync"

	"regtok/expiry"
)

var appending = []logCase{
	{"an event that is appended twice is there once", func(s *stage) {
		fresh, err := s.Append(s.Context(), Events(0, 3))
		s.must(err)
		s.same("fresh", fresh, []bool{true, true, true})
		again := append(Events(1, 5), Event(4))
		fresh, err = s.Connect().Append(s.Context(), again)
		s.must(err)
		s.same("fresh", fresh, []bool{false, false, true, true, false})
		page, err := s.Read(s.Context(), "", 10)
		s.must(err)
		s.same("events", numbers(page.Entries), upTo(0, 5))
	}},
	{"an event comes out as it went in", func(s *stage) {
		event := Event(7)
		event.Subject.Name = "ümläut <&> \u2028 \x00 'quoted' {}"
		_, err := s.Append(s.Context(), []expiry.Event{event})
		s.must(err)
		page, err := s.Connect().Read(s.Context(), "", 1)
		s.must(err)
		s.same("event", page.Entries[0].Event, event)
		found, ok, err := s.Connect().Find(s.Context(), event.ID)
		s.must(err)
		s.same("found", ok, true)
		s.same("event", found.Event, event)
		s.same("cursor", found.Cursor, page.Entries[0].Cursor)
	}},
	{"nothing is found under an id that is nobody's", func(s *stage) {
		s.tells(0, 1)
		for _, id := range []string{"", "x", Event(1).ID, Subject(0).Token.String()} {
			_, ok, err := s.Find(s.Context(), id)
			s.must(err)
			s.same("found "+id, ok, false)
		}
	}},
	{"what is no whole event is refused, and nothing of it entered", func(s *stage) {
		bad := Event(1)
		bad.ID = Event(2).ID
		if _, err := s.Append(s.Context(), []expiry.Event{Event(0), bad}); err == nil {
			s.Error("an event with another's id was taken")
		}
		if _, err := s.Append(s.Context(), []expiry.Event{{}}); err == nil {
			s.Error("an empty event was taken")
		}
		page, err := s.Read(s.Context(), "", 10)
		s.must(err)
		s.same("events", numbers(page.Entries), upTo(0, 0))
	}},
	{"many events go in at once, and none at all", func(s *stage) {
		s.tells(0, 0)
		s.tells(0, 1000)
		page, err := s.Read(s.Context(), "", 2000)
		s.must(err)
		s.same("events", numbers(page.Entries), upTo(0, 1000))
	}},
	{"of many writers of the same events one is first with each", func(s *stage) {
		const writers, events = 8, 50
		var mu sync.Mutex
		first := make([]int, events)
		s.together(writers, func(i int, log expiry.Log) {
			order := Events(0, events)
			if i%2 == 0 {
				slices.Reverse(order)
			}
			for part := range slices.Chunk(order, 10) {
				fresh, err := log.Append(s.Context(), part)
				if err != nil {
					s.Error(err)
					return
				}
				mu.Lock()
				for j, is := range fresh {
					if is {
						first[number(&expiry.Entry{Event: part[j]})]++
					}
				}
				mu.Unlock()
			}
		})
		for n, times := range first {
			if times != 1 {
				s.Errorf("event %d was new %d times", n, times)
			}
		}
		page, err := s.Read(s.Context(), "", 1000)
		s.must(err)
		got := numbers(page.Entries)
		slices.Sort(got)
		s.same("events", got, upTo(0, events))
	}},
	{"a call whose context has ended says so", func(s *stage) {
		ctx, cancel := context.WithCancel(s.Context())
		cancel()
		_, appended := s.Append(ctx, Events(0, 1))
		_, read := s.Read(ctx, "", 1)
		_, _, found := s.Find(ctx, Event(0).ID)
		_, _, bounds := s.Bounds(ctx)
		_, next := s.follows("", nil).Next(ctx)
		for name, err := range map[string]error{"Append": appended, "Read": read, "Find": found, "Bounds": bounds, "Next": next} {
			if err != context.Canceled { //nolint:errorlint // it is the context's own
				s.Errorf("%s said %v, want %v", name, err, context.Canceled)
			}
		}
	}},
}
