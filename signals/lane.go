package signals

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
)

// lane is the way of work to one target: rules that agree in target, dispatcher and batch share
// it, and the bus sends one job a commit along it.
type lane struct {
	target *target
	via    via
	batch  Batch

	keyNames []string // all fields of the key, to tell rewarmed keys apart
	batcher  *batcher // nil without batching
}

// via is a rule's dispatcher, resolved.
type via struct {
	dispatcher Dispatcher
	origin     string // "default", "name …", or empty for a dispatcher that the rule brought along
}

// same reports whether two rules mean one dispatcher. Functions cannot be compared: they are the
// same only by origin.
func (v via) same(o via) bool {
	if v.origin != "" && v.origin == o.origin {
		return true
	}
	return reflect.TypeOf(v.dispatcher).Comparable() && reflect.TypeOf(o.dispatcher).Comparable() && v.dispatcher == o.dispatcher
}

// String is "inline", "pool", a dispatcher's own String, or its type.
func (v via) String() string {
	if s, ok := v.dispatcher.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", v.dispatcher)
}

// send runs or queues work. The error is that of the drop, if it ran here.
func (l *lane) send(ctx context.Context, b *Bus, w *work) error {
	if l.batcher != nil {
		l.batcher.add(w)
		return nil
	}
	return l.dispatch(ctx, b, w.job(b))
}

// dispatch falls back to this goroutine when the dispatcher does not take the job.
func (l *lane) dispatch(ctx context.Context, b *Bus, j Job) error {
	if l.via.dispatcher == Inline {
		return b.run(ctx, l.target, &j)
	}
	j.ran = new(atomic.Bool)
	err := guard(func() error { return l.via.dispatcher.Dispatch(ctx, j) })
	if err == nil {
		return nil
	}
	if _, known := errors.AsType[*WorkError](err); !known { // else Run has reported it
		_ = b.report(ctx, j.failed(StageDispatch, err))
	}
	if j.ran.Load() {
		return err
	}
	return b.run(ctx, l.target, &j)
}
