package emulator

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

// recorded calls the handler without a network, so that time can be virtual.
func recorded(t testing.TB, e *providers.Emulator, credential, method, path, body string) reply {
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	if credential != "" {
		request.Header.Set("Authorization", "Bearer "+credential)
	}
	recorder := httptest.NewRecorder()
	e.Handler.ServeHTTP(recorder, request)
	return reply{t, recorder.Code, recorder.Header(), recorder.Body.Bytes()}
}

// allowances are the two header families of a reply: "scope remaining/limit reset", and "!" with a warning.
func allowances(r reply) [2]string {
	family := func(prefix string) string {
		get := func(name string) string { return r.header.Get(prefix + name) }
		text := fmt.Sprintf("%s %s/%s %s", get("Scope"), get("Remaining"), get("Limit"), get("Reset"))
		if warning := get("Warning"); warning == "You have exceeded your API rate limit." {
			text += " !"
		} else if warning != "" {
			text += " " + warning
		}
		return text
	}
	return [2]string{family("RateLimit-"), family("RateLimit-User-")}
}

func (r reply) tells(organization, user string) {
	r.t.Helper()
	if diff := cmp.Diff([2]string{organization, user}, allowances(r)); diff != "" {
		r.t.Errorf("allowances (-want +got):\n%s", diff)
	}
}

func bubble(t *testing.T, options providers.EmulatorOptions, run func(t *testing.T, get func(credential, path string) reply)) {
	synctest.Test(t, func(t *testing.T) {
		e, err := New(options)
		if err != nil {
			t.Fatal(err)
		}
		run(t, func(credential, path string) reply { return recorded(t, e, credential, "GET", path, "") })
	})
}

func TestEveryAnswerTellsBothLimits(t *testing.T) {
	options := providers.EmulatorOptions{RateLimit: true}
	bubble(t, options, func(_ *testing.T, get func(credential, path string) reply) {
		get("", "/").is(200).tells("rest 200/200 60", "rest_user 50/50 60")
		get("", "/v2/user").is(401).tells("rest 200/200 60", "rest_user 50/50 60")
		get("bkua_ada", "/v2/user").is(200).tells("rest 199/200 60", "rest_user 49/50 60")
		time.Sleep(100 * time.Millisecond)
		get("bkua_ada", "/nowhere").is(404).tells("rest 198/200 60", "rest_user 48/50 60")
		time.Sleep(18 * time.Second)
		get("bkua_ada", images).is(200).tells("rest 197/200 42", "rest_user 47/50 42")
		get("bkua_grace", images).is(200).tells("rest 196/200 42", "rest_user 49/50 60")
		get("bkua_ada", globex).is(200).tells("rest 199/200 60", "rest_user 46/50 42")
	})
}

func TestAUsersWindowEndsAfterAMinute(t *testing.T) {
	options := providers.EmulatorOptions{RateLimit: true}
	bubble(t, options, func(t *testing.T, get func(credential, path string) reply) {
		for range 49 {
			get("bkua_ada", acme).is(200)
		}
		time.Sleep(18 * time.Second)
		get("bkua_ada", acme).is(200).tells("rest 150/200 42", "rest_user 0/50 42 !")
		for range 4 {
			get("bkua_ada", acme).is(429)
		}
		r := get("bkua_ada", acme).is(429)
		r.tells("rest 145/200 42", "rest_user 0/50 42 !")
		want := map[string]any{
			"message": "You have exceeded your API rate limit. Please wait 42 seconds before making more requests.",
			"scope":   "rest_user", "limit": 50.0, "current": 55.0, "reset": 42.0,
		}
		if diff := cmp.Diff(want, r.object()); diff != "" {
			t.Errorf("body (-want +got):\n%s", diff)
		}
		get("", "/").is(200)
		get("bkua_grace", acme).is(200)
		time.Sleep(42*time.Second - time.Millisecond)
		get("bkua_ada", acme).is(429)
		time.Sleep(time.Millisecond)
		get("bkua_ada", acme).is(200).tells("rest 199/200 60", "rest_user 49/50 60")
	})
}

func TestAnOrganizationsWindowIsSharedByItsUsers(t *testing.T) {
	options := providers.EmulatorOptions{RateLimit: true}
	bubble(t, options, func(t *testing.T, get func(credential, path string) reply) {
		for _, name := range []string{"ada", "grace", "alan", "katherine"} {
			for range 50 {
				get("bkua_"+name, acme).is(200)
			}
			time.Sleep(time.Second)
		}
		r := get("bkua_émilie", acme).is(429)
		r.tells("rest 0/200 56 !", "rest_user 49/50 60")
		if got := r.object(); got["scope"] != "rest" || got["current"] != 201.0 || got["reset"] != 56.0 {
			t.Errorf("body = %v, want the organization's limit", got)
		}
		get("bkua_hedy", globex).is(200).tells("rest 199/200 60", "rest_user 49/50 60")
		time.Sleep(56 * time.Second)
		get("bkua_émilie", acme).is(200).tells("rest 199/200 60", "rest_user 48/50 4")
	})
}

func TestLimitsThatAreNotEnforcedAreToldAsGenerous(t *testing.T) {
	bubble(t, providers.EmulatorOptions{}, func(_ *testing.T, get func(credential, path string) reply) {
		for range 60 {
			get("bkua_ada", acme).is(200)
		}
		get("bkua_ada", acme).is(200).tells("rest 199939/200000 60", "rest_user 49939/50000 60")
	})
}

func TestAnOrganizationsLimitsCanBeRead(t *testing.T) {
	for _, enforced := range []bool{true, false} {
		options := providers.EmulatorOptions{RateLimit: enforced}
		limit := 200.0
		if !enforced {
			limit *= generous
		}
		bubble(t, options, func(t *testing.T, get func(credential, path string) reply) {
			get("bkua_ada", acme).is(200)
			get("bkua_ada", "/v2/user").is(200)
			time.Sleep(25 * time.Second)
			want := map[string]any{"scopes": map[string]any{
				"rest": map[string]any{
					"limit": limit, "current": 3.0, "reset": 35.0, "reset_at": "2000-01-01T00:01:00Z", "enforced": enforced,
				},
				"graphql": map[string]any{
					"limit": 20000.0, "current": 0.0, "reset": 300.0, "reset_at": "2000-01-01T00:05:25Z", "enforced": enforced,
				},
			}}
			if diff := cmp.Diff(want, get("bkua_ada", "/v2/organizations/acme-inc/rate_limit").is(200).object()); diff != "" {
				t.Errorf("limits (-want +got):\n%s", diff)
			}
			get("bkua_grace", "/v2/organizations/globex/rate_limit").says(404, "No organization found")
		})
	}
}
