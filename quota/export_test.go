package quota

// Callers is how many are remembered here.
func (q *Quota) Callers() int {
	q.memory.mu.Lock()
	defer q.memory.mu.Unlock()
	return len(q.memory.callers)
}

// Key is where a caller's debt lies in Redis.
func (r *Redis) Key(caller string) string { return r.key(caller) }
