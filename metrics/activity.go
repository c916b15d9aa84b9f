package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"regtok/activity"
)

var (
	happened   = describe("activity_events_total", "Events of what happened to tokens that this process told first, by kind and by whom: caller, or nobody (found in a list).", "kind", "by")
	unsaid     = describe("activity_waiting_events", "Events of callers' deeds that wait until they can be told.")
	lost       = describe("activity_lost_events_total", "Those that there was no room for. The log has their lines.")
	unlisted   = describe("activity_dropped_lists_total", "Lists of tokens that there was no room for. The next ones make up for them.")
	activityUp = describe("activity_up", "0 while what happened to tokens cannot be told.")
)

func describeActivity(descriptions chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{happened, unsaid, lost, unlisted, activityUp} {
		descriptions <- d
	}
}

func tellActivity(tell gauge, count count, f activity.Figures) {
	for _, kind := range activity.Kinds() { // each is told from the start
		count(happened, f.Done[kind], string(kind), "caller")
		count(happened, f.Noticed[kind], string(kind), "nobody")
	}
	tell(unsaid, float64(f.Unsaid))
	count(lost, f.Lost)
	count(unlisted, f.Dropped)
	tell(activityUp, claim(!f.Fails))
}
