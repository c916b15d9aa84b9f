package graph_test

import (
	"testing"

	"regtok/activity"
	"regtok/providers"
)

// recall enters what the operations in testdata/activity are told: four things that were done to tokens of two providers.
// One of the tokens is gone.
func (w *world) recall(t testing.TB) {
	t.Helper()
	made, changed, turned, dropped := deed(ionosToken, 0), deed(buildkiteToken, 1), deed(ionosToken, 2), deed(ionosToken, 3)
	made.Kind, made.Changed = activity.Created, nil
	changed.Actor, changed.Changed = "deploy", []providers.TokenField{providers.FieldExpiry, providers.FieldEnabled}
	next := turned.Subject.Token.OfRegistry().TokenID("00000000-0000-4000-8000-000000000000")
	turned.Kind, turned.Changed, turned.RotatedTo = activity.Rotated, nil, next
	dropped.Kind, dropped.Changed, dropped.Actor, dropped.Subject.Token = activity.Deleted, nil, "", next
	w.did(t, made, changed, turned, dropped)
}
