package main

import (
	"fmt"
	"strings"
	"time"

	"regtok/auth"
	"regtok/providers"
)

// demoKeyLife is how long the briefest of the demo's keys is good for.
const demoKeyLife = time.Minute

// demoKeys are the keys with which the demo lets callers in. The zero value is none.
type demoKeys struct {
	callers []auth.Caller
	told    string // lines for a shell
	header  string // what a caller with the first of them adds to a command
}

// newDemoKeys makes a key for everything, one that is narrowed to a provider, and one that ends soon.
func newDemoKeys(narrowTo providers.Driver) (demoKeys, error) {
	reach, err := providers.NewReach(map[providers.ReachPart][]string{providers.ReachProviders: {narrowTo.Name}})
	if err != nil {
		return demoKeys{}, err
	}
	end := time.Now().Add(demoKeyLife).UTC().Truncate(time.Second)
	keys := demoKeys{told: "\nKeys, for your shell:\n", header: ` -H "authorization: Bearer $KEY"`}
	keys.add("KEY", "may do everything", auth.Viewer{Permissions: auth.Permissions()})
	keys.add("NARROW", "reads tokens, of "+narrowTo.Title+" alone", auth.Viewer{Permissions: []auth.Permission{auth.TokensRead}, Reach: reach})
	keys.add("BRIEF", "may do everything until "+end.Format(time.TimeOnly)+" UTC", auth.Viewer{Permissions: auth.Permissions(), Until: end})
	return keys, nil
}

// add makes a key for a viewer, who is called as its variable.
func (k *demoKeys) add(variable, may string, viewer auth.Viewer) {
	key := auth.NewKey()
	viewer.Subject = strings.ToLower(variable)
	k.callers = append(k.callers, auth.Caller{Key: key.Hash(), Viewer: viewer})
	k.told += fmt.Sprintf("  %s=%s  # %s\n", variable, key.Reveal(), may)
}
