package restflow

import (
	"context"
	"time"
)

// A backend is what differs between kinds of store: how entries and epochs are
// kept. All methods are safe for concurrent use. Errors mean that the store is
// in trouble; an absent entry or epoch is none.
type backend interface {
	// load reads the entry of k and the epochs of k.Scopes, together if it
	// can, into s. What it finds need not be alive. An unreadable value is
	// reported in s.Fault and taken for absent.
	load(ctx context.Context, k *Key, s *Snapshot) error
	// read reads the epochs of scopes into dst, zero for absent.
	read(ctx context.Context, scopes []Scope, dst []Epoch) error
	// ensure makes the scopes whose epoch is zero exist and fills in what
	// stands then, its own fresh epoch or one that somebody else made.
	ensure(ctx context.Context, scopes []Scope, epochs []Epoch) error
	// save stores e under k for ttl, zero meaning no expiry.
	save(ctx context.Context, k *Key, e *Entry, ttl time.Duration) error
	// bump replaces or removes the epochs of scopes. An error may be a partial one.
	bump(ctx context.Context, scopes []Scope) error
	// bumpSoft replaces the epochs of scopes, and keeps those that stood before
	// with the end of their window, in Unix nanoseconds, as predecessors. Where it
	// cannot keep one it is bump.
	bumpSoft(ctx context.Context, scopes []Scope, until int64) error
	// predecessors completes s, whose entry is not alive, with those of its
	// epochs, unless load has.
	predecessors(scopes []Scope, s *Snapshot)
	// remove deletes the entry of k. It is no error when there is none.
	remove(ctx context.Context, k *Key) error
	// index notes in k what each load of its key would work out again.
	index(k *Known)
	// traits tells what the store is.
	traits() traits
	close() error
}

// traits is what a Store needs to know of its backend.
type traits struct {
	kind    string // for errors and events
	shared  bool   // other processes use it too; it can be down
	decoded bool   // entries are kept as they are, values of functions too

	heedless bool // while it waits, it heeds the deadline of a context, but not a cancellation
}

// Snapshot is the result of a Load: the entry, if one is alive, and the epochs
// that stood when it was read.
type Snapshot struct {
	// Entry is alive under Epochs, or nil.
	Entry *Entry
	// Soft is an entry that soft invalidations have left, and nil where Entry is
	// not: each of its epochs stands, or was replaced last by a BumpSoft whose
	// window has not ended. It may answer as Stale, and before SoftUntil only.
	// Whoever does not know of it misses.
	Soft      *Entry
	SoftUntil int64
	// Now is when the entry was read, in Unix nanoseconds.
	Now int64
	// Fault is why a stored value could not be read, if one could not. It is
	// taken for absent.
	Fault error

	epochs  [MaxScopes]Epoch
	before  [MaxScopes]predecessor // set where spared asks for it
	scopes  int
	landing uint32 // see landings
}

// Epochs returns the epochs of the key's scopes, zero for those absent.
func (s *Snapshot) Epochs() []Epoch { return s.epochs[:s.scopes] }

// found is the result of a lookup that found e alive: its epochs stand.
func (s *Snapshot) found(e *Entry, now int64) {
	s.Entry, s.Soft, s.Fault, s.Now = e, nil, nil, now
	s.scopes = copy(s.epochs[:], e.Epochs)
}

func (s *Snapshot) reset(k *Key) {
	s.Entry, s.Soft, s.Fault = nil, nil, nil
	s.scopes = len(k.Scopes)
	clear(s.epochs[:])
}
