package cache

import "errors"

// readersError is a failure that is one reader's own.
type readersError struct{ error }

func (e readersError) Unwrap() error { return e.error }

// OfReader is the error of a load that failed because of whom it was made for, and would not fail for others: they do not hear
// of it, and nothing is concluded from it.
func OfReader(err error) error { return readersError{err} }

func ofReader(err error) bool {
	_, is := errors.AsType[readersError](err)
	return is
}

// another tells whether an entry is what it is because of another reader.
func (s seat[K, V]) another(entry Entry[V]) bool {
	return !s.mine && (ofReader(entry.Err) || ofReader(entry.Cause))
}
