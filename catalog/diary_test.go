package catalog

import (
	"context"
	"maps"
	"sync"
	"time"

	"regtok/ledger"
	"regtok/providers"
)

// diary is a ledger in memory that calls itself durable, counts what it is asked, and fails as a test says.
type diary struct {
	*ledger.Memory
	fragile bool

	mu    sync.Mutex
	fail  func(op string) error
	asked map[string]int
	calls []ledger.Call // that were settled
	// promised are the deletions that are not done.
	promised map[providers.ID]time.Time
}

var _ ledger.Ledger = (*diary)(nil)

func newDiary() *diary {
	return &diary{Memory: ledger.NewMemory(), asked: map[string]int{}, promised: map[providers.ID]time.Time{}}
}

// failing makes one of the calls fail; the empty op: all of them. A nil error mends it.
func (d *diary) failing(op string, err error) {
	d.behave(func(asked string) error {
		if op == "" || op == asked {
			return err
		}
		return nil
	})
}

func (d *diary) behave(fail func(op string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = fail
}

// questions is what was asked since the last call.
func (d *diary) questions() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	asked := maps.Clone(d.asked)
	clear(d.asked)
	return asked
}

func (d *diary) ask(op string) error {
	d.mu.Lock()
	d.asked[op]++
	fail := d.fail
	d.mu.Unlock()
	if fail == nil {
		return nil
	}
	return fail(op)
}

func (d *diary) Durable() bool { return !d.fragile }

func (d *diary) Claim(ctx context.Context, key ledger.Key, call ledger.Call) (ledger.Call, bool, error) {
	if err := d.ask("claim"); err != nil {
		return ledger.Call{}, false, err
	}
	return d.Memory.Claim(ctx, key, call)
}

func (d *diary) Settle(ctx context.Context, key ledger.Key, call ledger.Call) error {
	if err := d.ask("settle"); err != nil {
		return err
	}
	d.mu.Lock()
	d.calls = append(d.calls, call)
	d.mu.Unlock()
	return d.Memory.Settle(ctx, key, call)
}

func (d *diary) Release(ctx context.Context, key ledger.Key) error {
	if err := d.ask("release"); err != nil {
		return err
	}
	return d.Memory.Release(ctx, key)
}

func (d *diary) Lock(ctx context.Context, token providers.ID) (func(), error) {
	if err := d.ask("lock"); err != nil {
		return nil, err
	}
	return d.Memory.Lock(ctx, token)
}

func (d *diary) BeginRotation(ctx context.Context, rotation ledger.Rotation) (ledger.Rotation, bool, error) {
	if err := d.ask("begin"); err != nil {
		return ledger.Rotation{}, false, err
	}
	return d.Memory.BeginRotation(ctx, rotation)
}

func (d *diary) FinishRotation(ctx context.Context, rotation ledger.Rotation) error {
	if err := d.ask("finish"); err != nil {
		return err
	}
	return d.Memory.FinishRotation(ctx, rotation)
}

func (d *diary) AbandonRotation(ctx context.Context, old providers.ID) error {
	if err := d.ask("abandon"); err != nil {
		return err
	}
	return d.Memory.AbandonRotation(ctx, old)
}

func (d *diary) Successors(ctx context.Context, olds []providers.ID) ([]providers.ID, error) {
	if err := d.ask("successors"); err != nil {
		return nil, err
	}
	return d.Memory.Successors(ctx, olds)
}

func (d *diary) Predecessors(ctx context.Context, news []providers.ID) ([]providers.ID, error) {
	if err := d.ask("predecessors"); err != nil {
		return nil, err
	}
	return d.Memory.Predecessors(ctx, news)
}

func (d *diary) Schedule(ctx context.Context, deletion ledger.Deletion) error {
	if err := d.ask("schedule"); err != nil {
		return err
	}
	d.mu.Lock()
	d.promised[deletion.Token] = deletion.At
	d.mu.Unlock()
	return d.Memory.Schedule(ctx, deletion)
}

func (d *diary) Unschedule(ctx context.Context, token providers.ID) error {
	if err := d.ask("unschedule"); err != nil {
		return err
	}
	d.mu.Lock()
	delete(d.promised, token)
	d.mu.Unlock()
	return d.Memory.Unschedule(ctx, token)
}

func (d *diary) TakeDue(ctx context.Context, now time.Time, limit int, lease time.Duration) ([]ledger.Deletion, time.Time, error) {
	if err := d.ask("take"); err != nil {
		return nil, time.Time{}, err
	}
	return d.Memory.TakeDue(ctx, now, limit, lease)
}

// deletions is what is promised, whenever it is due.
func (d *diary) deletions() map[providers.ID]time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.promised)
}
