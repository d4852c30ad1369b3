package restflow

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/eko/gocache/lib/v4/store"

	"github.com/restflow-go/restflow/internal/lifetime"
)

// StoreKind says who else uses a gocache store.
type StoreKind uint8

const (
	// InProcess stores (go-cache, ristretto, bigcache, ...) live in this process.
	// Epochs are kept beside them in a table, since they may drop what they hold.
	InProcess StoreKind = iota + 1
	// Shared stores (Redis, memcached, ...) are used by several processes.
	// Epochs are kept in them.
	Shared
)

// StoreConfig configures NewStore.
type StoreConfig struct {
	// Kind says where epochs live. Required.
	Kind StoreKind
	// Prefix begins every key in the store. Default "restflow:".
	Prefix string
	// EpochTTL is how long an epoch lives in a Shared store. When it expires,
	// the entries of its group become misses, so it also bounds the life of
	// entries. Memcached takes more than 30 days for a date, and keeps nothing.
	// Default 30 days.
	EpochTTL time.Duration
	// Compress is the size in bytes from which bodies are compressed (S2).
	// Default 0: never.
	Compress int
	// Timeout bounds each call of a Shared store. Default 250 ms.
	Timeout time.Duration
	// SyncSaves is as in RedisConfig, for a Shared store. With an InProcess one,
	// responses always wait for the save, which costs next to nothing.
	SyncSaves bool
	// EpochSlots is as in MemoryConfig, for an InProcess store.
	EpochSlots int
	// OnError is called for every failed call of a Shared store; while
	// invalidations are retried, once for each round of retries that failed. It
	// may be called concurrently. Default: none.
	OnError func(op string, err error)
}

const (
	defaultPrefix   = "restflow:"
	defaultEpochTTL = 30 * 24 * time.Hour
	defaultTimeout  = 250 * time.Millisecond
)

// NewStore returns a store over any gocache store. The store must keep values of
// type []byte, and return them as []byte or string. Lookups in a Shared store take a
// call for the entry and one for each epoch; prefer NewRedis for Redis.
//
// It returns an error if s is nil, if Kind is not set, or if a field of cfg is out of
// range. It does not call the store.
func NewStore(s store.StoreInterface, cfg StoreConfig) (*Store, error) {
	var errs []error
	if isNil(s) {
		errs = append(errs, errors.New("restflow: NewStore: the store is nil; give a gocache store, or use NewMemory"))
	}
	if cfg.Kind != InProcess && cfg.Kind != Shared {
		errs = append(errs, errors.New("restflow: StoreConfig.Kind is not set; say InProcess if only this process uses the store, or Shared"))
	}
	shape := sharedShape{cfg.Prefix, cfg.EpochTTL, cfg.Compress, cfg.Timeout}
	errs = append(errs, checkSlots("StoreConfig", &cfg.EpochSlots), shape.normalize("StoreConfig"))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	g := &gocache{store: s, shape: shape}
	for i := range g.making {
		g.making[i] = make(chan struct{}, 1)
	}
	if cfg.Kind == InProcess {
		g.table = newEpochTable(cfg.EpochSlots)
		return newStore(g, limits{onError: cfg.OnError}), nil
	}
	return newStore(g, limits{timeout: shape.timeout, syncSaves: cfg.SyncSaves, onError: cfg.OnError}), nil
}

// isNil reports whether v is nil, or holds a nil pointer, which a caller who
// ignored a constructor's error has in hand.
func isNil(v any) bool {
	r := reflect.ValueOf(v)
	return v == nil || r.Kind() == reflect.Pointer && r.IsNil()
}

// sharedShape is what all stores of encoded entries have in common.
type sharedShape struct {
	prefix   string
	epochTTL time.Duration
	compress int
	timeout  time.Duration
}

func (s *sharedShape) normalize(config string) error {
	var errs []error
	for _, d := range []struct {
		name string
		v    *time.Duration
		def  time.Duration
	}{{"EpochTTL", &s.epochTTL, defaultEpochTTL}, {"Timeout", &s.timeout, defaultTimeout}} {
		errs = append(errs, lifetime.Check("restflow: "+config+"."+d.name, *d.v, d.def.String()))
		if *d.v == 0 {
			*d.v = d.def
		}
	}
	if s.compress < 0 {
		errs = append(errs, fmt.Errorf("restflow: %s.Compress: %d is negative; give a number of bytes, or 0 for never", config, s.compress))
	}
	if strings.ContainsAny(s.prefix, "{}*?[]\\ \r\n") {
		errs = append(errs, fmt.Errorf("restflow: %s.Prefix: %q holds a brace, a glob character or white space; use letters, digits and colons", config, s.prefix))
	}
	if s.prefix == "" {
		s.prefix = defaultPrefix
	}
	return errors.Join(errs...)
}

// entryHashLen is the length of the hash that ends an entry's name.
const entryHashLen = 22

// entryKey names the entry of k in the store: readable up to its version, then
// 128 bits of the SHA-256 of the full key. Entries carry the full key, so that
// two keys with one name could only take turns.
func (s *sharedShape) entryKey(k *Key) string {
	sum := sha256.Sum256(k.Bytes)
	b := make([]byte, 0, len(s.prefix)+len("e::")+len(k.Space)+entryHashLen)
	b = append(b, s.prefix...)
	b = append(b, "e:"...)
	b = append(b, k.Space...)
	b = append(b, ':')
	return string(base64.RawURLEncoding.AppendEncode(b, sum[:16]))
}

// epochKey names the epoch of a scope in the store.
func (s *sharedShape) epochKey(sc Scope) string {
	const digits = "0123456789abcdef"
	b := make([]byte, 0, len(s.prefix)+18)
	b = append(b, s.prefix...)
	b = append(b, "s:"...)
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, digits[sc>>shift&15])
	}
	return string(b)
}

// gocache is the backend over any gocache store.
type gocache struct {
	store store.StoreInterface
	shape sharedShape
	table *epochTable // nil for a Shared store

	// making lets one goroutine at a time make the epoch of a scope. A store
	// without set-if-absent would otherwise let those who miss together make one
	// each, and all but one of them would fill in vain.
	making [64]chan struct{}
}

func (g *gocache) traits() traits {
	return traits{kind: g.store.GetType(), shared: g.table == nil}
}

// get reads one value, nil for absent. The adapters of some in-process stores
// return errors of their own for absent values; such a store cannot be down, so
// that there every error means absent.
func (g *gocache) get(ctx context.Context, key string) ([]byte, error) {
	v, err := g.store.Get(ctx, key)
	if err != nil {
		if g.table != nil || errors.Is(err, store.NotFound{}) {
			return nil, nil
		}
		return nil, err
	}
	switch v := v.(type) {
	case []byte:
		return v, nil
	case string:
		return []byte(v), nil
	}
	return []byte{}, nil // a foreign value: unreadable, not absent
}

// index has nothing to note.
func (g *gocache) index(*Known) {}

func (g *gocache) load(ctx context.Context, k *Key, s *Snapshot) error {
	if err := g.read(ctx, k.Scopes, s.epochs[:]); err != nil {
		return err
	}
	raw, err := g.get(ctx, g.shape.entryKey(k))
	if raw == nil || err != nil {
		return err
	}
	s.Entry, s.Fault = decodeEntry(raw)
	if s.Fault != nil {
		s.Entry = nil
	}
	return nil
}

func (g *gocache) read(ctx context.Context, scopes []Scope, dst []Epoch) error {
	if g.table != nil {
		g.table.read(scopes, dst)
		return nil
	}
	for i, sc := range scopes {
		var err error
		if dst[i], err = g.epoch(ctx, sc); err != nil {
			return err
		}
	}
	return nil
}

// ensure needs no atomic set-if-absent: every epoch is unique, so that of two
// that are set at once one is lost, and what was made under it is a miss.
func (g *gocache) ensure(ctx context.Context, scopes []Scope, epochs []Epoch) error {
	if g.table != nil {
		return nil
	}
	for i, sc := range scopes {
		if epochs[i] != 0 {
			continue
		}
		var err error
		if epochs[i], err = g.makeEpoch(ctx, sc); err != nil {
			return err
		}
	}
	return nil
}

// makeEpoch returns the epoch that another goroutine has made meanwhile, or
// sets one and returns what stands then.
func (g *gocache) makeEpoch(ctx context.Context, sc Scope) (Epoch, error) {
	turn := g.making[uint64(sc)%uint64(len(g.making))]
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	e, err := g.epoch(ctx, sc)
	for range 4 { // a bump may come between the two
		if e != 0 || err != nil {
			break
		}
		if err := g.setEpoch(ctx, sc, newEpoch()); err != nil {
			return 0, err
		}
		e, err = g.epoch(ctx, sc)
	}
	return e, err
}

// epoch reads the epoch of one scope, zero for absent.
func (g *gocache) epoch(ctx context.Context, sc Scope) (Epoch, error) {
	raw, err := g.get(ctx, g.shape.epochKey(sc))
	return parseEpoch(raw), err
}

func (g *gocache) setEpoch(ctx context.Context, sc Scope, e Epoch) error {
	raw := binary.LittleEndian.AppendUint64(nil, uint64(e))
	return g.store.Set(ctx, g.shape.epochKey(sc), raw, store.WithExpiration(g.shape.epochTTL))
}

func (g *gocache) save(ctx context.Context, k *Key, e *Entry, ttl time.Duration) error {
	if ttl == 0 || g.table == nil && ttl > g.shape.epochTTL {
		ttl = g.shape.epochTTL // an entry cannot outlive its epochs
	}
	raw := appendEntry(nil, e, g.shape.compress)
	return g.store.Set(ctx, g.shape.entryKey(k), raw, store.WithExpiration(ttl), store.WithCost(int64(len(raw))))
}

// bump deletes the epochs, or replaces them where the store cannot delete (some
// report a deletion of what is absent as an error). Deleting comes first since
// it is harmless when it arrives late or twice.
func (g *gocache) bump(ctx context.Context, scopes []Scope) error {
	if g.table != nil {
		g.table.bump(scopes)
		return nil
	}
	errs := make([]error, len(scopes))
	for i, sc := range scopes {
		if g.store.Delete(ctx, g.shape.epochKey(sc)) != nil {
			errs[i] = g.setEpoch(ctx, sc, newEpoch())
		}
	}
	return partly(errs)
}

// bumpSoft is a hard bump in a Shared store, where nothing can read and replace a
// value in one step.
func (g *gocache) bumpSoft(ctx context.Context, scopes []Scope, until int64) error {
	if g.table != nil {
		g.table.bumpSoft(scopes, until)
		return nil
	}
	return g.bump(ctx, scopes)
}

func (g *gocache) predecessors(scopes []Scope, s *Snapshot) {
	if g.table != nil {
		g.table.predecessors(scopes, s)
	}
}

func (g *gocache) remove(ctx context.Context, k *Key) error {
	name := g.shape.entryKey(k)
	err := g.store.Delete(ctx, name)
	if err == nil {
		return nil
	}
	if raw, gerr := g.get(ctx, name); gerr == nil && raw == nil {
		return nil // it was not there
	}
	return err
}

func (g *gocache) close() error { return nil }
