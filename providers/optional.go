package providers

// Optional is a value that can be absent, null, or there. The zero value is absent.
type Optional[T any] struct {
	set   bool
	null  bool
	value T
}

// Some is an Optional that holds v.
func Some[T any](v T) Optional[T] { return Optional[T]{set: true, value: v} }

// Null is an Optional that says "clear it".
func Null[T any]() Optional[T] { return Optional[T]{set: true, null: true} }

// IsSet tells whether it was given at all, null included.
func (o Optional[T]) IsSet() bool { return o.set }

// IsNull tells whether it was given as null.
func (o Optional[T]) IsNull() bool { return o.null }

// Value returns the value, and whether there is one.
func (o Optional[T]) Value() (T, bool) { return o.value, o.set && !o.null }
