package graph_test

import (
	"runtime"
	"syscall"
	"testing"
	"time"
)

// BenchmarkFanOut tells an event to 2,000 subscribers, one of whom does not read. What its audience takes is in the time, and
// not in the CPU.
func BenchmarkFanOut(b *testing.B) {
	s := newStage(b, plan{})
	a := gather(b, s.url)
	bare := taken()
	a.subscribe(b)
	s.waitFor(b, subscribers)
	perSubscriber := float64(taken()-bare) / subscribers
	before, n := spent(b), 0
	for b.Loop() {
		n++
		s.tell(b, event(ionosToken, n))
		a.says(b, "heard")
	}
	b.ReportMetric(perSubscriber/1024, "KiB/subscriber")
	b.ReportMetric(float64((spent(b)-before).Microseconds())/float64(n*subscribers), "µs-CPU/event")
}

// taken is what the process's heap and stacks take.
func taken() int64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// spent is the time that the process has spent.
func spent(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
