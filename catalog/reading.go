package catalog

import "regtok/expiry"

// Reading is what was seen of the token, for those who watch its end. The name of its registry may be empty: unknown.
func (t *Token) Reading(registryName string) expiry.Reading {
	subject := expiry.Subject{Token: t.ID, Name: t.Name, RegistryName: registryName}
	if t.CreatedBy != nil {
		subject.CreatedBy = t.CreatedBy.Name
	}
	return expiry.Reading{
		At: t.ObservedAt, Subject: subject, Disabled: !t.Enabled,
		Due: t.DueAt, Source: expiry.DueSource(t.DueSource),
	}
}
