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
	b.shut()
	var errs []error
	if err := b.awaitCalls(ctx); err != nil {
		errs = append(errs, err)
	}
	if err := b.flush(ctx); err != nil {
		errs = append(errs, err)
	}
	for _, c := range b.closers() {
		errs = append(errs, c.Close(ctx))
	}
	return errors.Join(errs...)
}

func (b *Bus) shut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed && b.inflight == 0 {
		close(b.idle)
	}
	b.closed = true
}

func (b *Bus) awaitCalls(ctx context.Context) error {
	select {
	case <-b.idle:
		return nil
	case <-ctx.Done():
		b.mu.Lock()
		defer b.mu.Unlock()
		return fmt.Errorf("signals: close: %d calls under way: %w", b.inflight, context.Cause(ctx))
	}
}

// flush sends all waiting batches.
func (b *Bus) flush(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, l := range b.registry.Load().lanes {
			if l.batcher != nil {
				l.batcher.close()
			}
		}
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("signals: close: batches under way: %w", context.Cause(ctx))
	}
}

// closers are the different dispatchers that can be closed.
func (b *Bus) closers() []closer {
	dispatchers := []Dispatcher{b.config.Dispatcher}
	for _, d := range b.config.Dispatchers {
		dispatchers = append(dispatchers, d)
	}
	for _, l := range b.registry.Load().lanes {
		dispatchers = append(dispatchers, l.via.dispatcher)
	}
	var found []closer
	for _, d := range dispatchers {
		c, ok := d.(closer)
		if ok && !(reflect.TypeOf(d).Comparable() && slices.Contains(found, c)) {
			found = append(found, c)
		}
	}
	return found
}
