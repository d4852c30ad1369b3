// Package hint remembers for a short while which keys had answers that may not be
// stored, so that those who ask for them do not queue up behind each other for
// nothing.
package hint

import (
	"hash/maphash"
	"sync/atomic"
	"time"
)

// Table holds the hints of any number of keys in a fixed amount of memory: keys
// that share a slot push each other out. It is safe for concurrent use.
type Table struct {
	seed  maphash.Seed
	slots [1 << 12]atomic.Pointer[hint]
}

type hint struct {
	hash  uint64
	until time.Time
}

// Life is how long an answer that could not be stored is remembered.
const Life = 2 * time.Second

// Init prepares the table. It comes before all else.
func (t *Table) Init() { t.seed = maphash.MakeSeed() }

// Has reports whether the last answer for key, if it was lately, could not be stored.
func (t *Table) Has(key []byte) bool {
	hash := maphash.Bytes(t.seed, key)
	slot := t.slots[hash%uint64(len(t.slots))].Load()
	return slot != nil && slot.hash == hash && time.Now().Before(slot.until)
}

// Set notes what the last answer for key was.
func (t *Table) Set(key []byte, uncacheable bool) {
	hash := maphash.Bytes(t.seed, key)
	slot := &t.slots[hash%uint64(len(t.slots))]
	if uncacheable {
		slot.Store(&hint{hash, time.Now().Add(Life)})
		return
	}
	if old := slot.Load(); old != nil && old.hash == hash {
		slot.CompareAndSwap(old, nil)
	}
}
