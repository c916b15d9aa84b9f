package soak

import (
	"testing"
	"time"
)

func TestEverySubscriberHearsTheLog(t *testing.T) {
	plan := Plan{
		For: min(*soakFor, 12*time.Second), Replicas: 3, Registries: 4, Tokens: 5, Hot: 2, Kills: 3,
		Settings: "thresholds: [PT4S, PT2S]\nmax_age: {buildkite: PT6S, ionos: PT6S}\n",
		Redis:    []string{"--appendfsync", "always"}, // what was told once is not to be forgotten
		Writes:   map[string]float64{"buildkite": 15, "ionos": 90},
	}
	if *soakFor >= 2*time.Minute {
		plan.For, plan.Kills = *soakFor, int(*soakFor/(20*time.Second))
	}
	RunEvents(t, plan, 300)
}
