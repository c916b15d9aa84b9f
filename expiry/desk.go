package expiry

import (
	"sync"
	"time"

	"regtok/providers"
)

const (
	// mostJobs and mostDue bound what waits to be worked on: registries, and tokens in them whose time has come.
	mostJobs = 20_000
	mostDue  = 20_000
	// workers is how many registries of one provider are worked on at the same time: a provider that is silent holds up
	// nobody but itself.
	workers = 8
	// mostSeen is of how many registries it is known when they were last read.
	mostSeen = 100_000
)

// desk is what a watcher has to do, by registry: one registry is worked on by one goroutine at a time.
type desk struct {
	mu      sync.Mutex
	work    func(task) (again bool) // nil: not now
	alarm   func()                  // called when a job is parked
	jobs    map[providers.ID]*job
	lanes   map[string]*lane // by provider
	parked  map[providers.ID]*job
	freed   time.Time // when all that was parked was last set free, and probed when one was
	probed  time.Time
	due     int // tokens, in all jobs
	seen    map[providers.ID]time.Time
	dropped uint64 // lists
	running sync.WaitGroup
}

// lane is what waits of one provider.
type lane struct {
	queue []*job
	busy  int
}

// job is a registry that there is something to do in.
type job struct {
	task
	state jobState
}

type jobState int

const (
	idle    jobState = iota
	queued           // in its lane
	working          // a goroutine does what there was; what comes meanwhile is done after that
	parked           // it failed, and waits until something works again
)

// task is what there is to do in a registry.
type task struct {
	registry providers.ID
	list     *List // the newest whole one; nil: none
	parts    []Reading
	due      map[providers.ID]struct{} // tokens to be looked at
}

func (t task) empty() bool { return t.list == nil && len(t.parts) == 0 && len(t.due) == 0 }

func newDesk() *desk {
	return &desk{
		jobs: map[providers.ID]*job{}, lanes: map[string]*lane{}, parked: map[providers.ID]*job{},
		seen: map[providers.ID]time.Time{},
	}
}

// tell adds a list. It waits for nothing: where there is too much to do the list is dropped, and the next one does.
func (d *desk) tell(list List) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.newest(list) && !list.Part {
		return
	}
	j := d.job(list.Registry)
	if j == nil || list.Part && len(j.parts)+len(list.Tokens) > mostDue {
		d.dropped++
		return
	}
	if list.Part {
		j.parts = append(j.parts, list.Tokens...)
	} else {
		j.list = &list
	}
	d.enqueue(j)
}

// newest tells whether no newer list of the registry has come before. An older one could bring back tokens that are gone,
// of which nothing is remembered.
func (d *desk) newest(list List) bool {
	if list.At.Before(d.seen[list.Registry]) {
		return false
	}
	if len(d.seen) >= mostSeen {
		clear(d.seen)
	}
	d.seen[list.Registry] = list.At
	return true
}

// note takes note of a list that need not wait here.
func (d *desk) note(list List) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.newest(list)
}

// take adds tokens whose time has come.
func (d *desk) take(states []State) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range states {
		j := d.job(s.registry())
		if j == nil {
			continue // it is handed out again
		}
		token := s.Subject.Token
		if _, known := j.due[token]; !known {
			j.due[token] = struct{}{}
			d.due++
		}
		d.enqueue(j)
	}
}

// room is how many tokens more may be taken.
func (d *desk) room() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return max(mostDue-d.due, 0)
}

// job is a registry's; nil: there are too many.
func (d *desk) job(registry providers.ID) *job {
	j := d.jobs[registry]
	if j == nil && len(d.jobs) < mostJobs {
		j = &job{task: task{registry: registry, due: map[providers.ID]struct{}{}}}
		d.jobs[registry] = j
	}
	return j
}

// enqueue lets a job have its turn, unless it will have one.
func (d *desk) enqueue(j *job) {
	if j.state != idle {
		return
	}
	j.state = queued
	l := d.lanes[j.registry.Provider]
	if l == nil {
		l = &lane{}
		d.lanes[j.registry.Provider] = l
	}
	l.queue = append(l.queue, j)
	d.staff(l)
}

// staff lets enough goroutines work on a lane.
func (d *desk) staff(l *lane) {
	for d.work != nil && len(l.queue) > 0 && l.busy < workers {
		j := l.queue[0]
		l.queue = l.queue[1:]
		l.busy++
		work := d.work
		d.running.Go(func() { d.serve(work, l, j) })
	}
}

// serve works on a job, and then on what waits in its lane.
func (d *desk) serve(work func(task) bool, l *lane, j *job) {
	for j != nil {
		t := d.begin(j)
		j = d.end(l, j, t, work(t))
	}
}

// begin takes what there is to do out of a job.
func (d *desk) begin(j *job) task {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := j.task
	d.due -= len(t.due)
	j.task = task{registry: t.registry, due: map[providers.ID]struct{}{}}
	j.state = working
	return t
}

// end puts a job away, or back if there is more to do, and returns the next one of the lane; nil: there is none.
func (d *desk) end(l *lane, j *job, t task, again bool) *job {
	d.mu.Lock()
	defer d.mu.Unlock()
	j.state = idle
	switch {
	case again:
		d.restore(j, t)
		j.state = parked
		d.parked[j.registry] = j
		d.alarm()
	case j.empty():
		delete(d.jobs, j.registry)
	default:
		d.enqueue(j)
	}
	if !again && len(d.parked) > 0 && time.Since(d.freed) >= retryAfter {
		d.freed = time.Now()
		d.free(len(d.parked))
	}
	if len(l.queue) == 0 || d.work == nil {
		l.busy--
		return nil
	}
	next := l.queue[0]
	l.queue = l.queue[1:]
	return next
}

// restore puts what could not be done back into its job, unless there is newer by now.
func (d *desk) restore(j *job, t task) {
	if j.list == nil {
		j.list = t.list
	}
	j.parts = append(t.parts, j.parts...)
	for token := range t.due {
		if _, known := j.due[token]; !known {
			j.due[token] = struct{}{}
			d.due++
		}
	}
}

// retry lets one of those that failed try again now and then, and returns how many there are: when it works, the others
// may, too.
func (d *desk) retry() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	waiting := len(d.parked)
	if waiting > 0 && time.Since(d.probed) >= retryAfter {
		d.probed = time.Now()
		d.free(1)
	}
	return waiting
}

// free lets some of those that failed try again.
func (d *desk) free(count int) {
	for registry, j := range d.parked {
		if count--; count < 0 {
			return
		}
		delete(d.parked, registry)
		j.state = idle
		d.enqueue(j)
	}
}

// start lets the work begin, done by a function that tells whether it failed and may work later. alarm is called then:
// somebody has to call retry.
func (d *desk) start(alarm func(), work func(task) (again bool)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.work, d.alarm = work, alarm
	for _, l := range d.lanes {
		d.staff(l)
	}
}

// close lets nothing begin any more, and waits for what is being done.
func (d *desk) close() {
	d.mu.Lock()
	d.work = nil
	d.mu.Unlock()
	d.running.Wait()
}

// waiting is how many registries there is something to do in, and how many lists were dropped.
func (d *desk) waiting() (jobs int, dropped uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.jobs), d.dropped
}
