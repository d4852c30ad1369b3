package consistency_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/eko/gocache/lib/v4/store"

	"github.com/restflow-go/restflow"
)

// shared is what all nodes keep their entries and epochs in: a store that can
// lose any key at any moment, beside the real ones that the store's own tests use.
type shared struct {
	mu     sync.Mutex
	items  map[string]item
	memory *restflow.Store // in place of the items, if not nil
}

type item struct {
	value   []byte
	expires time.Time
}

// names lists what is stored, in a fixed order.
func (s *shared) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.items))
}

func (s *shared) evict(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.items, name)
}

var errDown = errors.New("the store is down")

// view is a node's connection to what is shared. It can be cut, and take its time
// to save entries.
type view struct {
	*shared
	mutation
	hold func() <-chan struct{} // what a save waits for, if slow
	slow bool
	down bool
}

// setting is what the nodes of a world have in common.
type setting struct {
	name  string
	proto protocol
	open  func(*view) *restflow.Store
	mutation
}

// soft reports whether windows are kept.
func (s setting) soft() bool { return !strings.HasSuffix(s.name, "responses") && s.name != "store" }

// mutation is what is broken on purpose in the store that nodes share.
type mutation struct {
	absentValid bool // an absent epoch reads as some fixed one
	endless     bool // the windows of soft bumps do not end
	generations bool // a second soft bump keeps what stood before the first
}

// overGocache opens a store where soft bumps are hard.
func overGocache(v *view) *restflow.Store {
	s, err := restflow.NewStore(v, restflow.StoreConfig{Kind: restflow.Shared})
	return must(s, err)
}

// inMemory opens one store for all nodes, which loses nothing.
func inMemory(v *view) *restflow.Store {
	if v.memory == nil {
		s, err := restflow.NewMemory(restflow.MemoryConfig{EpochSlots: 1 << 10})
		v.memory = must(s, err)
	}
	return v.memory
}

func must(s *restflow.Store, err error) *restflow.Store {
	if err != nil {
		panic(err)
	}
	return s
}

func (v *view) Get(_ context.Context, key any) (any, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.down {
		return nil, errDown
	}
	it, ok := v.items[key.(string)]
	if ok && time.Now().Before(it.expires) {
		return bytes.Clone(it.value), nil
	}
	if v.absentValid && bytes.HasPrefix([]byte(key.(string)), []byte("restflow:s:")) {
		return []byte("constant"), nil
	}
	return nil, store.NotFoundWithCause(errors.New("not there"))
}

func (v *view) Set(ctx context.Context, key, value any, options ...store.Option) error {
	name, it := key.(string), item{bytes.Clone(value.([]byte)), time.Now().Add(store.ApplyOptions(options...).Expiration)}
	if !v.isSlow() || !strings.HasPrefix(name, "restflow:e:") {
		return v.put(name, it)
	}
	done, gate := make(chan error, 1), v.hold()
	go func() { // it arrives also if nobody waits for it any more
		<-gate
		done <- v.put(name, it)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (v *view) isSlow() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.slow
}

func (v *view) put(name string, it item) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.down {
		return errDown
	}
	v.items[name] = it
	return nil
}

func (v *view) Delete(_ context.Context, key any) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.down {
		return errDown
	}
	delete(v.items, key.(string))
	return nil
}

func (v *view) GetWithTTL(ctx context.Context, key any) (any, time.Duration, error) {
	value, err := v.Get(ctx, key)
	return value, 0, err
}

func (v *view) Invalidate(context.Context, ...store.InvalidateOption) error { return nil }

func (v *view) Clear(context.Context) error { return nil }

func (v *view) GetType() string { return "shared" }
