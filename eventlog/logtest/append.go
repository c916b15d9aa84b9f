package logtest

import (
	"context"
	"slices"
	"sync"

	"regtok/eventlog"
)

func appending[E any]() []logCase[E] {
	return []logCase[E]{
		{"an event that is appended twice is there once", func(s *stage[E]) {
			fresh, err := s.Append(s.Context(), s.events(0, 3))
			s.must(err)
			s.same("fresh", fresh, []bool{true, true, true})
			again := append(s.events(1, 5), s.Event(4))
			fresh, err = s.Connect().Append(s.Context(), again)
			s.must(err)
			s.same("fresh", fresh, []bool{false, false, true, true, false})
			page, err := s.Read(s.Context(), "", 10)
			s.must(err)
			s.same("events", s.numbers(page.Entries), upTo(0, 5))
		}},
		{"an event comes out as it went in", func(s *stage[E]) {
			event := s.Strange
			_, err := s.Append(s.Context(), []E{event})
			s.must(err)
			page, err := s.Connect().Read(s.Context(), "", 1)
			s.must(err)
			s.same("event", page.Entries[0].Event, event)
			found, ok, err := s.Connect().Find(s.Context(), s.Codec.ID(&event))
			s.must(err)
			s.same("found", ok, true)
			s.same("event", found.Event, event)
			s.same("cursor", found.Cursor, page.Entries[0].Cursor)
		}},
		{"nothing is found under an id that is nobody's", func(s *stage[E]) {
			s.tells(0, 1)
			for _, id := range []string{"", "x", s.idOf(1)} {
				_, ok, err := s.Find(s.Context(), id)
				s.must(err)
				s.same("found "+id, ok, false)
			}
		}},
		{"what is no whole event is refused, and nothing of it entered", func(s *stage[E]) {
			for _, bad := range append(s.Broken, *new(E)) {
				if _, err := s.Append(s.Context(), []E{s.Event(0), bad}); err == nil {
					s.Errorf("%+v was taken", bad)
				}
			}
			page, err := s.Read(s.Context(), "", 10)
			s.must(err)
			s.same("events", s.numbers(page.Entries), upTo(0, 0))
		}},
		{"many events go in at once, and none at all", func(s *stage[E]) {
			s.tells(0, 0)
			s.tells(0, 1000)
			page, err := s.Read(s.Context(), "", 2000)
			s.must(err)
			s.same("events", s.numbers(page.Entries), upTo(0, 1000))
		}},
		{"of many writers of the same events one is first with each", func(s *stage[E]) {
			const writers, events = 8, 50
			var mu sync.Mutex
			first := make([]int, events)
			s.together(writers, func(i int, log eventlog.Log[E]) {
				order := s.events(0, events)
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
							first[s.Number(&part[j])]++
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
			got := s.numbers(page.Entries)
			slices.Sort(got)
			s.same("events", got, upTo(0, events))
		}},
		{"a call whose context has ended says so", func(s *stage[E]) {
			ctx, cancel := context.WithCancel(s.Context())
			cancel()
			_, appended := s.Append(ctx, s.events(0, 1))
			_, read := s.Read(ctx, "", 1)
			_, _, found := s.Find(ctx, s.idOf(0))
			_, _, bounds := s.Bounds(ctx)
			_, next := s.follows("", nil).Next(ctx)
			for name, err := range map[string]error{"Append": appended, "Read": read, "Find": found, "Bounds": bounds, "Next": next} {
				if err != context.Canceled { //nolint:errorlint // it is the context's own
					s.Errorf("%s said %v, want %v", name, err, context.Canceled)
				}
			}
		}},
	}
}
