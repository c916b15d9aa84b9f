package buildkite

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"regtok/providers"
	"regtok/providers/rest"
)

// do sends a call. A call's scope is known from the documentation; only a refusal that speaks of scopes is about it,
// any other is about what the token's owner may do, which no scope mends.
func (a *adapter) do(ctx context.Context, call rest.Call, out any) (rest.Answer, error) {
	answer, err := a.api.Do(ctx, call, out)
	if e, ok := errors.AsType[*providers.Error](err); ok && !strings.Contains(e.Message, "scope") {
		e.RequiredScope = ""
	}
	return answer, err
}

// explain reads the body of an error: a message, after validation also the errors, after too many requests the
// seconds to wait. See https://buildkite.com/docs/apis/rest-api and …/rest-api/rate-limits.
func explain(status int, header http.Header, body []byte) rest.Explanation {
	var refusal struct {
		Message string          `json:"message"`
		Errors  json.RawMessage `json:"errors"`
	}
	// What does not fit stays empty: the status has said what happened.
	_ = json.Unmarshal(body, &refusal)
	var details []detail
	_ = json.Unmarshal(refusal.Errors, &details)

	explanation := rest.Explanation{Message: refusal.Message}
	for _, d := range details {
		text := strings.TrimSpace(d.Field + " " + cmp.Or(d.Message, d.Code))
		if explanation.Message != "" && text != "" {
			text = ": " + text
		}
		explanation.Message += text
		explanation.Field = cmp.Or(explanation.Field, fieldOf(d.Field))
	}
	if status == http.StatusUnprocessableEntity && strings.Contains(strings.ToLower(refusal.Message), "description") {
		explanation.Field = cmp.Or(explanation.Field, fieldOf("description")) // told in words only
	}
	if status == http.StatusTooManyRequests {
		explanation.RetryAfter = wait(header, body)
	}
	return explanation
}

// detail is one of a validation's errors: an object, or a text.
type detail struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// UnmarshalJSON implements json.Unmarshaler. What is neither is no detail, and no error.
func (d *detail) UnmarshalJSON(data []byte) error {
	type object detail
	if json.Unmarshal(data, &d.Message) != nil {
		_ = json.Unmarshal(data, (*object)(d))
	}
	return nil
}

// fieldOf translates the name of an input.
func fieldOf(field string) string {
	if field == "description" {
		return string(providers.FieldName)
	}
	return field
}

// wait is what the body asks for, else the time until all exhausted allowances are new.
func wait(header http.Header, body []byte) time.Duration {
	if told, ok := refused(body); ok {
		return told.Reset
	}
	var longest time.Duration
	for _, limit := range read(http.StatusTooManyRequests, header, nil) {
		if limit.Remaining == 0 {
			longest = max(longest, limit.Reset)
		}
	}
	return longest
}
