package restflow

import (
	"crypto/rand"
	"encoding/binary"
	"sync/atomic"
)

// newEpoch draws a fresh epoch. The operating system's generator is asked each
// time, so that a process image restored twice does not repeat itself; bumps are
// rare enough to pay for it.
func newEpoch() Epoch {
	var b [8]byte
	for {
		_, _ = rand.Read(b[:]) // never fails: it ends the process instead
		if e := Epoch(binary.LittleEndian.Uint64(b[:])); e != 0 {
			return e
		}
	}
}

// Slots of the striped table. Whole caches have a part of their own: sharing a
// slot with a busy value would empty a cache over and over.
const (
	coarseSlots       = 1 << 10
	defaultEpochSlots = 1 << 17
	maxEpochSlots     = 1 << 28
)

// epochTable keeps the epochs of an in-process store: a fixed table of slots
// which scopes share by their hash. Two scopes in one slot are bumped together,
// which costs misses only. No slot is ever absent, so a table has no eviction,
// and its memory is fixed: 8 bytes a slot.
type epochTable struct {
	slots  []atomic.Uint64
	coarse [coarseSlots]atomic.Uint64
	mask   uint64
	soft   softTable // asked only about entries that are not alive
}

// newEpochTable returns a table of at least n slots for the scopes of values.
func newEpochTable(n int) *epochTable {
	size := 1
	for size < n {
		size <<= 1
	}
	t := &epochTable{slots: make([]atomic.Uint64, size), mask: uint64(size - 1)}
	seed(t.slots)
	seed(t.coarse[:])
	return t
}

// seed gives every slot its first epoch. The generator is asked for many at once.
func seed(slots []atomic.Uint64) {
	var b [8 << 10]byte
	for i := range slots {
		at := i * 8 % len(b)
		if at == 0 {
			_, _ = rand.Read(b[:]) // never fails
		}
		slots[i].Store(max(1, binary.LittleEndian.Uint64(b[at:]))) // zero means absent
	}
}

func (t *epochTable) slot(s Scope) *atomic.Uint64 {
	if s&coarse != 0 {
		return &t.coarse[uint64(s)&(coarseSlots-1)]
	}
	return &t.slots[uint64(s)&t.mask]
}

func (t *epochTable) read(scopes []Scope, dst []Epoch) {
	for i, s := range scopes {
		dst[i] = Epoch(t.slot(s).Load())
	}
}

func (t *epochTable) bump(scopes []Scope) {
	for _, s := range scopes {
		t.slot(s).Store(uint64(newEpoch()))
	}
}
