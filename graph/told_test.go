package graph_test

import (
	"fmt"
	"time"

	"regtok/expiry"
	"regtok/providers"
)

const day = 24 * time.Hour

// event is the nth of a token: a warning, a week before its date.
func event(token string, n int) expiry.Event { return warning(token, n, 7*day) }

// warning is that of a threshold.
func warning(token string, n int, threshold time.Duration) expiry.Event {
	at := moment(n)
	return lastStep(threshold, at, looked(token, n, at, at.Add(threshold)))
}

// expired says that a token's date came.
func expired(token string, n int) expiry.Event {
	at := moment(n)
	return lastStep(day, at, looked(token, n, at, at))
}

// withdrawn takes back a warning.
func withdrawn(token string, n int) expiry.Event {
	at := moment(n)
	gone := looked(token, n, at, at.Add(6*day))
	gone.Disabled = true
	return lastStep(7*day, at, looked(token, n, at.Add(-2*day), at.Add(6*day)), looked(token, n, at.Add(-day), at.Add(6*day)), gone)
}

func moment(n int) time.Time { return time.Date(2026, 11, 1, 0, 0, n, 0, time.UTC) }

func looked(token string, n int, at, due time.Time) expiry.Reading {
	id, err := providers.ParseID(token)
	if err != nil {
		panic(err)
	}
	return expiry.Reading{At: at, Due: due, Source: expiry.ByProvider,
		Subject: expiry.Subject{Token: id, Name: fmt.Sprintf("name-%d", n), RegistryName: "images", CreatedBy: "Ada"}}
}

// lastStep is what a rule of one threshold tells last of readings, by the moment of the last.
func lastStep(threshold time.Duration, now time.Time, readings ...expiry.Reading) expiry.Event {
	rule := expiry.NewRule(expiry.Settings{Thresholds: []time.Duration{threshold}})
	var state expiry.State
	var told []expiry.Event
	for _, reading := range readings {
		state = rule.Read(state, reading, reading.At).State
		told, state.Untold = append(told, state.Untold...), nil
	}
	if e, ok := rule.Current(state, now); ok {
		return e
	}
	return told[len(told)-1]
}
