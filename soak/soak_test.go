package soak

import (
	"flag"
	"testing"
	"time"
)

var (
	soakFor = flag.Duration("soak", 20*time.Second, "how long to load; from two minutes on with 10,000 tokens in 120 registries")
	keep    = flag.String("keep", "", "a folder to keep the replicas' log and a line for each upstream request in")
)

func TestSoak(t *testing.T) {
	plan := Plan{
		For: *soakFor, Replicas: 4, Registries: 4, Tokens: 10, Hot: 2, Kills: 3, Keep: *keep,
		Settings: "max_age: {buildkite: P90D}\n",
		Reads:    20, Writes: map[string]float64{"buildkite": 15, "ionos": 60},
	}
	if *soakFor >= 2*time.Minute {
		plan.Registries, plan.Tokens, plan.Hot, plan.Settle = 60, 84, 4, true
		plan.Kills = int(*soakFor / time.Minute)
		plan.Reads, plan.Writes = 30, map[string]float64{"buildkite": 5, "ionos": 30}
	}
	Run(t, plan)
}
