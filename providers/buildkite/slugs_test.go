package buildkite

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

// readOne reads the world's token and checks how that ends.
func readOne(t *testing.T, a *adapter, want string) {
	t.Helper()
	token, err := a.Token(t.Context(), tokenID)
	if got := kindOf(err); got != want {
		t.Errorf("Token = %v, want %s", err, want)
	}
	if err == nil && token.ID != tokenID {
		t.Errorf("Token has the id %+v, want %+v", token.ID, tokenID)
	}
}

func TestSlugsAreLookedUpOnceAndThenKnown(t *testing.T) {
	u := newWorld().upstream()
	a := u.account(t)
	readOne(t, a, "none")
	u.wantAsked(t, "a cold read", getOrganizations, getRegistries, getToken)
	readOne(t, a, "none")
	u.wantAsked(t, "a warm read", getToken)
	if _, err := a.Tokens(t.Context(), registryID, providers.PageRequest{}); err != nil {
		t.Error(err)
	}
	u.wantAsked(t, "a warm list", getTokens)
	if err := a.DeleteToken(t.Context(), tokenID); err != nil {
		t.Error(err)
	}
	u.wantAsked(t, "a warm delete", "DELETE /v2/packages/organizations/acme/registries/images/tokens/"+tokenUUID)
}

func TestARenamedRegistryIsFoundAgain(t *testing.T) {
	w := newWorld()
	u := w.upstream()
	a := u.account(t)
	readOne(t, a, "none")
	u.took()
	w.renameRegistry("images", "pictures")
	readOne(t, a, "none")
	u.wantAsked(t, "a read after the rename", getToken, getRegistries, getRegistries+"/pictures/tokens/"+tokenUUID)
	readOne(t, a, "none")
	u.wantAsked(t, "the next read", getRegistries+"/pictures/tokens/"+tokenUUID)
	token, err := a.Token(t.Context(), tokenID)
	if err != nil || token.Scopes[0].Name != "pictures" {
		t.Errorf("the token opens %v, %v, want pictures", token.Scopes, err)
	}
}

func TestARenamedOrganizationIsFoundAgain(t *testing.T) {
	w := newWorld()
	u := w.upstream()
	a := u.account(t)
	readOne(t, a, "none")
	u.took()
	w.mu.Lock()
	w.organizations = map[string]string{"umbrella": orgUUID}
	w.mu.Unlock()
	readOne(t, a, "none")
	u.wantAsked(t, "a read after the rename", getToken, getRegistries, getOrganizations,
		"GET /v2/packages/organizations/umbrella/registries",
		"GET /v2/packages/organizations/umbrella/registries/images/tokens/"+tokenUUID)
	registry, err := a.Registry(t.Context(), registryID)
	if err != nil || registry.Host != "packages.buildkite.com/umbrella/images" {
		t.Errorf("the registry's host is %q, %v, want it under umbrella", registry.Host, err)
	}
}

func TestWhatIsGoneIsLookedUpOnceMore(t *testing.T) {
	w := newWorld()
	u := w.upstream()
	a := u.account(t)
	missing := registryID.TokenID(otherUUID)
	if _, err := a.Token(t.Context(), missing); kindOf(err) != "NOT_FOUND" {
		t.Errorf("a cold read of a missing token = %v, want NOT_FOUND", err)
	}
	u.wantAsked(t, "a cold read of a missing token", getOrganizations, getRegistries, getTokens+"/"+otherUUID)
	if _, err := a.Token(t.Context(), missing); kindOf(err) != "NOT_FOUND" {
		t.Errorf("a warm read of a missing token = %v, want NOT_FOUND", err)
	}
	u.wantAsked(t, "a warm read of a missing token", getTokens+"/"+otherUUID, getRegistries)
	if _, err := a.Tokens(t.Context(), orgID.RegistryID(otherUUID), providers.PageRequest{}); kindOf(err) != "NOT_FOUND" {
		t.Errorf("tokens of a missing registry = %v, want NOT_FOUND", err)
	}
	u.wantAsked(t, "tokens of a missing registry", getRegistries)
	missingOrg := providers.OrganizationID(name, otherOrgUUID)
	if _, err := a.Registries(t.Context(), missingOrg, providers.PageRequest{}); kindOf(err) != "NOT_FOUND" {
		t.Errorf("registries of a missing organization = %v, want NOT_FOUND", err)
	}
	u.wantAsked(t, "registries of a missing organization", getOrganizations)
}

func TestATokenOfTheRegistryThatTookTheSlugIsNotShown(t *testing.T) {
	w := newWorld()
	u := w.upstream()
	a := u.account(t)
	readOne(t, a, "none")
	w.renameRegistry("images", "pictures")
	w.mu.Lock()
	w.registries[orgUUID]["images"] = otherUUID
	w.tokens[otherUUID] = []string{otherUUID}
	w.mu.Unlock()
	u.took()
	page, err := a.Tokens(t.Context(), registryID, providers.PageRequest{})
	if err != nil || len(page.Items) != 1 || page.Items[0].ID != tokenID {
		t.Errorf("Tokens = %+v, %v, want the token of the registry that is called pictures now", page.Items, err)
	}
	u.wantAsked(t, "the list", getTokens, getRegistries, getRegistries+"/pictures/tokens")
}

func TestAnEmptyListUnderAnOldSlugIsConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		u := w.upstream()
		a := u.account(t)
		readOne(t, a, "none")
		w.renameRegistry("images", "pictures")
		w.mu.Lock()
		w.registries[orgUUID]["images"] = otherUUID
		w.mu.Unlock()
		u.took()
		time.Sleep(slugTrust + time.Second)
		page, err := a.Tokens(t.Context(), registryID, providers.PageRequest{})
		if err != nil || len(page.Items) != 1 {
			t.Errorf("Tokens = %+v, %v, want one token", page.Items, err)
		}
		u.wantAsked(t, "the list", getTokens, getRegistries, getRegistries+"/pictures/tokens")

		empty := orgID.RegistryID(otherUUID)
		page, err = a.Tokens(t.Context(), empty, providers.PageRequest{})
		if err != nil || len(page.Items) != 0 {
			t.Errorf("Tokens of an empty registry = %+v, %v, want none", page.Items, err)
		}
		u.wantAsked(t, "an empty list under a fresh slug", getTokens)
	})
}

func TestAWriteGoesToAFreshSlugOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		u := w.upstream()
		a := u.account(t)
		readOne(t, a, "none")
		time.Sleep(slugTrust + time.Second)
		w.renameRegistry("images", "pictures")
		u.took()
		if _, err := a.CreateToken(t.Context(), registryID, providers.TokenState{Name: "ci"}); err != nil {
			t.Error(err)
		}
		u.wantAsked(t, "a create", getRegistries,
			`POST /v2/packages/organizations/acme/registries/pictures/tokens {"description":"ci"}`)
	})
}

func TestEveryAnswerAboutTokensKeepsTheSlugFresh(t *testing.T) {
	for what, refresh := range map[string]func(*adapter) error{
		"a list": func(a *adapter) error {
			_, err := a.Tokens(t.Context(), registryID, providers.PageRequest{})
			return err
		},
		"a token": func(a *adapter) error {
			_, err := a.Token(t.Context(), tokenID)
			return err
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			u := newWorld().upstream()
			a := u.account(t)
			readOne(t, a, "none")
			time.Sleep(slugTrust + time.Second)
			if err := refresh(a); err != nil {
				t.Error(err)
			}
			u.took()
			if err := a.DeleteToken(t.Context(), tokenID); err != nil {
				t.Error(err)
			}
			u.wantAsked(t, "a delete after "+what, "DELETE /v2/packages/organizations/acme/registries/images/tokens/"+tokenUUID)
		})
	}
}

func TestAWriteIsNotRepeatedOnAnotherSlug(t *testing.T) {
	patch := providers.TokenPatch{Name: providers.Some("ci")}
	for what, write := range map[string]func(context.Context, *adapter) error{
		"create": func(ctx context.Context, a *adapter) error {
			_, err := a.CreateToken(ctx, registryID, providers.TokenState{Name: "ci"})
			return err
		},
		"patch": func(ctx context.Context, a *adapter) error {
			_, err := a.PatchToken(ctx, tokenID, patch)
			return err
		},
		"delete": func(ctx context.Context, a *adapter) error { return a.DeleteToken(ctx, tokenID) },
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld()
			u := w.upstream()
			a := u.account(t)
			readOne(t, a, "none")
			w.renameRegistry("images", "pictures")
			u.took()
			if err := write(t.Context(), a); kindOf(err) != "CONFLICT" {
				t.Errorf("the write after a rename = %v, want CONFLICT", err)
			}
			asked := u.took()
			if len(asked) != 2 || asked[1] != getRegistries {
				t.Errorf("the write asked %q, want itself once and then the registries", asked)
			}
			if err := write(t.Context(), a); err != nil {
				t.Errorf("the write tried again = %v, want none", err)
			}
			if asked := u.took(); len(asked) != 1 {
				t.Errorf("the write tried again asked %q, want itself alone", asked)
			}
		})
	}
}

func TestADeleteThatFindsNothingIsNotFoundOnlyIfThatIsCertain(t *testing.T) {
	w := newWorld()
	u := w.upstream()
	a := u.account(t)
	readOne(t, a, "none")
	missing := registryID.TokenID(otherUUID)
	if err := a.DeleteToken(t.Context(), missing); kindOf(err) != "NOT_FOUND" {
		t.Errorf("the delete of a missing token = %v, want NOT_FOUND", err)
	}
	serve := u.answer
	u.answer = func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			write(rw, 503, `{}`)
			return
		}
		serve(rw, r)
	}
	if err := a.DeleteToken(t.Context(), missing); kindOf(err) != "UNAVAILABLE UNREACHABLE" {
		t.Errorf("the delete when nothing can be looked up = %v, want UNAVAILABLE", err)
	}
}

func TestAWriteThatWentAstrayHasAnUnknownOutcome(t *testing.T) {
	w := newWorld()
	u := w.upstream()
	a := u.account(t)
	readOne(t, a, "none")
	w.mu.Lock()
	w.registries[orgUUID]["images"] = otherUUID
	w.mu.Unlock()
	created, err := a.CreateToken(t.Context(), registryID, providers.TokenState{Name: "ci"})
	if kindOf(err) != "OUTCOME_UNKNOWN INVALID_RESPONSE" || !created.Secret.Empty() {
		t.Errorf("CreateToken = %+v, %v, want OUTCOME_UNKNOWN", created, err)
	}
}

func TestConcurrentReadersShareTheLookups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		u := w.upstream()
		serve := u.answer
		u.answer = func(rw http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			serve(rw, r)
		}
		a := u.account(t)
		together := func(what string, want ...string) {
			t.Helper()
			var readers sync.WaitGroup
			for range 32 {
				readers.Go(func() { readOne(t, a, "none") })
			}
			readers.Wait()
			got := u.took()
			slices.Sort(got)
			if got := slices.Compact(slices.Clone(got)); !slices.Equal(got, want) {
				t.Errorf("%s asked %q, want %q", what, got, want)
			}
			counts := map[string]int{}
			for _, line := range got {
				counts[line]++
			}
			if counts[getOrganizations] > 1 || counts[getRegistries] > 1 {
				t.Errorf("%s looked slugs up more than once: %v", what, counts)
			}
		}
		together("32 cold readers", getOrganizations, getRegistries, getToken)
		w.renameRegistry("images", "pictures")
		together("32 readers after a rename", getRegistries, getToken, getRegistries+"/pictures/tokens/"+tokenUUID)
	})
}

func TestALookupOnItsWayBeforeTheRenameIsNotEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		u := w.upstream()
		serve := u.answer
		a := u.account(t)
		readOne(t, a, "none")
		// Every answer is made at once and travels for a second.
		u.answer = func(rw http.ResponseWriter, r *http.Request) {
			serve(rw, r)
			time.Sleep(time.Second)
		}
		var readers sync.WaitGroup
		readers.Go(func() {
			if _, err := a.lookup(t.Context(), "list registries", orgID); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		w.renameRegistry("images", "pictures")
		u.took()
		// The read's own 404 comes before the old list does, so it joins that list and has to ask for another one.
		u.answer = func(rw http.ResponseWriter, r *http.Request) { serve(rw, r) }
		readOne(t, a, "none")
		readers.Wait()
		u.wantAsked(t, "the read", getToken, getRegistries, getRegistries+"/pictures/tokens/"+tokenUUID)
	})
}

func TestAReaderWhoLeavesDoesNotEndTheLookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newWorld().upstream()
		serve := u.answer
		u.answer = func(rw http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			serve(rw, r)
		}
		a := u.account(t)
		first, leave := context.WithCancel(t.Context())
		var readers sync.WaitGroup
		readers.Go(func() {
			if _, err := a.Token(first, tokenID); kindOf(err) != "CANCELED" {
				t.Errorf("who left got %v, want CANCELED", err)
			}
		})
		synctest.Wait()
		readers.Go(func() { readOne(t, a, "none") })
		synctest.Wait()
		leave()
		readers.Wait()
		u.wantAsked(t, "both", getOrganizations, getRegistries, getToken)
	})
}

func TestAnOlderAnswerDoesNotReplaceANewerOne(t *testing.T) {
	var s slugs
	old, young := s.now(), s.now()
	s.learn(registryID, "new", young)
	s.learn(registryID, "old", old)
	s.learnAll(orgID, nil, old)
	if got, ok := s.get(registryID, moment{}); !ok || got != "new" {
		t.Errorf("the slug is %q, %v, want new", got, ok)
	}
	s.learnAll(orgID, nil, s.now())
	if got, ok := s.get(registryID, moment{}); ok {
		t.Errorf("the slug is %q though a newer list does not have it", got)
	}
}
