package restflow

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"weak"
)

// ErrNoCache is seen by Wipe and WipeAll when this process has no cache with the
// key struct. Other processes may have: the invalidation belongs there.
var ErrNoCache = errors.New("restflow: no cache in this process has the key struct")

// Wipe calls Invalidate on every cache of this process whose key struct is K, response
// caches and functions alike, on any store and under any namespace: it drops the entries
// that agree with k in the named partition fields; without names, in all of them.
// Caches whose store was closed do not count.
//
//	restflow.Wipe(ctx, UserKey{PK: 42}, "pk") // the page of user 42 and what it is made of
//
// Each cache is tried; the error joins all failures. It is ErrNoCache if there is no
// cache, so that a wipe that reached nothing is noticed.
func Wipe[K any](ctx context.Context, k K, names ...string) error {
	return wipe(ctx, reflect.TypeFor[K](), func(s *Keyspace) (Scope, error) { return s.Scope(&k, names...) })
}

// WipeAll calls InvalidateAll on every cache of this process whose key struct is K.
// Errors are as those of Wipe.
func WipeAll[K any](ctx context.Context) error {
	return wipe(ctx, reflect.TypeFor[K](), func(s *Keyspace) (Scope, error) { return s.all, nil })
}

func wipe(ctx context.Context, key reflect.Type, scope func(*Keyspace) (Scope, error)) error {
	found := keyspaces.of(key)
	if len(found) == 0 {
		return fmt.Errorf("%w %s", ErrNoCache, key)
	}
	type group struct {
		store *core
		scope Scope
	}
	done := make(map[group]bool)
	var errs []error
	for _, s := range found {
		sc, err := scope(s)
		g := group{s.Store.core, sc}
		if err == nil && !done[g] {
			done[g] = true // of caches that share a namespace, one is enough
			err = s.Store.Bump(ctx, s.all, sc)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// keyspaces are those of the caches in this process. They are held weakly: a
// cache that nobody has any more answers nobody, and drops out by itself.
var keyspaces keyspaceRegister

type keyspaceRegister struct {
	mu    sync.Mutex
	byKey map[reflect.Type]map[weak.Pointer[Keyspace]]struct{}
}

func (r *keyspaceRegister) add(s *Keyspace) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key, ref := s.Plan.Type(), weak.Make(s)
	if r.byKey == nil {
		r.byKey = make(map[reflect.Type]map[weak.Pointer[Keyspace]]struct{})
	}
	if r.byKey[key] == nil {
		r.byKey[key] = make(map[weak.Pointer[Keyspace]]struct{})
	}
	r.byKey[key][ref] = struct{}{}
	runtime.AddCleanup(s, func(ref weak.Pointer[Keyspace]) { r.remove(key, ref) }, ref)
}

func (r *keyspaceRegister) remove(key reflect.Type, ref weak.Pointer[Keyspace]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byKey[key], ref)
	if len(r.byKey[key]) == 0 {
		delete(r.byKey, key)
	}
}

func (r *keyspaceRegister) of(key reflect.Type) []*Keyspace {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []*Keyspace
	for ref := range r.byKey[key] {
		if s := ref.Value(); s != nil && !isClosed(s.Store.repair.closed) {
			found = append(found, s)
		}
	}
	return found
}
