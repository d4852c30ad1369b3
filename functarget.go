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
			return errors.Join(append(errs, fmt.Errorf("restflow: %d of %d results were not computed again: %w", len(keys)-i, len(keys), ctx.Err()))...)
		}
		k, ok := key.(*K)
		if !ok || k == nil {
			errs = append(errs, fmt.Errorf("restflow: rewarm: got a %T, want a %T", key, k))
			continue
		}
		if o := t.f.refresh(ctx, *k); o.err != nil || o.cause != nil {
			errs = append(errs, fmt.Errorf("restflow: rewarm: %w", errors.Join(o.err, o.cause)))
		}
	}
	return errors.Join(errs...)
}
