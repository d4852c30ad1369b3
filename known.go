package restflow

import (
	"bytes"
	"context"
	"hash/maphash"
	"math/bits"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"unsafe"
)

// A Known is a key that was found before, remembered by the texts that it was
// built from, with what each lookup would work out again: the names that the key
// has in Redis, or the very entry and epochs in a memory store. It is safe for
// concurrent use.
type Known struct {
	// What each hit reads stands first and together.

	texts []byte
	// A memory store keeps here what it holds under Key, if anything, and where
	// the epochs of Key.Scopes are.
	entry atomic.Pointer[Entry]
	slots [4]*atomic.Uint64 // keys with more scopes are not led anywhere
	room  [96]byte          // for texts, if they fit

	// Key is what the texts give. It must not be changed.
	Key Key
	// Note is the caller's own, as given to Remember.
	Note bool
	cost int64

	dropped bool // it has left the table; guarded by a memory store
}

// Recall returns the key that was remembered by texts, or nil.
func (s *Store) Recall(texts []byte) *Known {
	b, tag := s.known.at(texts)
	return b.find(tag, texts)
}

// Remember notes that texts give k, under which e was found or saved. It copies texts
// and k. What is remembered is bounded and may be forgotten at any time. It returns
// nil if there is no room.
func (s *Store) Remember(texts []byte, k *Key, e *Entry, note bool) *Known {
	if !s.known.admits(texts) {
		return nil
	}
	known := &Known{Key: Key{Bytes: e.Key, Space: k.Space, Scopes: slices.Clone(k.Scopes)}, Note: note}
	if s.memory == nil {
		known.Key.Bytes = slices.Clone(e.Key) // which would keep all that was read
	}
	known.texts = append(known.room[:0], texts...)
	s.backend.index(known)
	known.cost = known.size()
	if !s.known.add(known) {
		return nil
	}
	return known
}

// Lead lets k lead to e, which was found or saved under it. It is for LoadKnown to
// be quicker, and does nothing but in a memory store.
func (s *Store) Lead(k *Known, e *Entry) {
	if s.memory != nil {
		s.memory.pin(k, e)
	}
}

// LoadKnown is Load for a key that was recalled. In a memory store that holds a
// fresh entry it costs a comparison of epochs.
func (s *Store) LoadKnown(ctx context.Context, k *Known, snap *Snapshot) error {
	if e, now := s.Standing(k); e != nil {
		snap.found(e, now)
		return nil
	}
	err := s.Load(ctx, &k.Key, snap)
	if snap.Entry != nil {
		s.Lead(k, snap.Entry)
	}
	return err
}

// Standing returns the entry that k leads to in a memory store, if it is alive and
// fresh, and when it was found, in Unix nanoseconds.
func (s *Store) Standing(k *Known) (e *Entry, now int64) {
	if e = k.entry.Load(); e == nil {
		return nil, 0
	}
	now = s.clock.now()
	if !e.Fresh(now) {
		return nil, 0
	}
	for i, made := range e.Epochs {
		if Epoch(k.slots[i].Load()) != made {
			return nil, 0
		}
	}
	s.memory.touch(k)
	return e, now
}

// size estimates the bytes that k holds.
func (k *Known) size() int64 {
	n := int(unsafe.Sizeof(*k)) + len(k.Key.Bytes) + 8*len(k.Key.Scopes)
	if len(k.texts) > len(k.room) {
		n += len(k.texts)
	}
	if k.Key.names != nil {
		for _, name := range k.Key.names.all {
			n += len(name) + 4*int(unsafe.Sizeof(name)) // in mget too
		}
	}
	return int64(n)
}

// knownTable holds known keys: a set-associative table of fixed size, bounded by
// bytes besides.
type knownTable struct {
	seed    maphash.Seed
	buckets []knownBucket
	share   int64        // bytes that are left to it in any case
	used    atomic.Int64 // bytes
	limit   func() int64 // of used
	drop    func(*Known)
}

const (
	knownWays  = 4
	usualKnown = 256 // bytes of a known key, for the size of the table
)

// knownBucket fills a cache line. Tags are a part of the hash: keys with another
// one need not be looked at.
type knownBucket struct {
	tags [knownWays]atomic.Uint32
	ways [knownWays]atomic.Pointer[Known]
	last atomic.Uint32 // the tag of whom there was no room for
	_    [8]byte
}

// sharedKnown is how many bytes the known keys of a store may take that does not
// count its own.
const sharedKnown = 4 << 20

// init makes a table with places for the keys that take size bytes. All of them take
// no more than limit says; drop is told of each that goes.
func (t *knownTable) init(size int64, limit func() int64, drop func(*Known)) {
	buckets := max(1, size/(knownWays*usualKnown))
	t.seed, t.share, t.limit, t.drop = maphash.MakeSeed(), size, limit, drop
	t.buckets = make([]knownBucket, 1<<bits.Len64(uint64(buckets-1)))
	t.used.Store(int64(len(t.buckets)) * int64(unsafe.Sizeof(knownBucket{})))
}

// room is how many bytes are left.
func (t *knownTable) room() int64 { return t.limit() - t.used.Load() }

// at returns the bucket of texts and their tag, which is never zero.
func (t *knownTable) at(texts []byte) (b *knownBucket, tag uint32) {
	h := maphash.Bytes(t.seed, texts)
	return &t.buckets[h&uint64(len(t.buckets)-1)], uint32(h>>32) | 1
}

func (b *knownBucket) find(tag uint32, texts []byte) *Known {
	for i := range b.tags {
		if b.tags[i].Load() != tag {
			continue
		}
		if k := b.ways[i].Load(); k != nil && bytes.Equal(k.texts, texts) {
			return k
		}
	}
	return nil
}

// admits reports whether a key gets in. Where there is no room, only one does that
// comes twice in a row, so that more keys than fit do not push each other out. One
// so long that it would cost many others their place never does.
func (t *knownTable) admits(texts []byte) bool {
	if int64(len(texts)) > t.share/32 {
		return false
	}
	b, tag := t.at(texts)
	_, free := b.choose()
	if (!free || t.room() < usualKnown) && b.last.Swap(tag) != tag {
		return false
	}
	return b.find(tag, texts) == nil
}

// add puts k into the table, in the place of others if need be, and reports whether
// there was room.
func (t *knownTable) add(k *Known) bool {
	b, tag := t.at(k.texts)
	way, _ := b.choose()
	t.evict(b, way)
	t.makeRoom(k.cost)
	if t.used.Add(k.cost) > t.limit() || !b.ways[way].CompareAndSwap(nil, k) {
		t.used.Add(-k.cost)
		return false
	}
	b.tags[way].Store(tag)
	return true
}

// makeRoom lets keys go until there is room for n bytes, or none is left.
func (t *knownTable) makeRoom(n int64) {
	if t.room() >= n {
		return
	}
	from := rand.Uint64() //nolint:gosec // not a secret
	all := uint64(len(t.buckets))
	for i := uint64(0); t.room() < n && i < all*knownWays; i++ {
		t.evict(&t.buckets[(from+i/knownWays)&(all-1)], int(i%knownWays))
	}
}

// choose returns the way that is free, or else the one to give up: one that leads
// to no entry, if there is one.
func (b *knownBucket) choose() (way int, free bool) {
	from := rand.IntN(knownWays) //nolint:gosec // not a secret
	way = from
	for i := range knownWays {
		at := (from + i) % knownWays
		k := b.ways[at].Load()
		if k == nil {
			return at, true
		}
		if k.entry.Load() == nil {
			way = at
		}
	}
	return way, false
}

func (t *knownTable) evict(b *knownBucket, way int) {
	if k := b.ways[way].Swap(nil); k != nil {
		t.used.Add(-k.cost)
		t.drop(k)
	}
}
