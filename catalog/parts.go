package catalog

import "regtok/providers"

// The parts of what is packed, in their order. A part that is added, left out or moved needs another codecVersion.

func organizationParts(s stream, o *providers.Organization) {
	s.text(&o.Slug)
	s.text(&o.Name)
	s.text(&o.WebURL)
	s.moment(&o.CreatedAt)
}

func registryParts(s stream, r *providers.Registry) {
	s.text(&r.Slug)
	s.text(&r.Name)
	s.text(&r.Description)
	s.text(&r.Ecosystem)
	s.text(&r.Host)
	s.truth(&r.Public)
	s.text((*string)(&r.State))
	s.text(&r.WebURL)
	s.moment(&r.CreatedAt)
	optional(s, &r.CreatedBy, personOf(r.ID.Provider))
	optional(s, &r.Buildkite, func(s stream, b *providers.BuildkiteRegistry) {
		s.text(&b.Emoji)
		s.text(&b.Color)
		s.text(&b.OIDCPolicy)
		texts(s, &b.TeamIDs)
	})
	optional(s, &r.Ionos, func(s stream, i *providers.IonosRegistry) {
		s.text(&i.Location)
		s.text(&i.RawState)
		optional(s, &i.StorageBytes, stream.integer)
		texts(s, &i.APISubnetAllowList)
		optional(s, &i.VulnerabilityScanning, stream.truth)
	})
}

func tokenParts(s stream, t *providers.Token) {
	s.text(&t.Name)
	s.truth(&t.Enabled)
	s.text(&t.Username)
	s.moment(&t.ExpiresAt)
	each(s, &t.Scopes, 4, scopeParts)
	s.moment(&t.CreatedAt)
	optional(s, &t.CreatedBy, personOf(t.ID.Provider))
	s.moment(&t.UpdatedAt)
	optional(s, &t.UpdatedBy, personOf(t.ID.Provider))
	s.text(&t.WebURL)
}

func scopeParts(s stream, scope *providers.Scope) {
	s.text(&scope.Type)
	s.text(&scope.Name)
	texts(s, &scope.Actions)
	s.truth(&scope.Implicit)
}

func userParts(s stream, u *providers.User) {
	s.text(&u.Name)
	s.text(&u.Email)
	s.text(&u.AvatarURL)
	s.moment(&u.CreatedAt)
	s.truth(&u.Complete)
}

// personOf is a user whom something else names, and whose provider it has.
func personOf(provider string) func(stream, *providers.User) {
	return func(s stream, u *providers.User) {
		s.id(&u.ID, providers.UserID(provider, s.native(u.ID.Native)))
		userParts(s, u)
	}
}
