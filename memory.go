package restflow

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// MemoryConfig configures NewMemory. The zero value is ready for use.
type MemoryConfig struct {
	// MaxBytes bounds the memory of the entries, by estimate: bodies, headers,
	// keys and bookkeeping. At least an eighth of it, up to 1 GiB, is reserved for a
	// table that maps raw request data straight to entries. No entry may have more
	// than 4 GiB. Entries that have expired or were
	// invalidated stay until the room is needed; those least likely to be used
	// again go first (W-TinyLFU). Default 64 MiB.
	MaxBytes int64
	// EpochSlots is how many slots the epochs of values share, rounded up to a
	// power of two, 8 bytes each. More partitions than slots cost some extra
	// misses when one of them is invalidated. Default 131,072 (1 MiB).
	EpochSlots int
}

func (c *MemoryConfig) normalize() error {
	var errs []error
	if c.MaxBytes < 0 {
		errs = append(errs, fmt.Errorf("restflow: MemoryConfig.MaxBytes: %d is negative; give a number of bytes, or 0 for 64 MiB", c.MaxBytes))
	}
	errs = append(errs, checkSlots("MemoryConfig", &c.EpochSlots))
	if c.MaxBytes == 0 {
		c.MaxBytes = 64 << 20
	}
	return errors.Join(errs...)
}

// checkSlots checks the EpochSlots of a config and fills in the default.
func checkSlots(config string, n *int) error {
	if *n < 0 || *n > maxEpochSlots {
		return fmt.Errorf("restflow: %s.EpochSlots: %d is not within 0 and %d; 0 means %d", config, *n, maxEpochSlots, defaultEpochSlots)
	}
	if *n == 0 {
		*n = defaultEpochSlots
	}
	return nil
}

// NewMemory returns a store inside this process: entries in an otter cache,
// bounded by bytes and kept decoded, epochs in a fixed striped table. Other
// processes see neither its entries nor its invalidations; use NewRedis if a service
// has several. It keeps no goroutine and no clock running, so it can be used in a
// bubble of testing/synctest. Close empties it.
//
// It returns an error if a field of cfg is out of range: a negative MaxBytes, or
// EpochSlots that are negative or too many.
func NewMemory(cfg MemoryConfig) (*Store, error) {
	if err := cfg.normalize(); err != nil {
		return nil, err
	}
	m := &memory{
		seed: maphash.MakeSeed(), table: newEpochTable(cfg.EpochSlots),
		total: cfg.MaxBytes, max: cfg.MaxBytes - min(cfg.MaxBytes/8, maxKnownShare),
	}
	// Otter is not told when entries expire: it would read the clock once more on
	// each hit and tick in the background, to free early what is bounded anyway.
	cache, err := otter.New(&otter.Options[uint64, *Entry]{
		MaximumWeight:    uint64(m.max),
		Weigher:          func(_ uint64, e *Entry) uint32 { return uint32(e.weight) }, // see save
		OnAtomicDeletion: func(d otter.DeletionEvent[uint64, *Entry]) { m.leave(d.Value) },
	})
	if err != nil {
		return nil, fmt.Errorf("restflow: NewMemory: %w", err)
	}
	m.cache = cache
	return newStore(m, limits{}), nil
}

// memory keeps entries under a hash of their key, seeded in each process so
// that nobody can aim two keys at one slot. Entries carry their full key: a
// collision is a miss.
type memory struct {
	cache *otter.Cache[uint64, *Entry]
	table *epochTable
	seed  maphash.Seed
	known *knownTable
	total int64 // MaxBytes
	max   int64 // for entries

	closed atomic.Bool
	held   atomic.Int64 // bytes of the entries in the cache
	pins   sync.Mutex   // Entry.homes and cached once it is there, Known.dropped, and changes of Known.entry
}

// maxKnownShare bounds the places for known keys, which are made at once: four
// million of them, in 64 MiB.
const maxKnownShare = 1 << 30

// knownShare is what is left to known keys by a store full of entries, and
// knownLimit by one that holds what it does now.
func (m *memory) knownShare() int64 { return m.total - m.max }
func (m *memory) knownLimit() int64 { return m.total - min(m.held.Load(), m.max) }

func (m *memory) traits() traits { return traits{kind: "memory", decoded: true} }

// hash is where the entry of k is kept.
func (m *memory) hash(k *Key) uint64 {
	if k.hash != 0 {
		return k.hash
	}
	return maphash.Bytes(m.seed, k.Bytes)
}

func (m *memory) index(k *Known) {
	k.Key.hash = m.hash(&k.Key)
	if len(k.Key.Scopes) > len(k.slots) {
		return
	}
	for i, sc := range k.Key.Scopes {
		k.slots[i] = m.table.slot(sc)
	}
}

// maxHomes is how many keys may lead to one entry. Requests that differ in what
// their key ignores have one key, and there may be any number of them.
const maxHomes = 16

// pin lets k lead to e, which was found under it, until one of them leaves the store:
// what the store does not count must not be kept by what it does. An entry with tags
// is looked at anew each time.
func (m *memory) pin(k *Known, e *Entry) {
	if len(e.Tags) > 0 || len(e.Epochs) > len(k.slots) || atomic.LoadUint32(&e.crowded) != 0 {
		return
	}
	m.pins.Lock()
	defer m.pins.Unlock()
	switch {
	case !e.cached || k.dropped || k.entry.Load() == e:
	case len(e.homes) == maxHomes:
		atomic.StoreUint32(&e.crowded, 1)
	default:
		k.release()
		e.homes = append(e.homes, k)
		k.entry.Store(e)
	}
}

// unpin ends what pin began, for good: k has left the table of known keys.
func (m *memory) unpin(k *Known) {
	m.pins.Lock()
	defer m.pins.Unlock()
	k.dropped = true
	k.release()
}

func (k *Known) release() {
	if e := k.entry.Swap(nil); e != nil {
		e.homes = slices.DeleteFunc(e.homes, func(home *Known) bool { return home == k })
		atomic.StoreUint32(&e.crowded, 0)
	}
}

// enter comes before the entry is put into the cache, since leave may come at once.
// Nobody else has it yet.
func (m *memory) enter(e *Entry, size int) {
	m.held.Add(int64(size))
	e.weight, e.cached = size, true
}

// leave is told of each entry that leaves the cache, before it has left.
func (m *memory) leave(e *Entry) {
	m.held.Add(-int64(e.weight))
	m.pins.Lock()
	defer m.pins.Unlock()
	e.cached = false
	for _, k := range e.homes {
		k.entry.Store(nil)
	}
	e.homes = nil
}

// touch tells the eviction policy of a lookup that went past it, once the store is
// half full: before, nothing goes that it would have to choose.
func (m *memory) touch(k *Known) {
	if m.held.Load() > m.max/2 {
		m.cache.GetIfPresent(k.Key.hash)
	}
}

func (m *memory) load(_ context.Context, k *Key, s *Snapshot) error {
	m.table.read(k.Scopes, s.epochs[:])
	s.Entry, _ = m.cache.GetIfPresent(m.hash(k))
	return nil
}

func (m *memory) read(_ context.Context, scopes []Scope, dst []Epoch) error {
	m.table.read(scopes, dst)
	return nil
}

// ensure has nothing to do: every slot of the table has an epoch.
func (m *memory) ensure(context.Context, []Scope, []Epoch) error { return nil }

func (m *memory) save(_ context.Context, k *Key, e *Entry, _ time.Duration) error {
	size := e.size()
	if int64(size) > min(m.max, math.MaxUint32) {
		return ErrTooLarge // it would push everything else out and itself after it
	}
	m.enter(e, size)
	m.cache.Set(m.hash(k), e)
	if m.closed.Load() { // since the store looked, and perhaps after all was dropped
		m.cache.Invalidate(m.hash(k))
		return ErrClosed
	}
	m.known.makeRoom(0)
	return nil
}

func (m *memory) bump(_ context.Context, scopes []Scope) error {
	m.table.bump(scopes)
	return nil
}

func (m *memory) bumpSoft(_ context.Context, scopes []Scope, until int64) error {
	m.table.bumpSoft(scopes, until)
	return nil
}

func (m *memory) predecessors(scopes []Scope, s *Snapshot) { m.table.predecessors(scopes, s) }

func (m *memory) remove(_ context.Context, k *Key) error {
	m.cache.Invalidate(m.hash(k))
	return nil
}

func (m *memory) close() error {
	m.closed.Store(true)
	m.cache.InvalidateAll()
	m.cache.StopAllGoroutines()
	return nil
}
