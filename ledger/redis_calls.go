package ledger

import (
	"context"
	"time"

	"regtok/providers"
)

// Claim implements Ledger.
func (r *Redis) Claim(ctx context.Context, key Key, call Call) (present Call, mine bool, err error) {
	value, err := encode(recordOfCall(call))
	if err != nil {
		return Call{}, false, err
	}
	found, err := r.take(ctx, r.key("call", key.sum()), value, CallsKept)
	switch {
	case err != nil:
		return Call{}, false, err
	case found == "":
		return call, true, nil
	}
	record, err := decode[callRecord](found)
	return record.call(), false, err
}

// Settle implements Ledger.
func (r *Redis) Settle(ctx context.Context, key Key, call Call) error {
	value, err := encode(recordOfCall(call))
	if err != nil {
		return err
	}
	left := milliseconds(time.Until(call.Began.Add(CallsKept)))
	return r.enter(ctx, scripts.settle, []string{r.key("call", key.sum())}, value, left)
}

// Release implements Ledger.
func (r *Redis) Release(ctx context.Context, key Key) error {
	return forget(ctx, r, r.key("call", key.sum()), func(record callRecord) bool { return record.State == Running })
}

// forget removes what is under a key if it is as it has to be.
func forget[T interface{ whole() bool }](ctx context.Context, r *Redis, key string, fits func(T) bool) error {
	values, err := r.read(ctx, key)
	if err != nil || values[0] == "" {
		return err
	}
	record, err := decode[T](values[0])
	if err != nil || !fits(record) {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	return trouble(ctx, scripts.drop.Run(bounded, r.client, []string{key}, values[0]).Err())
}

// BeginRotation implements Ledger.
func (r *Redis) BeginRotation(ctx context.Context, rotation Rotation) (present Rotation, mine bool, err error) {
	value, err := encode(recordOfRotation(rotation))
	if err != nil {
		return Rotation{}, false, err
	}
	found, err := r.take(ctx, r.rotationKey("begun", rotation.Old), value, RotationLease)
	switch {
	case err != nil:
		return Rotation{}, false, err
	case found == "":
		return rotation, true, nil
	}
	record, err := decode[rotationRecord](found)
	return record.rotation(), false, err
}

// FinishRotation implements Ledger.
func (r *Redis) FinishRotation(ctx context.Context, rotation Rotation) error {
	begun, err := encode(recordOfRotation(rotation))
	if err != nil {
		return err
	}
	next, err := encode(tokenRecord{Token: idText(rotation.New)})
	if err != nil {
		return err
	}
	previous, err := encode(tokenRecord{Token: idText(rotation.Old)})
	if err != nil {
		return err
	}
	keys := []string{r.rotationKey("begun", rotation.Old), r.rotationKey("next", rotation.Old), r.rotationKey("previous", rotation.New)}
	overlap, kept := milliseconds(time.Until(rotation.overlapEnds())), milliseconds(time.Until(rotation.keptUntil()))
	return r.enter(ctx, scripts.finish, keys, begun, overlap, next, kept, previous, kept)
}

// AbandonRotation implements Ledger.
func (r *Redis) AbandonRotation(ctx context.Context, old providers.ID) error {
	return forget(ctx, r, r.rotationKey("begun", old), func(record rotationRecord) bool { return record.New.isZero() })
}

// Successors implements Ledger.
func (r *Redis) Successors(ctx context.Context, olds []providers.ID) ([]providers.ID, error) {
	return r.lookUp(ctx, "next", olds)
}

// Predecessors implements Ledger.
func (r *Redis) Predecessors(ctx context.Context, news []providers.ID) ([]providers.ID, error) {
	return r.lookUp(ctx, "previous", news)
}

func (r *Redis) lookUp(ctx context.Context, kind string, ids []providers.ID) ([]providers.ID, error) {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = r.rotationKey(kind, id)
	}
	values, err := r.read(ctx, keys...)
	if err != nil {
		return nil, err
	}
	others := make([]providers.ID, len(ids))
	for i, value := range values {
		if value == "" {
			continue
		}
		record, err := decode[tokenRecord](value)
		if err != nil {
			return nil, err
		}
		others[i] = providers.ID(record.Token)
	}
	return others, nil
}
