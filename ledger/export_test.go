package ledger

import "time"

// RenewEvery sets how often the leases of locks are renewed. It has to be set before the first lock.
func (r *Redis) RenewEvery(d time.Duration) { r.renewal = d }
