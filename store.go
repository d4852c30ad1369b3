package restflow

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/restflow-go/restflow/internal/hint"
)

// Errors of a Store. With each of them the cache takes no part for now.
var (
	// ErrUnavailable is seen while the breaker holds calls back from a store that
	// failed several times in a row.
	ErrUnavailable = errors.New("restflow: the store is unavailable")
	// ErrPending is seen by lookups in a group whose invalidation has not
	// reached the store yet. It is retried until it does.
	ErrPending = errors.New("restflow: an invalidation is pending")
	// ErrNoEpoch is seen when a store does not keep the epochs it is given.
	ErrNoEpoch = errors.New("restflow: the store did not keep an epoch")
	// ErrUnconfirmed is seen when fewer replicas than RedisConfig.WaitReplicas
	// have confirmed an invalidation. It has taken effect on the master.
	ErrUnconfirmed = errors.New("restflow: too few replicas have confirmed")
	// ErrTooLarge is seen when one entry alone exceeds what a store may hold.
	ErrTooLarge = errors.New("restflow: the entry is larger than the store")
	// ErrBacklog is seen when too many entries are waiting to be saved to accept one
	// more. No request waits for room.
	ErrBacklog = errors.New("restflow: too much is waiting to be saved")
	// ErrClosed is seen after Close.
	ErrClosed = errors.New("restflow: the store is closed")
)

// Store keeps entries and epochs. Make one with NewMemory, NewRedis or NewStore
// and give it to as many caches as you like. It is safe for concurrent use.
//
// Applications hand a Store to their caches and need none of its methods but
// Close and InvalidateTags. The others are the protocol that caches are built on:
//
//  1. Load reads an entry and the epochs of its scopes together. An entry is
//     returned only if it is alive: every epoch it was made under is still current.
//  2. On a miss, Fill makes absent epochs exist, elects one leader for each
//     pair of key and epochs, runs it, and saves its entry under the epochs that
//     were current before it ran.
//  3. Bump replaces the epochs of scopes. Entries and flights that began before it
//     carry the old epochs and can no longer be found. BumpSoft lets entries be
//     found as stale for a while.
type Store struct {
	*core
	timeout time.Duration // zero: none
	windows *windows      // of lookups
}

// core is what all views of a store share.
type core struct {
	backend    backend
	traits     traits
	breaker    *breaker // nil for an in-process store
	repair     *repairer
	flights    flights
	saves      *saver // nil where saves are waited for
	known      knownTable
	memory     *memory // the backend, if it is one
	leases     leaser  // nil without leases
	lease      time.Duration
	clock      clock
	background atomic.Int64 // launches that have not ended
	functions  sync.Map     // claims of functions that named themselves
	refused    hint.Table   // keys of functions whose results may not be stored
	onError    func(op string, err error)
}

// limits is how a store deals with trouble. The zero value is that of a store
// which cannot be down.
type limits struct {
	timeout time.Duration
	onError func(op string, err error)

	syncSaves bool
	lease     time.Duration // zero: none
}

func newStore(b backend, l limits) *Store {
	c := &core{backend: b, traits: b.traits(), onError: l.onError}
	c.flights.init()
	c.refused.Init()
	if m, ok := b.(*memory); ok {
		c.memory, m.known = m, &c.known
		c.known.init(m.knownShare(), m.knownLimit, m.unpin)
	} else {
		c.known.init(sharedKnown, func() int64 { return sharedKnown }, func(*Known) {})
	}
	if c.traits.shared {
		c.breaker = newBreaker(c.traits.kind)
		if !l.syncSaves {
			c.saves = newSaver(&c.flights)
		}
		if c.lease = l.lease; l.lease > 0 {
			c.leases = b.(leaser)
		}
	}
	s := &Store{core: c, timeout: l.timeout, windows: new(windows)}
	c.repair = newRepairer(s)
	return s
}

// WithTimeout returns a view of the store whose calls take at most d. Everything
// else is shared. An in-process store has no use for it and returns itself.
func (s *Store) WithTimeout(d time.Duration) *Store {
	if d <= 0 || !s.traits.shared {
		return s
	}
	return &Store{core: s.core, timeout: d, windows: new(windows)}
}

// Kind names the store: "memory", "redis", or the type of its gocache store.
func (s *Store) Kind() string { return s.traits.kind }

// Decoded reports whether the store keeps entries as they are, so that values of
// functions need no encoding.
func (s *Store) Decoded() bool { return s.traits.decoded }

// Load reads the entry of k, if one is alive, and the epochs of k.Scopes into
// snap. An error means that the cache should take no part in the request: the
// store is in trouble, or an invalidation of one of the scopes is pending.
func (s *Store) Load(ctx context.Context, k *Key, snap *Snapshot) error {
	if s.repair.pending(k.Scopes) {
		return ErrPending
	}
	snap.reset(k)
	snap.landing = s.flights.landings.now()
	if s.memory != nil { // which does not fail
		_ = s.memory.load(ctx, k, snap)
	} else if err := s.loadForeign(ctx, k, snap); err != nil {
		snap.Entry = nil
		return err
	}
	snap.Now = s.clock.now()
	e := snap.Entry
	if e == nil || e.alive(k.Bytes, snap.Epochs()) && len(e.Tags) == 0 {
		return nil
	}
	return s.checkTags(ctx, k, snap)
}

// checkTags drops an entry that is not alive, unless soft bumps have left it, and
// reads the epochs of the tags of one that counts, which take a round trip of their own.
func (s *Store) checkTags(ctx context.Context, k *Key, snap *Snapshot) error {
	e := snap.Entry
	snap.Entry = nil
	alive := e.alive(k.Bytes, snap.Epochs())
	if !alive && !s.spared(k, e, snap) {
		return nil
	}
	if len(e.Tags) > 0 {
		if ok, err := s.tagsStand(ctx, e); err != nil || !ok {
			return err
		}
	}
	if alive {
		snap.Entry = e
	} else {
		snap.Soft = e
	}
	return nil
}

// tagsStand reports whether every epoch of e's tags still stands.
func (s *Store) tagsStand(ctx context.Context, e *Entry) (bool, error) {
	scopes, epochs := make([]Scope, len(e.Tags)), make([]Epoch, len(e.Tags))
	for i, t := range e.Tags {
		scopes[i] = t.Scope
	}
	if s.repair.pending(scopes) {
		return false, ErrPending
	}
	if err := s.Epochs(ctx, scopes, epochs, false); err != nil {
		return false, err
	}
	for i, t := range e.Tags {
		if epochs[i] == 0 || epochs[i] != t.Epoch {
			return false, nil
		}
	}
	return true, nil
}

// Epochs reads the epochs of scopes into dst, zero for absent ones. With ensure
// absent ones are made to exist first.
func (s *Store) Epochs(ctx context.Context, scopes []Scope, dst []Epoch, ensure bool) error {
	return s.call(ctx, "epochs", func(ctx context.Context) error {
		if err := s.backend.read(ctx, scopes, dst); err != nil || !ensure {
			return err
		}
		return s.ensure(ctx, scopes, dst)
	})
}

func (s *Store) ensure(ctx context.Context, scopes []Scope, epochs []Epoch) error {
	if !absent(epochs[:len(scopes)]) {
		return nil
	}
	if err := s.backend.ensure(ctx, scopes, epochs); err != nil {
		return err
	}
	if absent(epochs[:len(scopes)]) {
		return ErrNoEpoch
	}
	return nil
}

func absent(epochs []Epoch) bool {
	return slices.Contains(epochs, 0)
}

// save stores e under k. Its lifetime is that of its stale window.
func (s *Store) save(ctx context.Context, k *Key, e *Entry) error {
	if s.saves == nil && isClosed(s.repair.closed) {
		return ErrClosed
	}
	ttl, over := e.left()
	if over {
		return nil
	}
	return s.call(ctx, "save", func(ctx context.Context) error {
		return s.backend.save(ctx, k, e, ttl)
	})
}

// Bump invalidates groups: once it has returned without an error, no entry made
// by a handler that began earlier is served, here or by any process that shares
// the store. within is the scope of the whole cache they belong to.
//
// It does not end with ctx: committed changes must be propagated. A bump that fails
// returns an error and is retried in the background until it succeeds; until then
// lookups in its scopes return ErrPending in this process.
func (s *Store) Bump(ctx context.Context, within Scope, scopes ...Scope) error {
	if len(scopes) == 0 {
		return nil
	}
	return s.bumped(within, scopes, s.call(context.WithoutCancel(ctx), "bump", func(ctx context.Context) error {
		return s.backend.bump(ctx, scopes)
	}))
}

// bumped queues a bump that has failed.
func (s *Store) bumped(within Scope, scopes []Scope, err error) error {
	if err == nil {
		return nil
	}
	if !s.repair.add(within, scopes) {
		return fmt.Errorf("restflow: invalidation failed and is not retried: %w: %w", ErrClosed, err)
	}
	return fmt.Errorf("restflow: invalidation failed, it is retried until it succeeds: %w", err)
}

// InvalidateTags drops every entry, of any cache on the store, that a handler
// tagged with one of tags. The promises are those of Bump.
func (s *Store) InvalidateTags(ctx context.Context, tags ...string) error {
	if len(tags) == 0 {
		return nil
	}
	scopes := make([]Scope, 0, len(tags)+1)
	for _, t := range tags {
		scopes = append(scopes, TagScope(t))
	}
	return s.Bump(ctx, AnyTag, append(scopes, ManyTags)...)
}

// Delete removes the entry of k and keeps fills of it that are under way in this
// process from being stored. It waits for a save that is being sent, which could
// arrive after it. Unlike Bump it promises nothing about fills in other processes.
func (s *Store) Delete(ctx context.Context, k *Key) error {
	_ = waitFor(ctx, s.flights.forget(k)) // if ctx ends first, they remove what they save
	return s.remove(ctx, k)
}

// remove deletes what is stored under k and leaves flights alone.
func (s *Store) remove(ctx context.Context, k *Key) error {
	return s.call(ctx, "delete", func(ctx context.Context) error {
		return s.backend.remove(ctx, k)
	})
}

// Close stops retries and releases what the store holds. Invalidations that are
// still pending are tried once more; the error says how many were lost. Entries that
// wait to be saved are sent for up to one timeout of the store, at least a second; the
// rest is dropped. From then on no save begins, and what fails to be invalidated is not
// retried: the error says so and is an ErrClosed. Close the bus before it, whose rules
// need the store, and the Redis client after it.
func (s *Store) Close() error {
	err := s.repair.close()
	if s.saves != nil {
		s.saves.close(max(s.timeout, time.Second))
	}
	return errors.Join(err, s.backend.close())
}

// call runs one call of the backend with the timeout, through the breaker.
func (s *Store) call(ctx context.Context, op string, f func(context.Context) error) error {
	switch {
	case s.memory != nil: // which calls nobody else's code
		return f(ctx)
	case !s.traits.shared:
		return sound(ctx, f)
	}
	err := s.guarded(ctx, f)
	if err == nil {
		return nil
	}
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	s.tell(op, err)
	return fmt.Errorf("restflow: %s: %s: %w", s.traits.kind, op, err)
}

// tell calls OnError. A panic of it ends here: it is no reason for a request to fail,
// nor, where saves and retries run, for the process to end.
func (s *Store) tell(op string, err error) {
	if s.onError == nil {
		return
	}
	defer func() { _ = recover() }()
	s.onError(op, err)
}

// guarded asks the breaker and tells it what came of the call.
func (s *Store) guarded(ctx context.Context, f func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.breaker.do(func() error {
		if l, ok := ctx.(lookup); ok {
			return sound(l, f)
		}
		began := time.Now()
		within, cancel := context.WithTimeout(ctx, s.timeout)
		defer cancel()
		err := sound(within, f)
		// A caller with a short deadline says something about the store only
		// if it left the store a fair part of the time that it may take.
		if err != nil && ctx.Err() != nil && time.Since(began) < s.timeout/4 {
			err = hurried{err}
		}
		return err
	})
}

// sound calls the backend, and makes an error of a panic: adapters and hooks of clients
// are the code of others. It is no reason for a request to fail, an invalidation has to be
// retried all the same, and in the background no request is there to recover it.
func sound(ctx context.Context, f func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("restflow: panic in the store: %v\n%s", p, debug.Stack())
		}
	}()
	return f(ctx)
}
