package cache

import "github.com/maypok86/otter/v2"

// near is the tier in the process: items of all views in one otter cache, so that they share one bound in bytes.
// Its keys are hashes: a hit then allocates nothing, and whoever reads compares the item's whole key.
// Items are judged by their readers, so what is too old stays until room is needed; that costs no goroutine.
type near struct {
	items *otter.Cache[uint64, nearItem]
}

// nearItem is an *item of whichever view.
type nearItem interface {
	weight() uint32
	// supersedes tells that other, which has the same hash, must not take its place.
	supersedes(other nearItem) bool
}

func newNear(bytes int64) *near {
	return &near{items: otter.Must(&otter.Options[uint64, nearItem]{
		MaximumWeight: uint64(bytes),
		Weigher:       func(_ uint64, it nearItem) uint32 { return it.weight() },
		// Evicting is quick, and done by whoever reads or writes: no goroutine outlives the cache.
		Executor: func(task func()) { task() },
	})}
}

func (n *near) get(hash uint64) nearItem {
	it, _ := n.items.GetIfPresent(hash)
	return it
}

// put keeps it unless something newer of the same key is there already.
func (n *near) put(hash uint64, it nearItem) {
	n.items.Compute(hash, func(old nearItem, found bool) (nearItem, otter.ComputeOp) {
		if found && old.supersedes(it) {
			return nil, otter.CancelOp
		}
		return it, otter.WriteOp
	})
}

// drop removes it, and nothing that took its place.
func (n *near) drop(hash uint64, it nearItem) {
	n.items.Compute(hash, func(old nearItem, found bool) (nearItem, otter.ComputeOp) {
		if found && old == it {
			return nil, otter.InvalidateOp
		}
		return nil, otter.CancelOp
	})
}
