package emulator

import (
	"net/netip"
	"regexp"
	"slices"
)

// registryChange is what a client may say about a registry besides its name and location.
type registryChange struct {
	schedule  given[*schedule]
	scanning  given[bool]
	allowList given[[]string]
}

// changeable are the fields of a registryChange.
var changeable = []string{"garbageCollectionSchedule", "features", "apiSubnetAllowList"}

// newRegistry reads the body of POST and PUT.
func (b behaviour) newRegistry(body []byte) (name, location string, change registryChange, err error) {
	o, err := b.properties(body, append([]string{"name", "location"}, changeable...)...)
	if err != nil {
		return "", "", change, err
	}
	if name, err = o.text("name"); err != nil {
		return "", "", change, err
	}
	if !registryNamePattern.MatchString(name) {
		return "", "", change, invalid("name must match %s", registryNamePattern)
	}
	if location, err = o.text("location"); err != nil {
		return "", "", change, err
	}
	if !slices.Contains(locations, location) {
		return "", "", change, invalid("location is not one of the available locations")
	}
	change, err = b.registryChange(o)
	return name, location, change, err
}

// registryPatch reads the body of PATCH, which has no wrapper.
func (b behaviour) registryPatch(body []byte) (registryChange, error) {
	o, err := b.object(body, "the body", changeable...)
	if err != nil {
		return registryChange{}, err
	}
	return b.registryChange(o)
}

func (b behaviour) registryChange(o object) (change registryChange, err error) {
	if o.has("garbageCollectionSchedule") {
		change.schedule.set = true
		if change.schedule.value, err = b.schedule(o); err != nil {
			return change, err
		}
	}
	if o.has("features") && !o.null("features") {
		change.scanning.set = true
		if change.scanning.value, err = b.scanning(o["features"]); err != nil {
			return change, err
		}
	}
	if o.has("apiSubnetAllowList") {
		change.allowList.set = true
		if change.allowList.value, err = b.allowList(o); err != nil {
			return change, err
		}
	}
	return change, nil
}

var days = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

var dayTimePattern = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](Z|\+00:00)?$`)

// schedule reads a schedule; null is the default one.
func (b behaviour) schedule(o object) (*schedule, error) {
	const name = "garbageCollectionSchedule"
	if o.null(name) {
		return nil, nil
	}
	inner, err := b.object(o[name], name, "days", "time")
	if err != nil {
		return nil, err
	}
	read := &schedule{}
	if read.Days, err = inner.texts("days"); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(read.Days, func(day string) bool { return !slices.Contains(days, day) }) {
		return nil, invalid("days must be Monday to Sunday")
	}
	if read.Time, err = inner.text("time"); err != nil {
		return nil, err
	}
	if !dayTimePattern.MatchString(read.Time) {
		return nil, invalid("time must be a time of day in UTC")
	}
	return read, nil
}

// scanning reads the only feature there is; it is on unless it is said to be off.
func (b behaviour) scanning(data []byte) (bool, error) {
	o, err := b.object(data, "features", "vulnerabilityScanning")
	if err != nil {
		return false, err
	}
	if !o.has("vulnerabilityScanning") {
		return true, nil
	}
	inner, err := b.object(o["vulnerabilityScanning"], "vulnerabilityScanning", "enabled")
	if err != nil {
		return false, err
	}
	switch string(inner["enabled"]) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, invalid("vulnerabilityScanning.enabled is required and must be true or false")
}

const maxAllowList = 25

func (b behaviour) allowList(o object) ([]string, error) {
	list, err := o.texts("apiSubnetAllowList")
	if err != nil {
		return nil, err
	}
	if len(list) > maxAllowList {
		return nil, invalid("apiSubnetAllowList must have at most %d entries", maxAllowList)
	}
	for _, entry := range list {
		_, asPrefix := netip.ParsePrefix(entry)
		_, asAddress := netip.ParseAddr(entry)
		if asPrefix != nil && asAddress != nil {
			return nil, invalid("apiSubnetAllowList must hold addresses and subnets")
		}
	}
	return list, nil
}

// allows refuses the one change that cannot be made.
func (r *registry) allows(change registryChange) error {
	if r.scanning && change.scanning.set && !change.scanning.value {
		return invalid("vulnerability scanning cannot be switched off")
	}
	return nil
}

// reset gives the registry the whole state in change; scanning is on unless the change says otherwise.
func (r *registry) reset(change registryChange) {
	r.scanning, r.schedule, r.allowList = true, nil, nil
	r.apply(change)
}

// apply changes what is set.
func (r *registry) apply(change registryChange) {
	if change.scanning.set {
		r.scanning = change.scanning.value
	}
	if change.schedule.set {
		r.schedule = change.schedule.value
	}
	if change.allowList.set {
		r.allowList = change.allowList.value
	}
}

func (r *registry) touch(by mark) {
	r.modified = by
	r.encoded = nil
}

func (r *registry) drop(t *token) {
	r.tokens = slices.DeleteFunc(r.tokens, func(other *token) bool { return other == t })
}
