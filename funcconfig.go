package restflow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/restflow-go/restflow/internal/lifetime"
	"github.com/restflow-go/restflow/signals"
)

// FuncConfig configures NewFunc for a function with results of type V. Only
// Store is required.
type FuncConfig[V any] struct {
	// Store keeps the results. Required.
	Store *Store

	// Name distinguishes functions that share a key struct and a result type: it
	// is part of every key. Functions with the same Name share their results.
	// Default: the Go name of the function; NewFunc then rejects a second function
	// with that name. Function literals have no stable name, so set Name when using
	// a shared store.
	Name string

	// Namespace replaces the key struct's. Caches that share a namespace and a
	// store are invalidated together.
	// Default: the key struct's, by default its package path and name.
	Namespace string

	// TTL is how long a result is served, at least a millisecond. Default 1 hour.
	TTL time.Duration

	// NoExpiration keeps results until they are invalidated or evicted.
	// Excludes TTL.
	NoExpiration bool

	// Jitter is the share of the TTL, from 0 up to but not including 1, by
	// which each entry's is shortened at random, so that results made together
	// do not expire together. Default 0.
	Jitter float64

	// CacheIf stores only results for which it returns true. If it returns an
	// error the result is not stored; the caller gets it anyway. Its context is the
	// call's. Excludes CacheUnless. Default: all are stored.
	CacheIf func(ctx context.Context, v V) (bool, error)

	// CacheUnless keeps results for which it returns true from being stored,
	// and is otherwise like CacheIf.
	CacheUnless func(ctx context.Context, v V) (bool, error)

	// StoreTimeout bounds each call of a shared store.
	// Default: the store's own, 250 ms.
	StoreTimeout time.Duration

	// Codec encodes results for stores that keep bytes: all but NewMemory's,
	// which does not use it. Default JSON.
	Codec Codec

	// Clone copies a result, deep enough that changes to the copy do not reach the
	// original. It is for NewMemory, which keeps results as they are: with it,
	// copies are stored and every caller gets a copy. Without it, all callers get
	// the stored value itself, and nobody may change what its slices, maps and
	// pointers hold. Other stores decode a copy for every caller and do not use it.
	// Default: none.
	Clone func(v V) V

	// Weigh estimates how many bytes of memory a result holds, for the bound
	// of NewMemory. Default: the size of the value and of everything that its
	// exported fields reach, each part once; of a slice or map with more than 64 elements, 64 are
	// measured and extrapolated.
	Weigh func(v V) int

	// InvalidatesOn are the rules by which committed changes on Bus drop or, with
	// Rewarm, renew results. More can be added later with Bus.Bind(f.Target(), …).
	InvalidatesOn []signals.Rule

	// Bus carries the changes. Required with InvalidatesOn.
	Bus *signals.Bus

	// OnEvent is called once for every call, on the caller's goroutine: how it was
	// answered, and why its result was not cached. It is also called for each
	// result that a rule's Rewarm computes, with the status REFRESH, on the
	// goroutine that does so. It may be called concurrently and should return
	// quickly. Default: none.
	OnEvent func(ctx context.Context, ev Event)
}

// check returns the faults that do not depend on the function, all at once, and
// fills in defaults.
func (c *FuncConfig[V]) check(l *lifetime.Lifetime) error {
	*l = lifetime.Lifetime{TTL: c.TTL, NoExpiration: c.NoExpiration, Jitter: c.Jitter}
	errs := l.Normalize("restflow: FuncConfig.")
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("restflow: FuncConfig."+format, args...))
	}
	if c.Store == nil {
		bad("Store is nil; give one made by NewMemory, NewRedis or NewStore")
	}
	if c.CacheIf != nil && c.CacheUnless != nil {
		bad("CacheIf and CacheUnless exclude each other; remove one")
	}
	errs = append(errs, lifetime.Check("restflow: FuncConfig.StoreTimeout", c.StoreTimeout, "the store's own"))
	if len(c.InvalidatesOn) > 0 && c.Bus == nil {
		bad("InvalidatesOn needs a Bus that carries the changes; set Bus")
	}
	if c.Codec != nil && c.Codec.Name() == "" {
		bad("Codec: a %T has no name; return one from Name that no other codec has", c.Codec)
	}
	return errors.Join(errs...)
}
