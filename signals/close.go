package signals

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// Close ends the bus: it refuses further changes, waits for calls that are under way, sends
// waiting batches, and closes dispatchers that have a Close method, which drains pools. When ctx
// ends first it returns an error for each thing that is not done; that goes on by itself. It may
// be called often.
func (b *Bus) Close(ctx context.Context) error {
	b.calls.shut()
	var errs []error
	if n := b.calls.wait(ctx); n > 0 {
		errs = append(errs, fmt.Errorf("signals: close: %d calls under way: %w", n, context.Cause(ctx)))
	}
	if err := b.flush(ctx); err != nil {
		errs = append(errs, err)
	}
	for _, c := range b.closers() {
		errs = append(errs, c.Close(ctx))
	}
	return errors.Join(errs...)
}

// flush sends all waiting batches.
func (b *Bus) flush(ctx context.Context) error {
	var batchers []*batcher
	for _, l := range b.registry.Load().lanes {
		if l.batcher != nil {
			batchers = append(batchers, l.batcher)
		}
	}
	if batchers == nil {
		return nil
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, x := range batchers {
			x.close()
		}
	}()
	if !await(ctx, done) {
		return fmt.Errorf("signals: close: batches under way: %w", context.Cause(ctx))
	}
	return nil
}

// closers are the different dispatchers that can be closed.
func (b *Bus) closers() []closer {
	found := slices.Clone(b.registry.Load().closers)
	found = addCloser(found, b.config.Dispatcher)
	for _, d := range b.config.Dispatchers {
		found = addCloser(found, d)
	}
	return found
}

func addCloser(known []closer, d Dispatcher) []closer {
	c, ok := d.(closer)
	if !ok || reflect.TypeOf(d).Comparable() && slices.Contains(known, c) {
		return known
	}
	return append(known, c)
}
