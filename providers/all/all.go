// Package all is the table of providers. It is the one place where a provider is registered: configuration, flags,
// ids, demo mode and the conformance suite follow from it.
package all

import (
	"regtok/providers"
	"regtok/providers/buildkite"
	"regtok/providers/ionos"
)

// Drivers are all providers, in the order in which people see them.
func Drivers() []providers.Driver {
	return []providers.Driver{buildkite.Driver(), ionos.Driver()}
}
