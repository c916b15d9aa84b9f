package ionos

import (
	"encoding/json"
	"net/http"
	"strings"

	"regtok/providers/rest"
)

// explain reads the body of an error: the envelope of all IONOS services, or the short form that some answers have.
func explain(_ int, _ http.Header, body []byte) rest.Explanation {
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
	if len(texts) == 0 {
		return rest.Explanation{Message: refusal.Message}
	}
	return rest.Explanation{Message: strings.Join(texts, "; ")}
}
