package graph

import (
	"context"
	"errors"

	"regtok/auth"
	"regtok/graph/transport"
)

// atEnd watches the credential of a request, or of a socket.
func atEnd(ctx context.Context, do func()) (stop func()) { return auth.FromContext(ctx).AtEnd(do) }

// admission admits callers to sockets: by the credential in the payload of connection_init, which pages can send, else by
// that of the upgrade. nil: whoever reaches this server.
func admission(callers *auth.Callers) func(context.Context, map[string]any) (context.Context, error) {
	if callers == nil {
		return nil
	}
	return func(ctx context.Context, payload map[string]any) (context.Context, error) {
		authorization, given, err := presented(payload)
		if err != nil {
			return ctx, err
		}
		if viewer := auth.FromContext(ctx); !given && viewer.Subject != "" {
			if viewer.Ended() { // since the upgrade; nothing may be asked until the socket hears of it
				return ctx, &transport.Refusal{Reason: "the credential of this upgrade has ended: come back with a new one"}
			}
			return ctx, nil
		}
		viewer, err := callers.Admit(ctx, authorization)
		if err != nil {
			return ctx, unadmitted(err)
		}
		return auth.NewContext(ctx, viewer), nil
	}
}

// presented is the credential of a payload.
func presented(payload map[string]any) (authorization string, given bool, err error) {
	for _, name := range []string{"Authorization", "authorization"} {
		value, there := payload[name]
		if !there || value == nil {
			continue
		}
		text, ok := value.(string)
		if !ok || given && text != authorization {
			return "", false, &transport.Refusal{Reason: "Authorization in the payload is one text: Bearer, a space, and the key"}
		}
		authorization, given = text, true
	}
	return authorization, given, nil
}

// unadmitted is how a socket ends whose caller was not admitted.
func unadmitted(err error) error {
	refused, ok := errors.AsType[*auth.Error](err)
	if !ok {
		panic("graph: callers are refused with *auth.Error")
	}
	if refused.Reason == auth.Unavailable {
		return &transport.Refusal{Later: true, Reason: refused.Message}
	}
	return &transport.Refusal{Unauthorized: true, Reason: refused.Message}
}
