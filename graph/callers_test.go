package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"regtok/auth"
)

// TestWhoMayOpenASocket asks for sockets of a server that knows one caller, for nobody and for somebody whom the request has
// named already.
func TestWhoMayOpenASocket(t *testing.T) {
	key, stranger, ended := auth.NewKey(), auth.NewKey(), auth.NewKey()
	callers := auth.NewCallers(auth.Config{Keys: []auth.Caller{
		{Key: key.Hash(), Viewer: auth.Viewer{Subject: "ci", Permissions: []auth.Permission{auth.TokensRead}}},
		{Key: ended.Hash(), Viewer: auth.Viewer{Subject: "old", Until: time.Now().Add(-time.Hour)}},
	}})
	nobody := newStage(t, plan{callers: callers, viewer: &auth.Viewer{}})
	named := newStage(t, plan{callers: callers, viewer: &auth.Viewer{Subject: "ops"}})
	late := newStage(t, plan{callers: callers, viewer: &auth.Viewer{Subject: "ops", Until: time.Now()}})
	bearer := func(key auth.Key) string { return "Bearer " + key.Reveal() }
	const isNoText = "Authorization in the payload is one text: Bearer, a space, and the key"
	tests := []struct {
		name    string
		stage   *stage
		payload map[string]any
		subject string
		code    websocket.StatusCode
		reason  string
	}{
		{"with a key", nobody, object{"Authorization": bearer(key)}, "ci", 0, ""},
		{"with a key under a small letter", nobody, object{"authorization": bearer(key)}, "ci", 0, ""},
		{"with the same key twice", nobody, object{"authorization": bearer(key), "Authorization": bearer(key)}, "ci", 0, ""},
		{"with two", nobody, object{"authorization": bearer(key), "Authorization": bearer(stranger)}, "", 4403, isNoText},
		{"without one", nobody, nil, "", 4401, "this server answers callers that it knows: send Authorization: Bearer, and your key or token"},
		{"with an empty one", nobody, object{"Authorization": nil}, "", 4401, "this server answers callers that it knows: send Authorization: Bearer, and your key or token"},
		{"with a number", nobody, object{"Authorization": 1}, "", 4403, isNoText},
		{"with an unknown one", nobody, object{"Authorization": bearer(stranger)}, "", 4401, "this key is not known"},
		{"with one that has ended", nobody, object{"Authorization": bearer(ended)}, "", 4401, "this key has ended"},
		{"with none besides the request's", named, nil, "ops", 0, ""},
		{"with none besides the request's, which has ended since", late, nil, "", 4403, "the credential of this upgrade has ended: come back with a new one"},
		{"with a good one besides the request's, which has ended since", late, object{"Authorization": bearer(key)}, "ci", 0, ""},
		{"with another than the request's", named, object{"Authorization": bearer(key)}, "ci", 0, ""},
		{"with a wrong one besides the request's", named, object{"Authorization": bearer(stranger)}, "", 4401, "this key is not known"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			conn := test.stage.presenting(t, test.payload)
			if test.code != 0 {
				text, err := readEnd(t, conn)
				if closed, ok := errors.AsType[websocket.CloseError](err); !ok || closed.Code != test.code || closed.Reason != test.reason {
					t.Errorf("it says %s, and ends with %v, want %d %q", text, err, test.code, test.reason)
				}
				return
			}
			hears(t, conn, `"connection_ack"`)
			say(t, conn, `{"id":"1","type":"subscribe","payload":{"query":"{ viewer { subject } }"}}`)
			hears(t, conn, `{"data":{"viewer":{"subject":"`+test.subject+`"}}`)
		})
	}
}

// TestASocketEndsWithItsCallersKey has a key that ends soon, for real.
func TestASocketEndsWithItsCallersKey(t *testing.T) {
	key, end := auth.NewKey(), time.Now().Add(2*time.Second)
	s := newStage(t, plan{viewer: &auth.Viewer{}, callers: auth.NewCallers(auth.Config{Keys: []auth.Caller{{
		Key: key.Hash(), Viewer: auth.Viewer{Subject: "ci", Permissions: auth.Permissions(), Until: end},
	}}})})
	conn := s.presenting(t, object{"Authorization": "Bearer " + key.Reveal()})
	hears(t, conn, `"connection_ack"`)
	say(t, conn, `{"id":"1","type":"subscribe","payload":{"query":"subscription { tokenExpiry { __typename } }"}}`)
	text, err := readEnd(t, conn)
	if closed, ok := errors.AsType[websocket.CloseError](err); !ok || closed.Code != 4403 {
		t.Errorf("it says %s, and ends with %v, want 4403", text, err)
	}
	if time.Now().Before(end) {
		t.Error("it ended before the key")
	}
}

// TestASocketEndsWhenItsCallersKeyIsTakenBack has two callers, of whom one stays.
func TestASocketEndsWhenItsCallersKeyIsTakenBack(t *testing.T) {
	leaked, kept := auth.NewKey(), auth.NewKey()
	stays := auth.Caller{Key: kept.Hash(), Viewer: auth.Viewer{Subject: "ops", Permissions: auth.Permissions()}}
	callers := auth.NewCallers(auth.Config{Keys: []auth.Caller{stays, {
		Key: leaked.Hash(), Viewer: auth.Viewer{Subject: "ci", Permissions: auth.Permissions()},
	}}})
	s := newStage(t, plan{viewer: &auth.Viewer{}, callers: callers})
	open := func(key auth.Key) *websocket.Conn {
		conn := s.presenting(t, object{"Authorization": "Bearer " + key.Reveal()})
		hears(t, conn, `"connection_ack"`)
		say(t, conn, `{"id":"1","type":"subscribe","payload":{"query":"subscription { tokenExpiry { __typename } }"}}`)
		return conn
	}
	ends, goesOn := open(leaked), open(kept)
	callers.Renew([]auth.Caller{stays})
	text, err := readEnd(t, ends)
	if closed, ok := errors.AsType[websocket.CloseError](err); !ok || closed.Code != 4403 {
		t.Errorf("it says %s, and ends with %v, want 4403", text, err)
	}
	text, err = readEnd(t, s.presenting(t, object{"Authorization": "Bearer " + leaked.Reveal()}))
	if closed, ok := errors.AsType[websocket.CloseError](err); !ok || closed.Code != 4401 {
		t.Errorf("who comes back hears %s, and ends with %v, want 4401", text, err)
	}
	say(t, goesOn, `{"id":"2","type":"subscribe","payload":{"query":"{ viewer { subject } }"}}`)
	hears(t, goesOn, `"subject":"ops"`)
}

// TestEventsEndWithTheirCallersKey has a viewer whose credential ends soon, for real.
func TestEventsEndWithTheirCallersKey(t *testing.T) {
	s := newStage(t, plan{viewer: &auth.Viewer{Subject: "ci", Permissions: auth.Permissions(), Until: time.Now().Add(time.Second)}})
	h := s.follow(t, justNames, object{}, "")
	if data, _ := h.next(); !strings.Contains(data, `"UNAUTHENTICATED"`) {
		t.Errorf("it hears %s, want UNAUTHENTICATED", data)
	}
}

// presenting opens a socket, and says who calls.
func (s *stage) presenting(t *testing.T, payload map[string]any) *websocket.Conn {
	t.Helper()
	text, err := json.Marshal(object{"type": "connection_init", "payload": payload})
	if err != nil {
		t.Fatal(err)
	}
	conn := s.dial(t)
	say(t, conn, string(text))
	return conn
}

// readEnd is how a socket ends, and what it says instead if it does not.
func readEnd(t *testing.T, conn *websocket.Conn) (text string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a busy machine's
	defer cancel()
	_, said, err := conn.Read(ctx)
	return string(said), err
}

func hears(t *testing.T, conn *websocket.Conn, want string) {
	t.Helper()
	if got := read(t, conn); !strings.Contains(got, want) {
		t.Errorf("it says %s, want %s", got, want)
	}
}
