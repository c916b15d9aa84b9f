package budget

import "time"

// moment is a time by the clock of who keeps the state, in microseconds since 1970.
type moment int64

func momentOf(t time.Time) moment { return moment(t.UnixMicro()) }

func (m moment) time() time.Time { return time.UnixMicro(int64(m)) }

func (m moment) add(d time.Duration) moment { return m + moment(d/time.Microsecond) }

// since is how long after the other moment this one is.
func (m moment) since(other moment) time.Duration { return time.Duration(m-other) * time.Microsecond }

// clock is the time of this process, which goes on evenly even if somebody sets it.
type clock struct{ began time.Time }

func (c clock) now() moment { return momentOf(c.began).add(time.Since(c.began)) }
