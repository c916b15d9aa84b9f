package buildkite

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"regtok/providers"
	"regtok/providers/rest"
)

// Scopes of an API access token, as the pages of the operations name them.
const (
	readOrganizations = "read_organizations"
	readRegistries    = "read_registries"
	writeRegistries   = "write_registries" // also what deleting a token takes
)

type adapter struct {
	api   *rest.API
	slugs *slugs
	// only holds the slugs of the organizations to see; nil: all.
	only map[string]bool
}

var _ providers.Provider = (*adapter)(nil)

func open(config providers.Config) (providers.Provider, error) {
	token := config.Settings[settingToken]
	if token.Empty() {
		return nil, providers.InvalidError(name, "configure", settingToken, "an API access token is needed")
	}
	api, err := rest.New(rest.Options{
		Provider:      name,
		Setting:       settingBase,
		Base:          cmp.Or(config.Settings[settingBase].Reveal(), defaultBase),
		Authorization: providers.NewSecret("Bearer " + token.Reveal()),
		Client:        config.Client,
		MaxBody:       config.MaxBody,
		Explain:       explain,
	})
	if e, ok := errors.AsType[*providers.Error](err); ok && e.Field == "" {
		e.Field = settingToken
	}
	if err != nil {
		return nil, err
	}
	a := &adapter{api: api, slugs: &slugs{lookups: rest.Flight[moment]{Provider: name}}}
	for slug := range strings.SplitSeq(config.Settings[settingOrganizations].Reveal(), ",") {
		if slug = strings.TrimSpace(slug); slug != "" {
			if a.only == nil {
				a.only = map[string]bool{}
			}
			a.only[slug] = true
		}
	}
	return a, nil
}

// Organizations lists the organizations that the access token belongs to and the settings let through.
func (a *adapter) Organizations(
	ctx context.Context, page providers.PageRequest,
) (providers.Page[providers.Organization], error) {
	const op = "list organizations"
	key := func(o providers.Organization) providers.ID { return o.ID }
	return providers.ReadPage(op, providers.ProviderID(name), key, page, func() ([]providers.Organization, error) {
		return a.organizations(ctx, op)
	})
}

// organizations reads all organizations and learns their slugs.
func (a *adapter) organizations(ctx context.Context, op string) ([]providers.Organization, error) {
	began := a.slugs.now()
	call := rest.Get(op, "v2", "organizations")
	call.Query = firstPage()
	call.RequiredScope = readOrganizations
	items, err := list[organization](ctx, a, call)
	if err != nil {
		return nil, err
	}
	organizations := make([]providers.Organization, 0, len(items))
	found := make(map[providers.ID]string, len(items))
	for _, item := range items {
		if a.only != nil && !a.only[item.Slug] {
			continue
		}
		o := item.domain()
		organizations = append(organizations, o)
		found[o.ID] = o.Slug
	}
	a.slugs.learnAll(providers.ProviderID(name), found, began)
	return organizations, nil
}

// Registries lists the registries of an organization.
func (a *adapter) Registries(
	ctx context.Context, organization providers.ID, page providers.PageRequest,
) (providers.Page[providers.Registry], error) {
	const op = "list registries"
	if !valid(organization, providers.OrganizationKind) {
		return providers.Page[providers.Registry]{}, providers.NotFoundError(name, op)
	}
	key := func(r providers.Registry) providers.ID { return r.ID }
	return providers.ReadPage(op, organization, key, page, func() ([]providers.Registry, error) {
		return a.registries(ctx, op, organization)
	})
}

// Registry returns one registry out of its organization's list, where it stands whole: finding its slug for a
// request of its own would take the list as well.
func (a *adapter) Registry(ctx context.Context, id providers.ID) (providers.Registry, error) {
	const op = "get registry"
	if !valid(id, providers.RegistryKind) {
		return providers.Registry{}, providers.NotFoundError(name, op)
	}
	registries, err := a.registries(ctx, op, id.OfOrganization())
	if err != nil {
		return providers.Registry{}, err
	}
	for _, r := range registries {
		if r.ID == id {
			return r, nil
		}
	}
	return providers.Registry{}, providers.NotFoundError(name, op)
}

// registries reads all registries of an organization and learns their slugs.
func (a *adapter) registries(ctx context.Context, op string, organization providers.ID) ([]providers.Registry, error) {
	var registries []providers.Registry
	err := a.read(ctx, op, organization, func(at address) error {
		began := a.slugs.now()
		call := rest.Get(op, at.registries()...)
		call.RequiredScope = readRegistries
		items, err := list[registry](ctx, a, call)
		if err != nil {
			return err
		}
		registries = make([]providers.Registry, 0, len(items))
		found := make(map[providers.ID]string, len(items))
		for _, item := range items {
			r := item.domain(organization, at.organization)
			registries = append(registries, r)
			found[r.ID] = r.Slug
		}
		a.slugs.learnAll(organization, found, began)
		return nil
	})
	return registries, err
}

// CredentialExpiry asks Buildkite when the access token ends. Any access token may ask that about itself.
func (a *adapter) CredentialExpiry(ctx context.Context) (time.Time, error) {
	call := rest.Get("get credential", "v2", "access-token")
	var token accessToken
	if _, err := a.do(ctx, call, &token); err != nil {
		return time.Time{}, err
	}
	if !isUUID(token.UUID) {
		return time.Time{}, a.api.Nonsense(call, "an access token without a UUID")
	}
	return token.ExpiresAt.Time, nil
}

// firstPage asks for the largest page where pages are documented.
func firstPage() url.Values { return url.Values{"page": {"1"}, "per_page": {"100"}} }
