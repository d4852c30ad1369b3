package httpcache

import (
	"hash/maphash"
	"sync/atomic"
	"time"
)

// hints remember for a short while which keys had answers that may not be stored,
// so that requests for them do not queue up behind each other for nothing. The
// table is fixed; keys that share a slot push each other out.
type hints struct {
	seed  maphash.Seed
	slots [1 << 12]atomic.Pointer[hint]
}

type hint struct {
	hash  uint64
	until time.Time
}

// hintLife is how long an answer that could not be stored is remembered.
const hintLife = 2 * time.Second

func (h *hints) init() { h.seed = maphash.MakeSeed() }

func (h *hints) has(key []byte) bool {
	hash := maphash.Bytes(h.seed, key)
	slot := h.slots[hash%uint64(len(h.slots))].Load()
	return slot != nil && slot.hash == hash && time.Now().Before(slot.until)
}

func (h *hints) set(key []byte, uncacheable bool) {
	hash := maphash.Bytes(h.seed, key)
	slot := &h.slots[hash%uint64(len(h.slots))]
	if uncacheable {
		slot.Store(&hint{hash, time.Now().Add(hintLife)})
		return
	}
	if old := slot.Load(); old != nil && old.hash == hash {
		slot.CompareAndSwap(old, nil)
	}
}
