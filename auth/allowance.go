package auth

// Allowance is how many points a caller may spend on operations. What one costs stands in `extensions.cost` of its answer.
type Allowance struct {
	// PerMinute is how many come back in a minute, evenly. 0: the caller may spend as many as they like.
	PerMinute int
	// Burst is the most that there can be, and so the most that can be spent at once.
	Burst int
}

// Unlimited tells whether the caller may spend as many as they like.
func (a Allowance) Unlimited() bool { return a.PerMinute == 0 }

// Equal tells whether two are the same. Nil is the same as nil alone.
func (a *Allowance) Equal(other *Allowance) bool {
	if a == nil || other == nil {
		return a == other
	}
	return *a == *other
}
