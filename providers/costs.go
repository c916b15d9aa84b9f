package providers

// Cost is how many requests one call of a method sends to the provider, when a list fits one page there and nothing
// fails.
type Cost struct {
	// Cold is what an account's first call costs.
	Cold int
	// Warm is what it costs once the account has learnt what it can: the names that URLs need, for one.
	Warm int
}

// Costs are the costs of a Provider's methods. What costs nothing is answered without asking, or unsupported.
type Costs struct {
	Organizations, Registries, Registry, Tokens, Token, Users, User Cost
	CreateToken, ReplaceToken, PatchToken, DeleteToken              Cost
	CredentialExpiry                                                Cost
}
