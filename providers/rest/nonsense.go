package rest

import (
	"errors"

	"regtok/providers"
)

// Nonsense is the error of an answer that was read well and cannot be true: with InvalidResponse, Unavailable after a
// read and OutcomeUnknown after a write. Why is for the log, and holds nothing of the answer.
func (a *API) Nonsense(call Call, why string) *providers.Error {
	kind := providers.Unavailable
	if call.write() {
		kind = providers.OutcomeUnknown
	}
	return &providers.Error{
		Kind: kind, Reason: providers.InvalidResponse, Provider: a.provider, Op: call.Op, Err: errors.New(why),
	}
}
