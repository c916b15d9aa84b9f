package rediserr

import (
	"crypto/tls"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// cause is what somebody can mend.
type cause int

const (
	away cause = iota // it cannot be reached, or does not speak
	untrusted
	wrongLogin
	noLogin
	noRight
	noDatabase
	noSentinel
	noMaster
	noCluster
	inCluster
	incomplete
	unknownCommand
	starting
	readOnly
	full
	unsaved
	otherwise
)

// byCode are the causes that the first word of an answer tells.
var byCode = map[string]cause{
	"WRONGPASS": wrongLogin, "NOAUTH": noLogin, "NOPERM": noRight, "MOVED": inCluster, "CROSSSLOT": inCluster, "CLUSTERDOWN": incomplete,
	"LOADING": starting, "READONLY": readOnly, "OOM": full, "MISCONF": unsaved,
}

// byText are the causes that an answer tells in words only, after its first word.
var byText = []struct {
	begins string
	cause  cause
}{
	{"DB index is out of range", noDatabase},
	{"unknown command 'sentinel'", noSentinel},
	{"unknown command", unknownCommand},
	{"This instance has cluster support disabled", noCluster},
}

// noNodes is what the client says of a cluster in which no server has any slot.
const noNodes = "redis: cluster has no nodes"

func causeOf(err error) cause {
	if errors.Is(err, redis.Nil) {
		return noMaster // only who looks for one has that for an error
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return untrusted
	}
	answer, ok := errors.AsType[redis.Error](err)
	switch {
	case !ok && err.Error() == noNodes:
		return incomplete
	case !ok:
		return away
	}
	if known, ok := byCode[Code(err)]; ok {
		return known
	}
	text := strings.ReplaceAll(strings.TrimPrefix(answer.Error(), "ERR "), "`", "'") // of older servers
	for _, known := range byText {
		if len(text) >= len(known.begins) && strings.EqualFold(text[:len(known.begins)], known.begins) {
			return known.cause
		}
	}
	return otherwise
}

// reaching tells whether it keeps everybody from a server, whatever they want there.
func (c cause) reaching() bool {
	switch c {
	case noRight, unknownCommand, readOnly, full, unsaved, otherwise:
		return false
	}
	return true
}

// local tells whether it may be the trouble of one server of several.
func (c cause) local() bool { return c == away || c == starting || c == incomplete }

// cures tell what to do about causes, as far as the cause alone says it.
var cures = map[cause]string{
	untrusted:      "name who signed it by cacert=FILE in the address, and whom it is for by sni=NAME if that is not where it is",
	noRight:        "give its user the right that ACL LOG there names; docs/redis.md has all that are needed",
	noDatabase:     "correct the number of the database in the address; most have 0 to 15",
	noSentinel:     "name a sentinel, which mostly has port 26379; the address of a server begins with redis://",
	noMaster:       "correct the master's name in the address, behind the hosts",
	noCluster:      "name servers of a cluster; the address of a single server begins with redis://",
	inCluster:      "it belongs to a cluster: begin the address with redis+cluster://",
	incomplete:     "see that all servers of the cluster run, and that each slot has one",
	unknownCommand: "it has to be Redis 6.2 or newer, and no sentinel, whose addresses begin with redis+sentinel://",
	starting:       "it will be there when it has read what it keeps",
	readOnly:       "name the master, or sentinels, who know it",
	full:           "give it more memory: what has to be remembered may not be evicted",
	unsaved:        "see why it cannot write to its disk",
	otherwise:      "its own log may tell more",
}

// Server is what a [Health] has to know of a Redis to say what may be wrong.
type Server struct {
	// Setting is where its address stands, as the log tells it.
	Setting string
	// TLS, Sentinel and Cluster say what its address says.
	TLS, Sentinel, Cluster bool
}

// cure is what to do about e; worked: it has been right before.
func (s Server) cure(e *Error, worked bool) string {
	switch e.cause {
	case away:
		return s.approach(e, worked)
	case wrongLogin:
		return "it refuses the user or the password: correct them in the address" + s.sentinels()
	case noLogin:
		return "it wants a password: write it into the address, like redis://:password@host or redis://user:password@host" + s.sentinels()
	}
	return cures[e.cause]
}

// approach is what to do when it cannot be reached.
func (s Server) approach(e *Error, worked bool) string {
	switch {
	case worked:
		return "see that it runs"
	case e.reason != Late && e.reason != hungUp && e.reason != strange:
		return "see that it runs where the address says"
	case s.TLS:
		return "see that it runs where the address says, and speaks TLS at that port: without, an address begins with redis instead of rediss"
	}
	return "see that it runs where the address says, and speaks no TLS at that port: with it, an address begins with rediss instead of redis"
}

func (s Server) sentinels() string {
	if s.Sentinel {
		return "; sentinels' own are its parameters sentinel_username and sentinel_password"
	}
	return ""
}
