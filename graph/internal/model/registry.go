package model

import (
	"regtok/catalog"
	"regtok/providers"
)

// Registry is a registry.
type Registry struct{ *catalog.Registry }

// Provider is where it is.
func (r *Registry) Provider() *Provider { return &Provider{r.Account.Driver} }

// NativeID is the provider's own id.
func (r *Registry) NativeID() string { return r.ID.Native }

// Slug is the short name in URLs.
func (r *Registry) Slug() *string { return orNull(&r.Registry.Slug) }

// Description is not always there.
func (r *Registry) Description() *string { return orNull(&r.Registry.Description) }

// Host is what a client logs in to.
func (r *Registry) Host() *string { return orNull(&r.Registry.Host) }

// Visibility tells whether it can be read without a token.
func (r *Registry) Visibility() RegistryVisibility {
	if r.Public {
		return RegistryVisibilityPublic
	}
	return RegistryVisibilityPrivate
}

// Details are what only its provider's registries have.
func (r *Registry) Details() RegistryDetails {
	switch {
	case r.Buildkite != nil:
		return &BuildkiteRegistryDetails{r.Buildkite}
	case r.Ionos != nil:
		return &IonosRegistryDetails{r.Ionos}
	}
	return nil
}

// BuildkiteRegistryDetails is what only Buildkite's registries have.
type BuildkiteRegistryDetails struct{ *providers.BuildkiteRegistry }

// IsRegistryDetails marks it for the schema's union.
func (*BuildkiteRegistryDetails) IsRegistryDetails() {}

// Emoji is null when there is none; likewise Color and OidcPolicy.
func (d *BuildkiteRegistryDetails) Emoji() *string { return orNull(&d.BuildkiteRegistry.Emoji) }

// Color is a hex code.
func (d *BuildkiteRegistryDetails) Color() *string { return orNull(&d.BuildkiteRegistry.Color) }

// OidcPolicy is YAML.
func (d *BuildkiteRegistryDetails) OidcPolicy() *string { return orNull(&d.OIDCPolicy) }

// IonosRegistryDetails is what only IONOS's registries have.
type IonosRegistryDetails struct{ *providers.IonosRegistry }

// IsRegistryDetails marks it for the schema's union.
func (*IonosRegistryDetails) IsRegistryDetails() {}

// StorageBytes is null when it is not told.
func (d *IonosRegistryDetails) StorageBytes() *float64 {
	if d.IonosRegistry.StorageBytes == nil {
		return nil
	}
	bytes := float64(*d.IonosRegistry.StorageBytes)
	return &bytes
}
