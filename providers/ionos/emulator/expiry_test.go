package emulator

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

func TestTokensAreDeletedWhenTheyExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inside(t, providers.EmulatorOptions{})
		for _, step := range []struct {
			wait time.Duration
			left int
		}{
			{0, 7}, {time.Minute - time.Nanosecond, 7}, {time.Nanosecond, 6}, // smoke-test
			{69*time.Minute - time.Second, 6}, {time.Second, 5}, // release-job
			{19 * time.Hour, 4}, {6 * day, 3}, {30 * day, 2}, {5000 * day, 2},
		} {
			time.Sleep(step.wait)
			if got := c.tokensOf("images"); len(got) != step.left {
				t.Errorf("after %s more: %v, want %d", step.wait, got, step.left)
			}
		}
		path := tokenPath("images", "smoke-test")
		c.get(path).refused(404, "paas-resource-1", "does not exist")
		c.patch(path, `{"status":"disabled"}`).want(404)
		c.delete(path).want(404)
		c.put(path, `{"properties":{"name":"smoke-test"}}`).want(201)
	})
}

func TestAnExpiryCanBeMovedAndCleared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inside(t, providers.EmulatorOptions{})
		in := func(d time.Duration) string { return `"` + time.Now().Add(d).Format(time.RFC3339) + `"` }
		made := c.post(tokensPath("lab"), `{"properties":{"name":"moving","expiryDate":`+in(2*time.Hour)+`}}`).want(201)
		path := tokensPath("lab") + "/" + made.string("id")
		c.patch(path, `{"expiryDate":`+in(4*time.Hour)+`}`).want(200)
		time.Sleep(3 * time.Hour)
		c.get(path).want(200)
		c.patch(path, `{"expiryDate":null}`).want(200)
		time.Sleep(1000 * time.Hour)
		c.get(path).want(200)
		c.put(path, `{"properties":{"name":"moving","expiryDate":`+in(time.Hour)+`}}`).want(200)
		// Parts of a second do not count.
		hour := time.Now().UTC().Add(time.Hour).Format("2006-01-02T15:04:05")
		c.patch(path, `{"expiryDate":"`+hour+`.9Z"}`).want(200)
		time.Sleep(time.Hour - time.Second)
		c.get(path).want(200)
		time.Sleep(time.Second)
		c.get(path).want(404)
		// The name is free again.
		c.post(tokensPath("lab"), `{"properties":{"name":"moving"}}`).want(201)
	})
}

func TestATokenMayExpireWhileARequestArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inside(t, providers.EmulatorOptions{})
		if got := c.status("PATCH", tokenPath("images", "smoke-test"), slowly{strings.NewReader(`{}`)}); got != 404 {
			t.Errorf("a patch that took a minute = %d, want status 404", got)
		}
	})
}

// slowly takes half a minute for each read.
type slowly struct{ *strings.Reader }

func (s slowly) Read(p []byte) (int, error) {
	time.Sleep(30 * time.Second)
	return s.Reader.Read(p)
}

func TestExpiredTokensStayAsLongAsChosen(t *testing.T) {
	for choice, after := range map[string]int{"0s": 404, "1m": 200} {
		synctest.Test(t, func(t *testing.T) {
			c := inside(t, choosing("expiry_delay", choice))
			time.Sleep(time.Minute)
			c.get(tokenPath("images", "smoke-test")).want(after)
			time.Sleep(time.Minute)
			c.get(tokenPath("images", "smoke-test")).want(404)
		})
	}
}

func TestTheLimitRefusesUntilTheNextMinute(t *testing.T) {
	for choice, limit := range map[string]int{"300": 300, "60": 60, "5": 5} {
		synctest.Test(t, func(t *testing.T) {
			options := choosing("requests_per_minute", choice)
			options.RateLimit = true
			c := inside(t, options)
			for i := range limit {
				c.get([]string{registriesPath, usersPath}[i%2]).want(200)
			}
			time.Sleep(20*time.Second + time.Millisecond)
			for _, refused := range []reply{c.registries(""), c.get(usersPath), c.delete(tokenPath("images", "ci-push"))} {
				refused.refused(429, "paas-limit-1", "Too many requests")
				if got := refused.header.Get("Retry-After"); got != "40" {
					t.Errorf("Retry-After = %q, want 40", got)
				}
			}
			// A refused credential uses nothing up.
			c.as("").registries("").want(401)
			time.Sleep(40 * time.Second)
			c.get(tokenPath("images", "ci-push")).want(200)
		})
	}
}

func TestWithoutTheOptionNothingIsLimited(t *testing.T) {
	c := inside(t, choosing("requests_per_minute", "5"))
	for range 50 {
		c.registries("").want(200)
	}
}

func TestTheOwnersTokenEndsAfterAYear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inside(t, providers.EmulatorOptions{})
		c = c.as("Bearer " + c.options.Settings("")["token"].Reveal())
		time.Sleep(365*day - time.Second)
		c.registries("").want(200)
		time.Sleep(time.Second)
		c.registries("").want(401)
	})
}

func TestTheSpansOfTheStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inside(t, providers.EmulatorOptions{})
		var spans []time.Duration
		for _, registry := range []string{"archive", "images", "edge", "broken", "staging", "lab"} {
			for _, item := range c.list(tokensPath(registry)) {
				if text, ok := at(item, "properties.expiryDate").(string); ok {
					expiry, err := time.Parse(time.RFC3339, text)
					if err != nil {
						t.Error(err)
					}
					spans = append(spans, time.Until(expiry))
				}
			}
		}
		limits := []time.Duration{0, time.Minute, 2 * time.Hour, day, 3 * day, 7 * day, 14 * day, 30 * day}
		for i := 1; i < len(limits); i++ {
			if !slices.ContainsFunc(spans, func(d time.Duration) bool { return d > limits[i-1] && d <= limits[i] }) {
				t.Errorf("no token expires between %s and %s from now: %v", limits[i-1], limits[i], fmt.Sprint(spans))
			}
		}
	})
}
