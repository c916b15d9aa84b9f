package main

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"regtok/rediserr"
)

// redisURL is where a Redis is. It may hold passwords, so it does not print.
type redisURL struct {
	options *redis.UniversalOptions // nil: there is none
	setting string                  // that it is of, once that is known
}

// UnmarshalText implements encoding.TextUnmarshaler. It reads the files that the address names. No error repeats
// anything of the address, not even a host: where a password is written wrongly, any part may be one.
func (u *redisURL) UnmarshalText(text []byte) error {
	address, err := parseRedisURL(string(text))
	if err != nil {
		return err
	}
	u.options, err = address.options()
	return err
}

// Format implements fmt.Formatter.
func (u redisURL) Format(state fmt.State, _ rune) {
	if u.options != nil {
		_, _ = io.WriteString(state, "an address of Redis")
	}
}

// server is what can be said of the address without telling it.
func (u redisURL) server() rediserr.Server {
	return rediserr.Server{
		Setting: u.setting, TLS: u.options.TLSConfig != nil, Sentinel: u.options.MasterName != "", Cluster: u.options.IsClusterMode,
	}
}

// redisURLFile is a file that holds such an address.
type redisURLFile struct{ redisURL }

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *redisURLFile) UnmarshalText(path []byte) error {
	address, err := readSecret(string(path))
	if err != nil {
		return err
	}
	return f.redisURL.UnmarshalText([]byte(address))
}

// redisKind is how many servers stand behind an address, and who tells which of them to ask.
type redisKind string

const (
	singleRedis   redisKind = "redis"
	socketRedis   redisKind = "unix"
	sentinelRedis redisKind = "redis+sentinel"
	clusterRedis  redisKind = "redis+cluster"
)

var errRedisForm = errors.New("this is not an address like redis://user:password@host:6379/0, " +
	"redis+sentinel://user:password@host:26379,host:26379/master/0, redis+cluster://user:password@host:6379,host:6379, " +
	"each with rediss in front for TLS, or unix:///run/redis.sock; " +
	escapes)

var errRedisPort = errors.New("a port is a number from 1 to 65535; " + escapes)

// escapes are what looks like a wrong address if it is not written so.
const escapes = "in a user name or password write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, & as %26 and % as %25"

// redisAddress is an address in its parts.
type redisAddress struct {
	kind       redisKind
	secure     bool
	hosts      []string // host:port; of a socket its path
	user       *url.Userinfo
	path       string // after the hosts, without its first slash
	parameters redisParameters
}

// parseRedisURL takes an address apart. Package url alone does not: it knows no lists of hosts.
func parseRedisURL(text string) (a redisAddress, err error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return a, errRedisForm
	}
	if a.kind, a.secure, ok = redisScheme(strings.ToLower(scheme)); !ok {
		return a, errRedisForm
	}
	end := len(rest)
	if at := strings.IndexAny(rest, "/?#"); at >= 0 {
		end = at
	}
	authority, hosts := "host", rest[:end]
	if at := strings.LastIndex(hosts, "@"); at >= 0 {
		authority, hosts = hosts[:at+1]+authority, hosts[at+1:]
	}
	parsed, err := url.Parse("redis://" + authority + rest[end:])
	if err != nil || parsed.Fragment != "" || strings.HasSuffix(text, "#") {
		return a, errRedisForm
	}
	a.user, a.path = parsed.User, strings.TrimPrefix(parsed.Path, "/")
	if a.parameters, err = parseRedisParameters(parsed.RawQuery); err != nil {
		return a, err
	}
	if a.kind == socketRedis {
		a.hosts, a.path = []string{parsed.Path}, ""
		if hosts != "" || a.hosts[0] == "" {
			return a, errRedisForm
		}
		return a, nil
	}
	a.hosts, err = redisHosts(hosts, a.kind)
	return a, err
}

func redisScheme(scheme string) (kind redisKind, secure, ok bool) {
	if rest, found := strings.CutPrefix(scheme, "rediss"); found {
		scheme, secure = "redis"+rest, true
	}
	switch kind = redisKind(scheme); kind {
	case singleRedis, sentinelRedis, clusterRedis, socketRedis:
		return kind, secure, true
	}
	return "", false, false
}

// redisHosts are the hosts of a list, each with its port.
func redisHosts(list string, kind redisKind) ([]string, error) {
	port := "6379"
	if kind == sentinelRedis {
		port = "26379"
	}
	var hosts []string
	for given := range strings.SplitSeq(list, ",") {
		host, err := url.Parse("redis://" + given)
		if err != nil || host.Host != given || host.Hostname() == "" || bareIPv6(host) {
			return nil, errRedisForm
		}
		number, err := strconv.ParseUint(cmp.Or(host.Port(), port), 10, 16)
		if err != nil || number == 0 {
			return nil, errRedisPort
		}
		hosts = append(hosts, net.JoinHostPort(host.Hostname(), strconv.FormatUint(number, 10)))
	}
	if len(hosts) > 1 && kind == singleRedis {
		return nil, errors.New("several hosts are redis+sentinel://host,host/master or redis+cluster://host,host")
	}
	return hosts, nil
}

// bareIPv6 tells whether nobody can say where a host ends and its port begins.
func bareIPv6(host *url.URL) bool {
	return strings.Contains(host.Hostname(), ":") && !strings.HasPrefix(host.Host, "[")
}

// options are those of a client for the address.
func (a redisAddress) options() (*redis.UniversalOptions, error) {
	o := &redis.UniversalOptions{Addrs: a.hosts, IsClusterMode: a.kind == clusterRedis}
	o.Username = a.user.Username()
	o.Password, _ = a.user.Password()
	database := a.path
	if a.kind == sentinelRedis {
		if o.MasterName, database, _ = strings.Cut(a.path, "/"); o.MasterName == "" {
			return nil, errors.New("the address lacks the name by which the sentinels know the master: redis+sentinel://host:26379/master")
		}
	}
	o.SentinelUsername, o.SentinelPassword = a.parameters["sentinel_username"], a.parameters["sentinel_password"]
	if o.SentinelUsername+o.SentinelPassword != "" && a.kind != sentinelRedis {
		return nil, errors.New("sentinel_username and sentinel_password belong to redis+sentinel://")
	}
	var err error
	if o.DB, err = a.database(database); err != nil {
		return nil, err
	}
	o.TLSConfig, err = a.tls()
	return o, err
}

// database is the number in the path, or the one of the parameter.
func (a redisAddress) database(path string) (int, error) {
	given, twice := cmp.Or(path, a.parameters["db"]), path != "" && a.parameters["db"] != ""
	number, err := strconv.ParseUint(cmp.Or(given, "0"), 10, 16)
	switch {
	case twice:
		return 0, errors.New("the address names the database twice: by its path and by db")
	case err != nil:
		return 0, errors.New("the address needs a number for its database, like redis://host:6379/0")
	case a.kind == clusterRedis && number != 0:
		return 0, errors.New("a cluster has no database but 0: leave it out")
	}
	return int(number), nil
}

// tls is how connections are secured; nil: not at all.
func (a redisAddress) tls() (*tls.Config, error) {
	if a.secure {
		return a.parameters.tls()
	}
	if a.parameters.any(tlsParameters...) {
		return nil, errors.New(strings.Join(tlsParameters, ", ") + " belong to addresses with TLS: begin with rediss")
	}
	return nil, nil
}
