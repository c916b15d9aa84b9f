package ionos

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"regtok/providers"
	"regtok/providers/rest"
)

// explain reads the body of an error: the envelope of all IONOS services, or the short form that some answers have.
func explain(status int, _ http.Header, body []byte) rest.Explanation {
	var refusal struct {
		Messages []struct {
			Message string `json:"message"`
		} `json:"messages"`
		Message string `json:"msg"`
	}
	// What does not fit stays empty: the status has said what happened.
	_ = json.Unmarshal(body, &refusal)
	texts := []string{}
	for _, m := range refusal.Messages {
		if m.Message != "" {
			texts = append(texts, m.Message)
		}
	}
	message := refusal.Message
	if len(texts) > 0 {
		message = strings.Join(texts, "; ")
	}
	explanation := rest.Explanation{Message: message}
	if status == http.StatusBadRequest || status == http.StatusUnprocessableEntity {
		explanation.Field = fieldIn(message)
	}
	return explanation
}

// properties are a token's, as messages call them.
var properties = map[string]providers.TokenField{
	"name": providers.FieldName, "expiryDate": providers.FieldExpiry, "scopes": providers.FieldScopes, "status": providers.FieldEnabled,
}

// word is what a property's name in a message is.
var word = regexp.MustCompile(`[A-Za-z]+`)

// fieldIn is the property that a message is about: the only one that it names. IONOS tells it in no other way.
func fieldIn(message string) string {
	found := map[providers.TokenField]bool{}
	for _, w := range word.FindAllString(message, -1) {
		if field, ok := properties[w]; ok {
			found[field] = true
		}
	}
	if len(found) != 1 {
		return ""
	}
	for field := range found {
		return string(field)
	}
	return ""
}
