package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"regtok/ledger"
	"regtok/providers"
)

// advice is what to do when the answer to a write was lost, by the write.
type advice string

const (
	lookForOrphan advice = "the token may have been made: look for it by its name among the registry's newest tokens; if it is there, " +
		"delete it, because its secret cannot be read any more, and create another"
	lookAtState advice = "the token may have its new state or its old: read it again. Repeating the call is safe; but if it was to " +
		"create the token, its secret is lost, so delete the token first"
	lookAtToken    advice = "the token may have changed or not: read it again. Repeating the call is safe"
	lookIfDeleted  advice = "the token may be gone or not: read it again. Repeating the call with `allowMissing: true` is safe"
	lookAtPrevious advice = "the old token may still work or not: read it, and delete it if it is still wanted gone"
)

// problem tells a failure to the caller. What is not the caller's matter stays an error.
func (w write) problem(err error) (Problem, error) {
	if errors.Is(err, ledger.ErrUnavailable) {
		return Problem{Kind: providers.Unavailable, Provider: w.driver.Name,
			Message: "this server cannot use its ledger, in which it remembers what it promised, so it promised nothing and did nothing; " +
				"try again, or tell whoever runs this server"}, nil
	}
	e, ok := errors.AsType[*providers.Error](err)
	if !ok {
		return Problem{}, err
	}
	p := Problem{Kind: e.Kind, Provider: w.driver.Name, Path: w.pathOf(e.Field)}
	switch e.Kind {
	case providers.Invalid:
		p.Message = w.said(e, "the provider refuses the input", "and does not say why")
	case providers.NotFound:
		p.Path = []string{w.target}
		p.Message = "there is no such " + w.what() + ", or it is not visible to this server's credential; providers do not tell the two apart"
	case providers.Conflict:
		p = w.conflict(e, p)
	case providers.Unsupported:
		p = w.unsupported(e)
	case providers.Unauthorized:
		p.Kind = providers.Forbidden
		p.Message = "the provider refuses this server's own credential; whoever runs this server has to renew it. Nothing was done"
	case providers.Forbidden:
		p.RequiredScope = e.RequiredScope
		p.Message = w.said(e, "the provider does not let this server's credential do this", "")
		if e.RequiredScope != "" {
			p.Message += "; the credential needs the scope " + e.RequiredScope
		}
	case providers.RateLimited:
		p.RetryAfter = max(e.RetryAfter, time.Second)
		p.Message = "the provider's request allowance is used up for now, and nothing was done; wait, then repeat the call"
	case providers.Unavailable:
		_, why, wait := Explain(e)
		p.RetryAfter = wait
		p.Message = why + "; nothing was done, so the call can be repeated"
	case providers.OutcomeUnknown:
		p.Message = "the provider's answer was lost; " + string(w.advice)
	default:
		return Problem{}, err
	}
	return p, nil
}

// what is what the input names.
func (w write) what() string {
	if w.target == "registryId" {
		return "registry"
	}
	return "token"
}

// conflict is what the provider has in the way. A token that is created or replaced can only be in conflict by its name.
func (w write) conflict(e *providers.Error, p Problem) Problem {
	if w.name == "" || !w.driver.Capabilities.Names.Unique {
		p.Message = w.said(e, "the provider has something in the way", "for example another token of that name")
		return p
	}
	p.Path = pathOf(providers.FieldName)
	p.Message = w.said(e, fmt.Sprintf("the provider refuses the name %q", w.name), "which another token may have")
	if w.advice == lookAtState {
		p.Message += "; say the name that the token has, because it is fixed, or for a new one a name that no other token of the registry has"
		return p
	}
	p.Message += "; say a name that no other token of the registry has"
	return p
}

// unsupported is what an adapter refused.
func (w write) unsupported(e *providers.Error) Problem {
	if e.Field == "" {
		return lacking(w.driver, "this cannot be done there")
	}
	return unsupported(w.driver, providers.TokenField(e.Field))
}

// said joins what is wrong with the vendor's own words, or with what to say without them.
func (w write) said(e *providers.Error, what, otherwise string) string {
	switch words := cmp.Or(e.Message, otherwise); {
	case words == "":
		return what
	case e.Message != "" && e.Status == 0: // our own words, before anything was sent
		return words
	case e.Message != "":
		return what + ": " + words
	default:
		return what + ", " + words
	}
}

// unsupported says that a field cannot be chosen.
func unsupported(driver providers.Driver, field providers.TokenField) Problem {
	p := Problem{Kind: providers.Unsupported, Provider: driver.Name, Field: field, Path: pathOf(field)}
	switch {
	case slices.Contains(driver.Capabilities.CreateFields, field):
		p.Message = driver.Title + " fixes " + called(field) + " of a token when it is created"
	case field == providers.FieldExpiry:
		p.Message = driver.Title + " does not end tokens at a date"
	case field == providers.FieldEnabled:
		p.Message = driver.Title + " cannot switch tokens on or off"
	default:
		p.Message = driver.Title + " does not let " + called(field) + " of a token be chosen"
	}
	p.Message += "; leave " + inputs(field) + " out"
	return p
}

// lacking says that the provider has not got an operation at all.
func lacking(driver providers.Driver, instead string) Problem {
	return Problem{Kind: providers.Unsupported, Provider: driver.Name, Message: driver.Title + " has no such operation: " + instead}
}

// called is what people call a property.
func called(field providers.TokenField) string {
	switch field {
	case providers.FieldName:
		return "the name"
	case providers.FieldExpiry:
		return "the end"
	case providers.FieldScopes:
		return "the scopes"
	case providers.FieldEnabled:
		return "the state"
	}
	return "a property"
}

// pathOf is where the input names what an adapter finds at fault.
func (w write) pathOf(field string) []string {
	if field == providers.FieldID {
		return []string{w.target}
	}
	return pathOf(providers.TokenField(field))
}

// pathOf is where an input names a property.
func pathOf(field providers.TokenField) []string {
	switch field {
	case providers.FieldName:
		return []string{"name"}
	case providers.FieldExpiry:
		return []string{"expiry"}
	case providers.FieldScopes:
		return []string{"scopes"}
	case providers.FieldEnabled:
		return []string{"enabled"}
	}
	return nil
}

// inputs are the names that the input has for properties, for people.
func inputs(fields ...providers.TokenField) string {
	names := make([]string, len(fields))
	for i, field := range fields {
		names[i] = strings.Join(pathOf(field), ".")
	}
	return strings.Join(names, ", ")
}

func invalid(message string, path ...string) Problem {
	return Problem{Kind: providers.Invalid, Message: message, Path: path}
}

// notFound says that an id names nothing of its kind, which is known without asking anybody.
func notFound(kind providers.IDKind, target string) Problem {
	what := "token"
	if kind == providers.RegistryKind {
		what = "registry"
	}
	return Problem{Kind: providers.NotFound, Path: []string{target},
		Message: "the id names no " + what + "; take ids from the `id` fields of this server's answers"}
}

// changed says that a token is not of the version that the caller saw.
func changed(driver providers.Driver, version string) Problem {
	return Problem{Kind: providers.Conflict, Provider: driver.Name, Path: []string{"ifVersion"}, CurrentVersion: version,
		Message: "the token changed since that version, and nothing was sent; read it again and decide anew"}
}

// busy says that others are changing the token for longer than the caller can wait.
func busy(driver providers.Driver) Problem {
	return Problem{Kind: providers.Unavailable, Provider: driver.Name, RetryAfter: time.Second,
		Message: "other changes of this token are under way, and nothing was done; try again in a moment"}
}

// tooLate says that what is left of the caller's time is less than a write may take.
func tooLate(driver providers.Driver) Problem {
	return Problem{Kind: providers.Unavailable, Provider: driver.Name,
		Message: "too little of this operation's time is left for another change, and nothing was done; send it alone"}
}
