package restflow

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/restflow-go/restflow/internal/lifetime"
	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/tagkey"
)

// Func is a cached function: its result for a K answers later calls with an equal K.
// The key struct K is its argument list. Every exported field counts; `restflow:"-"`
// leaves a field out. The tags of tagkey say more, above all which fields are the
// partition, by which results can be invalidated.
//
//	type ReportKey struct {
//		Team  int64 `restflow:"arg,team,partition"`
//		Month time.Time
//	}
//
// K may also be a scalar such as int64, or the key struct of a response cache: if both
// share a store, the page and the function behind it are then dropped together.
//
// Errors are never cached. Concurrent calls with one key run the function once;
// if that run fails or its result is not stored, each of the others runs the
// function for itself. If it fails because its caller's context has ended, one
// of the others takes over and the rest keep waiting. So a call ends with its own
// context and nobody else's. When the store is in trouble the function runs.
//
// It has these methods of the embedded Space:
//
//	Invalidate(ctx, k, names...)   drops the results that agree with k in partition fields
//	InvalidateAll(ctx)             drops every result of the namespace
//	InvalidateTags(ctx, tags...)   drops tagged entries, in all caches of the store
//	Plan()                         returns the compiled key struct, which prints itself
//	Store()                        returns the store
//
// Make one with NewFunc. All methods are safe for concurrent use.
type Func[K, V any] struct {
	Space[K]

	cfg      FuncConfig[V]
	fn       func(context.Context, K) (V, error)
	store    *Store
	lifetime lifetime.Lifetime
	results  results[V]
	identity identity
	target   *funcTarget[K, V]
	calls    sync.Pool // of *call[K]
}

// NewFunc returns a cached form of fn. All mistakes in K's tags and in the config are
// reported at once. fn may use nothing of ctx but its deadline and values that are in
// the key: its result answers callers with other contexts.
func NewFunc[K, V any](cfg FuncConfig[V], fn func(ctx context.Context, k K) (V, error)) (*Func[K, V], error) {
	f := &Func[K, V]{cfg: cfg, fn: fn}
	plan, err := tagkey.CompileArgs(reflect.TypeFor[K]())
	if err = errors.Join(err, f.cfg.check(&f.lifetime), checkRules(cfg.InvalidatesOn, reflect.TypeFor[K]())); fn == nil {
		err = errors.Join(err, errors.New("restflow: NewFunc: the function is nil; give the one whose results are cached"))
	}
	if err != nil {
		return nil, err
	}
	if cfg.Namespace != "" {
		plan = plan.WithNamespace(cfg.Namespace)
	}
	if f.results, err = newResults(&f.cfg); err != nil {
		return nil, err
	}
	f.store = cfg.Store.WithTimeout(cfg.StoreTimeout)
	f.identity, err = identify(fn, cfg.Name, f.results.codec.Name(), reflect.TypeFor[V](), f.store, plan)
	if err != nil {
		return nil, err
	}
	f.Space = NewSpace[K](NewKeyspace(f.store, plan))
	f.target = &funcTarget[K, V]{f.keyspace, f}
	f.calls.New = func() any { return new(call[K]) }
	if len(cfg.InvalidatesOn) > 0 {
		if err := cfg.Bus.Bind(f.target, cfg.InvalidatesOn...); err != nil {
			f.identity.release(f.store)
			return nil, err
		}
	}
	return f, nil
}

// MustNewFunc is NewFunc for package variables and main: it panics on an error.
func MustNewFunc[K, V any](cfg FuncConfig[V], fn func(ctx context.Context, k K) (V, error)) *Func[K, V] {
	f, err := NewFunc(cfg, fn)
	if err != nil {
		panic(err)
	}
	return f
}

// checkRules says early what signals would say of its fields.
func checkRules(rules []signals.Rule, key reflect.Type) error {
	if len(rules) > 0 && key.Kind() != reflect.Struct {
		return fmt.Errorf("restflow: FuncConfig.InvalidatesOn: rules fill fields of a key struct, and %s has none; use a struct with a field of that type", key)
	}
	return nil
}

// Call returns the result for k: the cached one, or else the function's, which is
// then cached. The error is the function's, or that of ctx if it ended while waiting
// for another call's run.
//
// Without Clone, in-memory results are shared by all callers: do not change what
// their slices, maps and pointers hold.
func (f *Func[K, V]) Call(ctx context.Context, k K) (V, error) {
	v, _, err := f.CallWithMetadata(ctx, k)
	return v, err
}

// CallWithMetadata is Call and also returns where the result came from: Hit, Miss, or
// Bypass when the cache could take no part. For a miss, CachedAt is zero if the
// result was not stored.
func (f *Func[K, V]) CallWithMetadata(ctx context.Context, k K) (V, Metadata, error) {
	c, err := f.open(k)
	if err != nil {
		return f.plain(ctx, k, nil, Bypass, "the key cannot be built", err).unwrap()
	}
	defer f.close(c)
	if err := f.store.Load(ctx, &c.key, &c.snap); err != nil {
		return f.plain(ctx, k, c, Bypass, troubled, err).unwrap()
	}
	if v, m, ok := f.hit(ctx, c); ok {
		return v, m, nil
	}
	return f.miss(ctx, k, c).unwrap()
}

// Target is the function as the rules of a signals.Bus know it. It can rewarm.
func (f *Func[K, V]) Target() signals.Target { return f.target }
