package logtest

import (
	"strings"

	"regtok/eventlog"
)

func reading[E any]() []logCase[E] {
	return []logCase[E]{
		{"a log is read after any cursor", func(s *stage[E]) {
			_, before := s.bounds()
			s.tells(0, 20)
			all, err := s.Connect().Read(s.Context(), before, 100)
			s.must(err)
			s.same("events", s.numbers(all.Entries), upTo(0, 20))
			for n, entry := range all.Entries {
				for _, limit := range []int{1, 3, 100} {
					page, err := s.Read(s.Context(), entry.Cursor, limit)
					s.must(err)
					end := min(n+1+limit, 20)
					s.same("events", s.numbers(page.Entries), upTo(n+1, end))
					s.same("next", page.Next, all.Entries[end-1].Cursor)
					if page.Gap != nil || !page.More && end < 20 {
						s.Errorf("after %d, at most %d: gap %v, more %v", n, limit, page.Gap, page.More)
					}
				}
			}
			s.same("more", all.More, false)
			s.same("next", all.Next, all.Entries[19].Cursor)
		}},
		{"an empty log has a cursor to go on from", func(s *stage[E]) {
			oldest, newest := s.bounds()
			s.same("oldest", oldest, newest)
			for _, after := range []eventlog.Cursor{"", newest} {
				page, err := s.Read(s.Context(), after, 10)
				s.must(err)
				if len(page.Entries) > 0 || page.Gap != nil || page.More || page.Next != newest {
					s.Errorf("after %q: got %+v, want nothing up to %s", after, page, newest)
				}
			}
			s.tells(0, 2)
			page, err := s.Read(s.Context(), newest, 0)
			s.must(err)
			s.same("events", s.numbers(page.Entries), upTo(0, 0))
			s.same("next", page.Next, newest)
			page, err = s.Read(s.Context(), newest, 10)
			s.must(err)
			s.same("events", s.numbers(page.Entries), upTo(0, 2))
			if now, end := s.bounds(); now != oldest || end != page.Next {
				s.Errorf("bounds are %s and %s, want %s and %s", now, end, oldest, page.Next)
			}
		}},
		{"a damaged cursor is said to be one", func(s *stage[E]) {
			s.tells(0, 1)
			_, newest := s.bounds()
			good := string(newest)
			for _, bad := range []string{"x", good[1:], good + "A", good + "\n", "B" + good[1:], good[:len(good)-1] + "!", strings.Repeat("A", len(good)), strings.ToUpper(good)} {
				_, err := s.Read(s.Context(), eventlog.Cursor(bad), 1)
				s.refuses("Read", err)
				_, err = s.Follow(eventlog.Cursor(bad), nil)
				s.refuses("Follow", err)
			}
		}},
		{"a cursor that the log no longer reaches is told as a gap", func(s *stage[E]) {
			s.tells(0, 3)
			first, err := s.Read(s.Context(), "", 1)
			s.must(err)
			after := first.Next
			s.Forget()
			oldest, _ := s.bounds()
			page, err := s.Connect().Read(s.Context(), after, 1000)
			s.must(err)
			s.same("gap", page.Gap, &eventlog.Gap{Reason: eventlog.ExpiredCursor, After: after, ResumesAt: oldest})
			rest, err := s.Read(s.Context(), oldest, 1000)
			s.must(err)
			if rest.Gap != nil || len(rest.Entries) == 0 {
				s.Errorf("from the oldest on: gap %v, %d events", rest.Gap, len(rest.Entries))
			}
			s.same("events", s.numbers(page.Entries), s.numbers(rest.Entries))
			all, err := s.Read(s.Context(), "", 1000)
			s.must(err)
			if all.Gap != nil {
				s.Errorf("from the beginning: got a gap, %+v, want none", *all.Gap)
			}
			s.same("events", s.numbers(all.Entries), s.numbers(rest.Entries))
			if _, ok, err := s.Find(s.Context(), s.idOf(0)); ok || err != nil {
				s.Errorf("what is forgotten is found: %v, %v", ok, err)
			}
		}},
		{"what is forgotten can be told again", func(s *stage[E]) {
			s.tells(0, 3)
			s.Forget()
			fresh, err := s.Append(s.Context(), s.events(0, 1))
			s.must(err)
			s.same("fresh", fresh, []bool{true})
		}},
	}
}
