package ionos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"regtok/providers"
	"regtok/providers/rest"
)

// manageRegistries is the privilege that registries and their tokens take; owners and administrators have it.
const manageRegistries = "accessAndManageRegistries"

type adapter struct {
	registryAPI *rest.API
	cloudAPI    *rest.API
	contract    *contract
	// expires is when the credential ends; zero: it does not tell.
	expires time.Time
}

var _ providers.Provider = (*adapter)(nil)

func open(config providers.Config) (providers.Provider, error) {
	authorization, setting, err := authorize(config.Settings)
	if err != nil {
		return nil, err
	}
	number := config.Settings[settingContract].Reveal()
	header := http.Header{}
	if number != "" {
		if !contractNumber.MatchString(number) {
			return nil, providers.InvalidError(name, "configure", settingContract, "a contract number is a whole number")
		}
		header.Set("X-Contract-Number", number)
	}
	base, cloud := addresses(config.Settings[settingBase].Reveal(), config.Settings[settingCloud].Reveal())
	connect := func(setting, base string) (*rest.API, error) {
		return rest.New(rest.Options{
			Provider: name, Setting: setting, Base: base, Authorization: authorization, Header: header,
			Client: config.Client, MaxBody: config.MaxBody, Explain: explain,
		})
	}
	registryAPI, err := connect(settingBase, base)
	if e, ok := errors.AsType[*providers.Error](err); ok && e.Field == "" {
		e.Field = setting
	}
	if err != nil {
		return nil, err
	}
	cloudAPI, err := connect(settingCloud, cloud)
	if err != nil {
		return nil, err
	}
	if _, ok := requestsPerMinute(config.Settings); !ok {
		return nil, providers.InvalidError(name, "configure", settingRequests,
			fmt.Sprintf("requests per minute are a whole number from 1 to %d", mostRequests))
	}
	told := readClaims(config.Settings[settingToken])
	return &adapter{
		registryAPI: registryAPI,
		cloudAPI:    cloudAPI,
		expires:     told.expires,
		contract: &contract{
			account: cmp.Or(config.Account, "default"),
			known:   cmp.Or(number, told.contract),
			asking:  rest.Flight[string]{Provider: name},
		},
	}, nil
}

// addresses finds both APIs. IONOS's own tools take a host alone from IONOS_API_URL, with or without a scheme, or the
// address of the Cloud API: none of it is what the registry API's address has to be.
func addresses(base, cloud string) (string, string) {
	root, path := split(cmp.Or(base, defaultBase))
	if path == "" || path == "/cloudapi" || strings.HasPrefix(path, "/cloudapi/") {
		path = "/containerregistries"
	}
	if cloud == "" {
		return root + path, root + "/cloudapi/v6"
	}
	cloudRoot, cloudPath := split(cloud)
	return root + path, cloudRoot + cmp.Or(cloudPath, "/cloudapi/v6")
}

// split cuts an address into scheme with host, and path. What makes no sense is left for package rest to refuse.
func split(address string) (root, path string) {
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	parsed, err := url.Parse(address)
	if err != nil || parsed.User != nil || parsed.RawQuery != "" || parsed.ForceQuery || parsed.Fragment != "" {
		return address, ""
	}
	return parsed.Scheme + "://" + parsed.Host, strings.TrimSuffix(parsed.EscapedPath(), "/")
}

// Organizations lists the one contract of the account.
func (a *adapter) Organizations(
	ctx context.Context, page providers.PageRequest,
) (providers.Page[providers.Organization], error) {
	const op = "list organizations"
	key := func(o providers.Organization) providers.ID { return o.ID }
	return providers.ReadPage(op, providers.ProviderID(name), key, page, func() ([]providers.Organization, error) {
		native, err := a.contractOf(ctx, op)
		return []providers.Organization{organization(native)}, err
	})
}

// Registries lists the registries of the contract.
func (a *adapter) Registries(
	ctx context.Context, organization providers.ID, page providers.PageRequest,
) (providers.Page[providers.Registry], error) {
	const op = "list registries"
	key := func(r providers.Registry) providers.ID { return r.ID }
	return providers.ReadPage(op, organization, key, page, func() ([]providers.Registry, error) {
		return a.registries(ctx, op, organization)
	})
}

// registries reads all registries of the contract.
func (a *adapter) registries(ctx context.Context, op string, organization providers.ID) ([]providers.Registry, error) {
	if err := a.check(ctx, op, organization, providers.OrganizationKind); err != nil {
		return nil, err
	}
	call := rest.Get(op, "registries")
	call.RequiredScope = manageRegistries
	items, err := listByToken[registry](ctx, a.registryAPI, call)
	if err != nil {
		return nil, err
	}
	registries := make([]providers.Registry, 0, len(items))
	for _, item := range items {
		registries = append(registries, item.domain(organization))
	}
	return registries, nil
}

// Registry returns one registry.
func (a *adapter) Registry(ctx context.Context, id providers.ID) (providers.Registry, error) {
	const op = "get registry"
	if err := a.check(ctx, op, id, providers.RegistryKind); err != nil {
		return providers.Registry{}, err
	}
	call := rest.Get(op, "registries", id.Native)
	call.RequiredScope = manageRegistries
	var got registry
	if _, err := a.registryAPI.Do(ctx, call, &got); err != nil {
		return providers.Registry{}, err
	}
	if !sameID(got.ID, id.Native) {
		return providers.Registry{}, a.registryAPI.Nonsense(call, "another registry than asked for")
	}
	return got.domain(id.OfOrganization()), nil
}

// CredentialExpiry reads the end of a bearer token in the token itself.
func (a *adapter) CredentialExpiry(context.Context) (time.Time, error) { return a.expires, nil }
