package restflow

import (
	"context"
	"errors"
	"fmt"

	"github.com/restflow-go/restflow/signals"
)

// funcTarget is a function as rules know it: a keyspace that can also compute
// entries again.
type funcTarget[K, V any] struct {
	*Keyspace
	f *Func[K, V]
}

// Describe tells signals what its rules may name.
func (t *funcTarget[K, V]) Describe() signals.TargetInfo {
	info := t.Keyspace.Describe()
	info.Rewarm, info.RewarmWhy = true, ""
	return info
}

// Rewarm computes the results of keys, *K, one after another. They were dropped
// before, so that one which fails stays a miss.
func (t *funcTarget[K, V]) Rewarm(ctx context.Context, keys []any) error {
	var errs []error
	for i, key := range keys {
		if ctx.Err() != nil {
			errs = append(errs, fmt.Errorf("restflow: %d of %d results were not computed again: %w", len(keys)-i, len(keys), ctx.Err()))
			break
		}
		if err := t.rewarm(ctx, key); err != nil {
			errs = append(errs, fmt.Errorf("restflow: rewarm: %w", err))
		}
	}
	return errors.Join(errs...)
}

// rewarm computes one result. It fails if there is none, or if it was not stored
// but for a predicate.
func (t *funcTarget[K, V]) rewarm(ctx context.Context, key any) error {
	k, ok := key.(*K)
	if !ok || k == nil {
		return fmt.Errorf("got a %T, want a %T that is not nil", key, k)
	}
	o := t.f.refresh(ctx, *k, true)
	if o.err != nil {
		return o.err
	}
	return o.cause
}
