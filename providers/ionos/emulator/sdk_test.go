package emulator

import (
	"errors"
	"net/http"
	"testing"
	"time"

	ionos "github.com/ionos-cloud/sdk-go-container-registry"

	"regtok/providers"
)

// The vendor's own SDK for Go is a client that knows nothing of us.
func vendorClient(t *testing.T, options providers.EmulatorOptions) *ionos.APIClient {
	c := serve(t, options)
	settings := c.options.Settings(c.base)
	config := ionos.NewConfiguration("", "", settings["token"].Reveal(), settings["base_url"].Reveal())
	config.HTTPClient = &http.Client{}
	config.MaxRetries = 1
	return ionos.NewAPIClient(config)
}

func TestTheVendorsSDKLeadsATokenThroughItsLife(t *testing.T) {
	api := vendorClient(t, providers.EmulatorOptions{}).TokensApi
	ctx, registry := t.Context(), fixedID("registry", "lindenhof-lab")
	expiry := time.Now().Add(72 * time.Hour).UTC().Truncate(time.Second)

	properties := ionos.NewPostTokenProperties("sdk-token")
	properties.SetExpiryDate(expiry)
	properties.SetStatus("enabled")
	properties.SetScopes([]ionos.Scope{*ionos.NewScope([]string{"pull", "push"}, "team/app", "repository")})
	made, _, err := api.RegistriesTokensPost(ctx, registry).PostTokenInput(*ionos.NewPostTokenInput(*properties)).Execute()
	if err != nil {
		t.Fatal(err)
	}
	if *made.Properties.Credentials.Username != "sdk-token" || *made.Properties.Credentials.Password == "" {
		t.Errorf("credentials = %+v, want the name and a password", made.Properties.Credentials)
	}

	read, _, err := api.RegistriesTokensFindById(ctx, registry, *made.Id).Execute()
	if err != nil {
		t.Fatal(err)
	}
	if !read.Properties.ExpiryDate.Equal(expiry) || *read.Properties.Credentials.Password != "" ||
		*read.Metadata.State != "enabled" || *(*read.Properties.Scopes)[0].Name != "team/app" || *read.Type != "token" {
		t.Errorf("read back = %+v", read.Properties)
	}

	list, _, err := api.RegistriesTokensGet(ctx, registry).Offset("0").Limit("10").Execute()
	if err != nil {
		t.Fatal(err)
	}
	if len(*list.Items) != 1 || *list.Total != 1 || *list.Limit != 10 || *list.Count != 1 || *list.Links.Self == "" {
		t.Errorf("list = %+v, want one token", list)
	}

	// This SDK sends null for an expiry and scopes that are not set, so a patch of the status clears both.
	patch := ionos.NewPatchTokenInput()
	patch.SetStatus("disabled")
	patched, _, err := api.RegistriesTokensPatch(ctx, registry, *made.Id).PatchTokenInput(*patch).Execute()
	if err != nil {
		t.Fatal(err)
	}
	if *patched.Properties.Status != "disabled" || patched.Properties.ExpiryDate != nil ||
		patched.Metadata.LastModifiedDate == nil {
		t.Errorf("patched = %+v, want it disabled and never expiring", patched.Properties)
	}

	replacement := ionos.NewPutTokenInput(*ionos.NewPostTokenProperties("sdk-token"))
	replaced, _, err := api.RegistriesTokensPut(ctx, registry, *made.Id).PutTokenInput(*replacement).Execute()
	if err != nil {
		t.Fatal(err)
	}
	if *replaced.Properties.Status != "enabled" || *replaced.Properties.Credentials.Password != "" {
		t.Errorf("replaced = %+v, want it enabled, without a password", replaced.Properties)
	}
	chosen, answer, err := api.RegistriesTokensPut(ctx, registry, chosenID).
		PutTokenInput(*ionos.NewPutTokenInput(*ionos.NewPostTokenProperties("chosen-token"))).Execute()
	if err != nil {
		t.Fatal(err)
	}
	if *chosen.Id != chosenID || answer.StatusCode != 201 || *chosen.Properties.Credentials.Password == "" {
		t.Errorf("put = %+v, status %d, want it created with the id chosen", chosen, answer.StatusCode)
	}

	if _, err := api.RegistriesTokensDelete(ctx, registry, *made.Id).Execute(); err != nil {
		t.Fatal(err)
	}
	_, answer, err = api.RegistriesTokensFindById(ctx, registry, *made.Id).Execute()
	if err == nil || answer.StatusCode != 404 {
		t.Errorf("after the delete = %v, want status 404", err)
	}
}

// Timestamps without a zone are not among the choices: this version of the SDK cannot read them.
func TestTheVendorsSDKUnderstandsEveryShape(t *testing.T) {
	for _, choices := range []map[string]string{
		nil,
		{"empty_lists": "null", "scope_order": "reversed", "url_form": "absolute", "token_links": "empty"},
		{"default_schedule": "absent", "last_page": "absent", "registry_delay": "0s"},
	} {
		client := vendorClient(t, providers.EmulatorOptions{Choices: choices})
		ctx := t.Context()
		var names []string
		for token := ""; ; {
			request := client.RegistriesApi.RegistriesGet(ctx).Limit("2")
			if token != "" {
				request = request.PaginationToken(token)
			}
			page, _, err := request.Execute()
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range *page.Items {
				names = append(names, *r.Properties.Name)
				tokens, _, err := client.TokensApi.RegistriesTokensGet(ctx, *r.Id).Execute()
				if err != nil {
					t.Fatal(err)
				}
				if *tokens.Count != *tokens.Total {
					t.Errorf("%s: %d of %d tokens", *r.Properties.Name, *tokens.Count, *tokens.Total)
				}
			}
			if page.Pagination.Token == nil || *page.Pagination.Token == "" {
				break
			}
			token = *page.Pagination.Token
		}
		if len(names) != 6 {
			t.Errorf("%v: registries = %v, want six", choices, names)
		}
	}
}

func TestTheVendorsSDKLeadsARegistryThroughItsLife(t *testing.T) {
	client := vendorClient(t, providers.EmulatorOptions{Choices: map[string]string{"registry_delay": "0s"}})
	ctx := t.Context()
	properties := ionos.NewPostRegistryProperties("de/txl", "sdk-registry")
	properties.SetGarbageCollectionSchedule(*ionos.NewWeeklySchedule([]ionos.Day{"Monday", "Friday"}, "19:30:00+00:00"))
	made, _, err := client.RegistriesApi.RegistriesPost(ctx).
		PostRegistryInput(*ionos.NewPostRegistryInput(*properties)).Execute()
	if err != nil {
		t.Fatal(err)
	}
	patch := ionos.NewPatchRegistryInput()
	patch.SetGarbageCollectionSchedule(*ionos.NewWeeklySchedule([]ionos.Day{"Sunday"}, "01:00:00"))
	if _, _, err := client.RegistriesApi.RegistriesPatch(ctx, *made.Id).PatchRegistryInput(*patch).Execute(); err != nil {
		t.Fatal(err)
	}
	read, _, err := client.RegistriesApi.RegistriesFindById(ctx, *made.Id).Execute()
	if err != nil {
		t.Fatal(err)
	}
	if *read.Metadata.State != "Running" || *read.Properties.Hostname != "sdk-registry.cr.de-txl.ionos.com" ||
		*read.Properties.GarbageCollectionSchedule.Time != "01:00:00" ||
		!*read.Properties.Features.VulnerabilityScanning.Enabled {
		t.Errorf("registry = %+v", read.Properties)
	}
	found, _, err := client.RegistriesApi.RegistriesGet(ctx).FilterName("SDK-").Execute()
	if err != nil || len(*found.Items) != 1 {
		t.Errorf("search = %+v, %v, want one", found, err)
	}
	answer, err := client.NamesApi.NamesCheckUsage(ctx, "sdk-registry").Execute()
	if err != nil || answer.StatusCode != 200 {
		t.Errorf("the name: %v, want it in use", err)
	}
	if locations, _, err := client.LocationsApi.LocationsGet(ctx).Execute(); err != nil || len(*locations.Items) == 0 {
		t.Errorf("locations = %+v, %v", locations, err)
	}
	if _, err := client.RegistriesApi.RegistriesDelete(ctx, *made.Id).Execute(); err != nil {
		t.Fatal(err)
	}
	if answer, _ := client.NamesApi.NamesCheckUsage(ctx, "sdk-registry").Execute(); answer.StatusCode != 404 {
		t.Errorf("the name after the delete: status %d, want 404", answer.StatusCode)
	}
}

func TestTheVendorsSDKReadsErrors(t *testing.T) {
	client := vendorClient(t, providers.EmulatorOptions{})
	_, answer, err := client.TokensApi.RegistriesTokensPost(t.Context(), fixedID("registry", "lindenhof-images")).
		PostTokenInput(*ionos.NewPostTokenInput(*ionos.NewPostTokenProperties("ci-push"))).Execute()
	if err == nil || answer.StatusCode != 409 {
		t.Fatalf("a name that is taken: %v, want status 409", err)
	}
	refusal, _ := errors.AsType[ionos.GenericOpenAPIError](err)
	model, ok := refusal.Model().(ionos.ApiErrorResponse)
	if !ok || *model.HttpStatus != 409 || *(*model.Messages)[0].ErrorCode != "paas-resource-2" {
		t.Errorf("error model = %+v", err)
	}
}
