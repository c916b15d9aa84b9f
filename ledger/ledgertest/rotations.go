package ledgertest

import (
	"sync/atomic"
	"time"

	"regtok/ledger"
	"regtok/providers"
)

// begins begins a rotation, which has to be the first.
func (s *stage) begins(old providers.ID) ledger.Rotation {
	s.Helper()
	rotation := ledger.Rotation{Old: old, Began: today()}
	present, mine, err := s.Connect().BeginRotation(s.Context(), rotation)
	s.must(err)
	if !mine {
		s.Errorf("a rotation is in the way: %+v", present)
	}
	return rotation
}

// inTheWay checks which rotation keeps another of the same token from beginning.
func (s *stage) inTheWay(want ledger.Rotation) {
	s.Helper()
	present, mine, err := s.Connect().BeginRotation(s.Context(), ledger.Rotation{Old: want.Old, Began: today().Add(time.Second)})
	s.must(err)
	if mine {
		s.Errorf("no rotation is in the way, want %+v", want)
		return
	}
	s.same("the rotation in the way", present, want)
}

// rotates rotates one token to another; the old one ends after the overlap, or never if that is 0.
func (s *stage) rotates(from, to providers.ID, overlap time.Duration) ledger.Rotation {
	s.Helper()
	rotation := s.begins(from)
	rotation.New = to
	if overlap != 0 {
		rotation.Ends = rotation.Began.Add(overlap)
	}
	s.must(s.Connect().FinishRotation(s.Context(), rotation))
	return rotation
}

// related checks successors and predecessors of tokens, by number; 0: none.
func (s *stage) related(ids []int, successors, predecessors []int) {
	s.Helper()
	tokens := func(numbers []int) []providers.ID {
		list := make([]providers.ID, len(numbers))
		for i, n := range numbers {
			if n != 0 {
				list[i] = token(n)
			}
		}
		return list
	}
	next, err := s.Connect().Successors(s.Context(), tokens(ids))
	s.must(err)
	s.same("successors", next, tokens(successors))
	previous, err := s.Connect().Predecessors(s.Context(), tokens(ids))
	s.must(err)
	s.same("predecessors", previous, tokens(predecessors))
}

var rotations = []testCase{
	{"a rotation that is under way is in the way of another one of the same token", func(s *stage) {
		rotation := s.begins(token(1))
		s.begins(token(2))
		s.inTheWay(rotation)
		s.inTheWay(rotation)
	}},
	{"of many rotations at once one begins", func(s *stage) {
		var mine, theirs atomic.Int32
		s.together(func(i int, l ledger.Ledger) {
			_, began, err := l.BeginRotation(s.Context(), ledger.Rotation{Old: token(1), Began: today().Add(time.Duration(i) * time.Second)})
			switch {
			case err != nil:
				s.Error(err)
			case began:
				mine.Add(1)
			default:
				theirs.Add(1)
			}
		})
		s.same("rotations that began", []int32{mine.Load(), theirs.Load()}, []int32{1, crowd - 1})
	}},
	{"an abandoned rotation is as if it had never been", func(s *stage) {
		s.begins(token(1))
		for range 2 { // the second time there is nothing to abandon
			s.must(s.Connect().AbandonRotation(s.Context(), token(1)))
		}
		s.related([]int{1}, []int{0}, []int{0})
		s.begins(token(1))
	}},
	{"a rotation that nobody finishes is forgotten", func(s *stage) {
		rotation := s.begins(token(1))
		s.Pass(ledger.RotationLease - time.Minute)
		s.inTheWay(rotation)
		s.Pass(time.Minute)
		s.begins(token(1))
	}},
	{"a finished rotation is in the way while the old token works", func(s *stage) {
		rotation := s.rotates(token(1), token(3), time.Hour)
		s.inTheWay(rotation)
		s.must(s.AbandonRotation(s.Context(), token(1))) // too late for that
		s.Pass(time.Hour - time.Minute)
		s.inTheWay(rotation)
		s.Pass(time.Minute)
		s.begins(token(1))
	}},
	{"a finished rotation whose old token has ended is in nobody's way", func(s *stage) {
		s.rotates(token(1), token(3), -time.Second)
		s.begins(token(1))
		s.related([]int{1, 3}, []int{3, 0}, []int{0, 1})
	}},
	{"a finished rotation whose old token never ends is in the way for as long as it is known", func(s *stage) {
		rotation := s.rotates(token(1), token(3), 0)
		s.Pass(ledger.RotationsKept - time.Minute)
		s.inTheWay(rotation)
		s.related([]int{1, 3}, []int{3, 0}, []int{0, 1})
		s.Pass(time.Minute)
		s.related([]int{1, 3}, []int{0, 0}, []int{0, 0})
		s.begins(token(1))
	}},
	{"tokens know each other once their rotation is finished, in the order asked", func(s *stage) {
		s.begins(token(9))
		s.rotates(token(1), token(3), time.Hour)
		s.rotates(token(2), token(4), -time.Hour)
		s.rotates(token(3), token(5), time.Hour)
		s.related([]int{5, 4, 9, 3, 2, 1, 7, 3}, []int{0, 0, 0, 5, 4, 3, 0, 5}, []int{3, 2, 0, 1, 0, 0, 0, 1})
		s.related(nil, nil, nil)
	}},
	{"tokens know each other for their time after the old one's end", func(s *stage) {
		s.rotates(token(1), token(3), time.Hour)
		s.Pass(time.Hour + ledger.RotationsKept - time.Minute)
		s.related([]int{1, 3}, []int{3, 0}, []int{0, 1})
		s.Pass(time.Minute)
		s.related([]int{1, 3}, []int{0, 0}, []int{0, 0})
	}},
	{"a token that is rotated again after its overlap has its latest successor", func(s *stage) {
		s.rotates(token(1), token(3), time.Hour)
		s.Pass(time.Hour)
		s.begins(token(1))
		s.related([]int{1}, []int{3}, []int{0})
		s.must(s.AbandonRotation(s.Context(), token(1)))
		s.related([]int{1}, []int{3}, []int{0})
		s.rotates(token(1), token(5), time.Hour)
		s.related([]int{1, 3, 5}, []int{5, 0, 0}, []int{0, 1, 1})
	}},
	{"a rotation is finished though its beginning was forgotten", func(s *stage) {
		rotation := s.begins(token(1))
		s.Pass(ledger.RotationLease)
		rotation.New, rotation.Ends = token(3), today().Add(time.Hour)
		s.must(s.FinishRotation(s.Context(), rotation))
		s.related([]int{1, 3}, []int{3, 0}, []int{0, 1})
		s.inTheWay(rotation)
	}},
}
