package main

import (
	"crypto/tls"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
)

// led is what an address leads to, as far as a test can compare it.
type led struct {
	Addrs                    []string
	User, Password           string
	Database                 int
	Master                   string
	SentinelUser, SentinelPw string
	Cluster, TLS             bool
	ServerName               string
}

func leads(o *redis.UniversalOptions) led {
	l := led{
		Addrs: o.Addrs, User: o.Username, Password: o.Password, Database: o.DB, Master: o.MasterName,
		SentinelUser: o.SentinelUsername, SentinelPw: o.SentinelPassword, Cluster: o.IsClusterMode, TLS: o.TLSConfig != nil,
	}
	if o.TLSConfig != nil {
		l.ServerName = o.TLSConfig.ServerName
	}
	return l
}

func TestAnAddressLeadsToItsRedis(t *testing.T) {
	for address, want := range map[string]led{
		"redis://h":                              {Addrs: []string{"h:6379"}},
		"REDIS://h:1/":                           {Addrs: []string{"h:1"}},
		"redis://10.0.0.1:1/2":                   {Addrs: []string{"10.0.0.1:1"}, Database: 2},
		"redis://[::1]":                          {Addrs: []string{"[::1]:6379"}},
		"redis://h?db=3":                         {Addrs: []string{"h:6379"}, Database: 3},
		"redis://:p@h":                           {Addrs: []string{"h:6379"}, Password: "p"},
		"redis://u:p%40%2F%3F%23%25%3A%2C@h":     {Addrs: []string{"h:6379"}, User: "u", Password: "p@/?#%:,"},
		"redis://u:p,q@h":                        {Addrs: []string{"h:6379"}, User: "u", Password: "p,q"},
		"rediss://u@h":                           {Addrs: []string{"h:6379"}, User: "u", TLS: true},
		"rediss://h?sni=a.example":               {Addrs: []string{"h:6379"}, TLS: true, ServerName: "a.example"},
		"unix:///run/redis.sock":                 {Addrs: []string{"/run/redis.sock"}},
		"unix://u:p@/run/redis.sock?db=4":        {Addrs: []string{"/run/redis.sock"}, User: "u", Password: "p", Database: 4},
		"redis+sentinel://h/m":                   {Addrs: []string{"h:26379"}, Master: "m"},
		"redis+sentinel://u:p@h,[::1]:1,i:2/m/5": {Addrs: []string{"h:26379", "[::1]:1", "i:2"}, User: "u", Password: "p", Master: "m", Database: 5},
		"rediss+sentinel://h/m?db=6":             {Addrs: []string{"h:26379"}, Master: "m", Database: 6, TLS: true},
		"redis+sentinel://h/m?sentinel_username=su&sentinel_password=sp%26": {Addrs: []string{"h:26379"}, Master: "m", SentinelUser: "su", SentinelPw: "sp&"},
		"redis+cluster://h":            {Addrs: []string{"h:6379"}, Cluster: true},
		"rediss+cluster://u:p@h,i:1/0": {Addrs: []string{"h:6379", "i:1"}, User: "u", Password: "p", Cluster: true, TLS: true},
	} {
		var u redisURL
		if err := u.UnmarshalText([]byte(address)); err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if diff := cmp.Diff(leads(u.options), want); diff != "" {
			t.Errorf("%s leads elsewhere, got - want +\n%s", address, diff)
		}
	}
}

func TestWhatNoAddressOfRedisIsIsRefusedWithTheCure(t *testing.T) {
	const (
		form   = "this is not an address like redis://user:password@host:6379/0, redis+sentinel://"
		encode = "in a user name or password write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, & as %26 and % as %25"
		port   = "a port is a number from 1 to 65535; " + encode
	)
	for address, want := range map[string]string{
		"":                                                 form,
		canary:                                             form,
		canary + ":6379":                                   form,
		"http://" + canary:                                 form,
		canary + "://h":                                    form,
		"rediss+unix:///" + canary:                         form,
		"redis://":                                         form,
		"redis://:6379":                                    form,
		"redis://h:" + canary:                              form,
		"redis://h:0":                                      port,
		"redis://h:65536":                                  port,
		"redis+cluster://h,i:163900":                       port,
		"redis://:a:16390/" + canary:                       form,
		"redis://::1":                                      form,
		"redis://[" + canary:                               form,
		"redis://h,":                                       form,
		"redis+cluster://h,,i":                             form,
		"unix://" + canary:                                 form,
		"unix://host/" + canary:                            form,
		"redis://:" + canary + "%zz@h":                     encode,
		"redis://:a#" + canary + "@h":                      encode,
		"redis://:a?" + canary + "@h":                      encode,
		"redis://:a/" + canary + "@h":                      encode,
		"redis://:a?b&" + canary + "=1@h":                  encode,
		"redis://h#":                                       form,
		"redis://h,i":                                      "several hosts are redis+sentinel://host,host/master or redis+cluster://host,host",
		"redis://h/" + canary:                              "needs a number for its database",
		"redis://h/-1":                                     "needs a number for its database",
		"redis://h/1?db=1":                                 "names the database twice",
		"redis+sentinel://h":                               "lacks the name by which the sentinels know the master",
		"redis+sentinel://h/?db=1":                         "lacks the name by which the sentinels know the master",
		"redis+sentinel://h/m/" + canary:                   "needs a number for its database",
		"redis+cluster://h/1":                              "a cluster has no database but 0",
		"redis+cluster://h?db=1":                           "a cluster has no database but 0",
		"redis://h?sentinel_password=" + canary:            "belong to redis+sentinel://",
		"redis://h?read_timeout=1s":                        "regtok has its own",
		"redis://h?max_retries=3":                          "regtok has its own",
		"redis://h?" + canary + "=1":                       "a parameter that is none of db, sentinel_username, sentinel_password, cacert, cert, key, sni",
		"redis://h?pool_size=3":                            "a parameter that is none of db,",
		"redis://h?db=1&db=2":                              "db of the address needs one value",
		"redis://h?db=":                                    "db of the address needs one value",
		"redis://h?cacert=" + canary:                       "belong to addresses with TLS: begin with rediss",
		"rediss://h?skip_verify=true":                      "always checked: name who signed it by cacert=FILE",
		"rediss://h?cacert=/nowhere/" + canary:             "cacert: the file cannot be read: no such file or directory",
		"rediss://h?cacert=testdata/redis/one":             "cacert: the file holds no certificate in PEM",
		"rediss://h?cert=/nowhere/" + canary:               "cert and key: the files have to hold a certificate and its key",
		"rediss://h?cert=testdata/redis/one&key=" + canary: "cert and key: the files have to hold a certificate and its key",
	} {
		said, code := refused(t, map[string]string{"IONOS_TOKEN": "x", "REGTOK_REDIS_URL": address}, "serve", "--listen=127.0.0.1:0")
		if address == "" {
			continue // an empty variable is none
		}
		if !strings.HasPrefix(said, "regtok: REGTOK_REDIS_URL: ") || !strings.Contains(said, want) || strings.Contains(said, canary) || code != 2 {
			t.Errorf("%s: exit %d, said %q, want exit 2, %q", address, code, said, want)
		}
	}
}

func TestTheAddressOfRedisMayStandInAFile(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "address"), "redis://:"+canary+"@h\n")
	writeFile(t, filepath.Join(dir, "rubbish"), canary+"\n")
	config := filepath.Join(dir, "regtok.yaml")
	writeFile(t, config, "redis_url_file: address\n")
	got := parsed(t, nil, "serve", "-c", config).redis()
	if got.options == nil || got.options.Password != canary {
		t.Errorf("it leads to %v", got)
	}
	if said := fmt.Sprintf("%+v %#v", parsed(t, nil, "serve", "-c", config), parsed(t, nil, "serve", "-c", config)); strings.Contains(said, canary) {
		t.Errorf("it prints %s", said)
	}
	for flag, want := range map[string]string{
		dir + "/" + canary: "the file cannot be read: no such file or directory",
		dir + "/rubbish":   "this is not an address like",
	} {
		said, code := refused(t, nil, "serve", "-c", config, "--redis-url-file="+flag)
		if want := "regtok: --redis-url-file (REGTOK_REDIS_URL_FILE): " + want; !strings.HasPrefix(said, want) || strings.Contains(said, canary) || code != 2 {
			t.Errorf("%s: exit %d, said %q, want exit 2, %q", flag, code, said, want)
		}
	}
}

func FuzzAnAddressOfRedis(f *testing.F) {
	for _, seed := range []string{"redis://u:p@h:1/2?db=3", "rediss+sentinel://u:p@a,b:1/m/0?sni=x", "redis+cluster://a,[::1]:2", "unix://u:p@/s"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		var u redisURL
		if err := u.UnmarshalText([]byte(address)); err != nil {
			return
		}
		o := u.options
		if len(o.Addrs) == 0 || o.IsClusterMode && (o.DB != 0 || o.MasterName != "") || o.TLSConfig != nil && o.TLSConfig.MinVersion < tls.VersionTLS12 {
			t.Errorf("%q leads to %+v", address, leads(o))
		}
		if o.TLSConfig == nil != !strings.HasPrefix(strings.ToLower(address), "rediss") {
			t.Errorf("%q has TLS: %t", address, o.TLSConfig != nil)
		}
	})
}
