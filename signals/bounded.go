package signals

import (
	"context"
	"sync"
	"time"
)

// bounded is a context with a timeout that costs a timer only if somebody waits for it: most
// targets only ask for the deadline, and a commit should not pay for more. Its parent lends values
// and must never end by itself.
type bounded struct {
	context.Context
	deadline time.Time

	mu    sync.Mutex // protects what follows
	err   error
	done  chan struct{} // made by the first Done
	timer *time.Timer
}

func newBounded(values context.Context, start time.Time, timeout time.Duration) *bounded {
	return &bounded{Context: values, deadline: start.Add(timeout)}
}

func (b *bounded) Deadline() (time.Time, bool) { return b.deadline, true }

func (b *bounded) Done() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done == nil {
		b.done = make(chan struct{})
		if b.err != nil {
			close(b.done)
			return b.done
		}
		b.timer = time.AfterFunc(time.Until(b.deadline), func() { b.end(context.DeadlineExceeded) })
	}
	return b.done
}

// Err looks at the clock, so that a deadline counts whether or not a timer runs.
func (b *bounded) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil && !time.Now().Before(b.deadline) {
		b.endLocked(context.DeadlineExceeded)
	}
	return b.err
}

// end ends the context for good. Whoever made it calls it with context.Canceled when the work is
// done.
func (b *bounded) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.endLocked(err)
}

func (b *bounded) endLocked(err error) {
	if b.err != nil {
		return
	}
	b.err = err
	if b.done != nil {
		b.timer.Stop()
		close(b.done)
	}
}
