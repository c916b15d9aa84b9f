package budget

import "time"

// moment is a time by the clock of who keeps the state, in nanoseconds since 1970.
type moment int64

func momentOf(t time.Time) moment { return moment(t.UnixNano()) }

func (m moment) time() time.Time { return time.Unix(0, int64(m)) }

func (m moment) add(d time.Duration) moment { return m + moment(d) }

// shift makes it one of a clock that is that much further; 0 stays 0.
func (m *moment) shift(by time.Duration) {
	if *m != 0 {
		*m = m.add(by)
	}
}

// since is how long after the other moment this one is.
func (m moment) since(other moment) time.Duration { return time.Duration(m - other) }

// clock is the time of who keeps the state. It goes on evenly even if somebody sets this machine's.
type clock struct {
	began time.Time
	ahead time.Duration // of this machine's
}

func (c *clock) now() moment { return momentOf(c.began.Add(time.Since(c.began)).Add(c.ahead)) }

// local is a moment by this machine's clock, as people see it.
func (c *clock) local(m moment) time.Time { return m.time().Add(-c.ahead) }

// set makes it the clock that showed then, between two moments of its own, and returns how much further it is now.
func (c *clock) set(then time.Time, sent, got moment) time.Duration {
	by := momentOf(then).since(sent + (got-sent)/2)
	c.ahead += by
	return by
}
