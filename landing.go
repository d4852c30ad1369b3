package restflow

import (
	"hash/maphash"
	"sync/atomic"
)

// landings tell a leader that somebody else's flight of its key has landed since
// it looked for the entry. It looked, the other one saved and landed, and only
// then did it come to join: without a second look the handler would run twice.
//
// The table is fixed. A landing that another key has pushed out costs a run too
// many, a hash that two keys share costs a look too many.
type landings struct {
	seed  maphash.Seed
	count atomic.Uint32
	slots [1 << 12]atomic.Uint64 // half of the key's hash, and the landing's number
}

// now is the number of the last landing, to be taken before the entry is looked for.
func (l *landings) now() uint32 { return l.count.Load() }

func (l *landings) add(k *Key) {
	h := maphash.Bytes(l.seed, k.Bytes)
	l.slots[h%uint64(len(l.slots))].Store(h&^(1<<32-1) | uint64(l.count.Add(1)))
}

// since reports whether a flight of k has landed after number n.
func (l *landings) since(k *Key, n uint32) bool {
	h := maphash.Bytes(l.seed, k.Bytes)
	slot := l.slots[h%uint64(len(l.slots))].Load()
	return slot>>32 == h>>32 && int32(uint32(slot)-n) > 0
}
