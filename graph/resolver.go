package graph

import (
	"regtok/activity"
	"regtok/catalog"
	"regtok/expiry"
	"regtok/graph/internal/exec"
)

// resolver answers the schema's fields. Resolvers ask the loaders of their response and shape the answer.
type resolver struct {
	catalog  *catalog.Catalog
	events   *expiry.Events // nil: none are told
	activity activity.Log   // nil likewise
	version  string
}

var _ exec.ResolverRoot = (*resolver)(nil)

func (r *resolver) Query() exec.QueryResolver               { return queryResolver{r} }
func (r *resolver) Mutation() exec.MutationResolver         { return mutationResolver{r} }
func (r *resolver) Subscription() exec.SubscriptionResolver { return subscriptionResolver{r} }
func (r *resolver) Account() exec.AccountResolver           { return accountResolver{r} }
func (r *resolver) Organization() exec.OrganizationResolver { return organizationResolver{r} }
func (r *resolver) Registry() exec.RegistryResolver         { return registryResolver{r} }
func (r *resolver) Token() exec.TokenResolver               { return tokenResolver{r} }
func (r *resolver) User() exec.UserResolver                 { return userResolver{r} }
func (r *resolver) TokenExpiryEvent() exec.TokenExpiryEventResolver {
	return tokenExpiryEventResolver{r}
}
func (r *resolver) TokenActivityEvent() exec.TokenActivityEventResolver {
	return tokenActivityEventResolver{r}
}
func (r *resolver) TokenCredential() exec.TokenCredentialResolver {
	return tokenCredentialResolver{r}
}
func (r *resolver) DeleteTokenPayload() exec.DeleteTokenPayloadResolver {
	return deleteTokenPayloadResolver{r}
}
