package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"time"
)

// errNobody says that no replica serves.
var errNobody = errors.New("no replica serves")

// client asks replicas as a load balancer would: any that serves, and another one where nobody listens.
type client struct {
	replicas []*replica
	http     *http.Client
}

func newClient(replicas []*replica) *client {
	transport := &http.Transport{MaxIdleConnsPerHost: 32, IdleConnTimeout: 10 * time.Second}
	return &client{replicas: replicas, http: &http.Client{Transport: transport, Timeout: patience * time.Second}}
}

// reply is an answer of the API.
type reply struct {
	Data   map[string]json.RawMessage
	Errors []struct {
		Message    string
		Path       []any
		Extensions struct{ Code string }
	}
}

// into reads a field of the answer. It is false where the field is null or was not answered.
func (r reply) into(field string, value any) bool {
	raw := r.Data[field]
	return len(raw) > 0 && string(raw) != "null" && json.Unmarshal(raw, value) == nil
}

// codes are those of the errors.
func (r reply) codes() []string {
	codes := make([]string, len(r.Errors))
	for i, e := range r.Errors {
		codes[i] = e.Extensions.Code
	}
	return codes
}

// question is what to ask.
type question struct {
	query     string
	variables map[string]any
	fresh     bool // past the cache
}

// ask sends a question to some replica. begin is before it left. sent is false when it certainly reached nobody.
func (c *client) ask(ctx context.Context, q question) (got reply, via string, begin time.Time, sent bool, err error) {
	err = errNobody
	for _, i := range rand.Perm(len(c.replicas)) {
		r := c.replicas[i]
		url := r.address()
		if url == "" {
			continue
		}
		begin = time.Now()
		got, err = c.post(ctx, url, q)
		if failed, ok := errors.AsType[*net.OpError](err); ok && failed.Op == "dial" {
			continue
		}
		return got, r.name, begin, true, err
	}
	return got, "", begin, false, err
}

func (c *client) post(ctx context.Context, url string, q question) (reply, error) {
	body, err := json.Marshal(map[string]any{"query": q.query, "variables": q.variables})
	if err != nil {
		return reply{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	if q.fresh {
		request.Header.Set("Cache-Control", "no-cache")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	var got reply
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		return reply{}, fmt.Errorf("status %d: %w", response.StatusCode, err)
	}
	return got, nil
}
