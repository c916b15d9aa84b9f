package catalog

import (
	"cmp"
	"errors"
	"fmt"
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

// write is what a failure is told about: where its input named the thing, and what to do when the outcome is unknown.
type write struct {
	driver providers.Driver
	// target is the input's field that names the thing written to.
	target string
	advice advice
}

// problem tells a failure to the caller. What is not the caller's matter stays an error.
func (w write) problem(err error) (Problem, error) {
	if errors.Is(err, ledger.ErrUnavailable) {
		return Problem{Kind: providers.Unavailable, Provider: w.driver.Name,
			Message: "this server cannot reach what it remembers promises in, so it promised nothing and did nothing; try again"}, nil
	}
	e, ok := errors.AsType[*providers.Error](err)
	if !ok {
		return Problem{}, err
	}
	p := Problem{Kind: e.Kind, Provider: w.driver.Name, Path: pathOf(providers.TokenField(e.Field))}
	switch e.Kind {
	case providers.Invalid:
		p.Message = w.said(e, "the provider refuses the input", "and does not say why")
	case providers.NotFound:
		p.Path = []string{w.target}
		p.Message = "there is no such thing, or it is not visible to this server's credential; providers do not tell the two apart"
	case providers.Conflict:
		p.Message = w.said(e, "the provider has something in the way", "for example another token of that name")
	case providers.Unsupported:
		p = unsupported(w.driver, providers.TokenField(e.Field), p.Path)
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

// unsupported says what a provider has not. The zero field means the operation as a whole.
func unsupported(driver providers.Driver, field providers.TokenField, path []string) Problem {
	p := Problem{Kind: providers.Unsupported, Provider: driver.Name, Field: field, Path: path}
	switch field {
	case "":
		p.Message = driver.Title + " has no such operation"
	case providers.FieldName:
		p.Message = driver.Title + " does not let a token's name be chosen here; leave it out"
	case providers.FieldExpiry:
		p.Message = driver.Title + " does not end tokens at a date; leave it out"
	case providers.FieldScopes:
		p.Message = driver.Title + " does not let a token's scopes be chosen; leave them out"
	case providers.FieldEnabled:
		p.Message = driver.Title + " cannot switch tokens on or off; leave it out"
	}
	return p
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

func invalid(message string, path ...string) Problem {
	return Problem{Kind: providers.Invalid, Message: message, Path: path}
}

func notFound(what, field string) Problem {
	return Problem{Kind: providers.NotFound, Path: []string{field},
		Message: fmt.Sprintf("the id names no %s; take ids from the `id` fields of this server's answers", what)}
}

// changed says that a token is not of the version that the caller saw.
func changed(driver providers.Driver, version string) Problem {
	return Problem{Kind: providers.Conflict, Provider: driver.Name, Path: []string{"ifVersion"}, CurrentVersion: version,
		Message: "the token changed since that version, and nothing was sent; read it again and decide anew"}
}
