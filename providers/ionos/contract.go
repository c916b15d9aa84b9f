package ionos

import (
	"context"
	"regexp"
	"sync"

	"regtok/providers"
	"regtok/providers/rest"
)

// The contract is the organization in every id, so it must not change from one call to the next, whatever happens to
// the Cloud API meanwhile. It comes from the first of these that knows it:
//
//  1. the setting contract_number,
//  2. the bearer token, which names its contract,
//  3. GET /contracts of the Cloud API,
//  4. the account's own name, when the Cloud API says for certain that it tells this credential nothing.
//
// The first two need no request and are as constant as the configuration. What the last two bring is remembered. An
// outage brings nothing: it is an error, never another id. Between two starts the answer of 3 and 4 can still change,
// if the credential's rights do; contract_number removes that doubt.

// contractNumber is the form of a contract's number, which is an int64 above zero.
var contractNumber = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)

// contract is what an account knows about its contract.
type contract struct {
	account string // the account's name
	mu      sync.Mutex
	known   string // its number, or the account's name; empty: not known yet
	asking  rest.Flight[string]
}

func (c *contract) get() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known
}

// settle remembers what was found first.
func (c *contract) settle(found string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == "" {
		c.known = found
	}
	return c.known
}

// organization is a contract as an organization.
func organization(native string) providers.Organization {
	title := "IONOS"
	if contractNumber.MatchString(native) {
		title = "Contract " + native
	}
	return providers.Organization{ID: providers.OrganizationID(name, native), Name: title}
}

// contractOf returns the native id of the account's organization. All who wait share one request.
func (a *adapter) contractOf(ctx context.Context, op string) (string, error) {
	if known := a.contract.get(); known != "" {
		return known, nil
	}
	found, err := a.contract.asking.Do(ctx, op, "contract", a.askContract)
	if err != nil {
		return "", err
	}
	return a.contract.settle(found), nil
}

// askContract asks the Cloud API.
func (a *adapter) askContract(ctx context.Context) (string, error) {
	call := rest.Get("get contract", "contracts")
	var told contracts
	_, err := a.cloudAPI.Do(ctx, call, &told)
	switch providers.KindOf(err) {
	case "":
	case providers.Forbidden, providers.NotFound:
		return a.contract.account, nil
	case providers.Unauthorized:
		return a.contract.account, a.acceptedElsewhere(ctx, err)
	default:
		return "", err
	}
	if told.Items == nil {
		return "", a.cloudAPI.Nonsense(call, "no list of contracts")
	}
	numbers := told.numbers()
	switch {
	case len(numbers) > 1:
		return "", providers.InvalidError(name, call.Op, settingContract, "the credential belongs to several contracts: choose one")
	case len(numbers) == 1 && contractNumber.MatchString(numbers[0]):
		return numbers[0], nil
	case len(numbers) == 1:
		return "", a.cloudAPI.Nonsense(call, "a contract without a number")
	}
	return a.contract.account, nil
}

// acceptedElsewhere is nil when only the Cloud API refuses the credential; otherwise it is the refusal. No id may come
// of a credential that is not accepted at all.
func (a *adapter) acceptedElsewhere(ctx context.Context, refusal error) error {
	call := rest.Get("get contract", "registries")
	call.Query = map[string][]string{"limit": {"1"}}
	_, err := a.registryAPI.Do(ctx, call, nil)
	if providers.KindOf(err) == providers.Unauthorized {
		return refusal
	}
	return err
}

// check refuses ids that cannot be this account's before any part of them gets into a path.
func (a *adapter) check(ctx context.Context, op string, id providers.ID, kind providers.IDKind) error {
	if !valid(id, kind) {
		return providers.NotFoundError(name, op)
	}
	return a.owns(ctx, op, id)
}

// owns refuses ids of another contract than the account's.
func (a *adapter) owns(ctx context.Context, op string, id providers.ID) error {
	organization := id.Organization
	if id.Kind == providers.OrganizationKind {
		organization = id.Native
	}
	own, err := a.contractOf(ctx, op)
	if err == nil && organization != own {
		err = providers.NotFoundError(name, op)
	}
	return err
}
