package restflow

import (
	"context"
	"sync"
	"time"
)

// leaderContext lets a leader's run outlive the leader's client for the sake of
// those who wait for it.
type leaderContext struct {
	mu      sync.Mutex
	parent  context.Context
	cancel  context.CancelCauseFunc
	alone   bool // nobody else will get the response
	timeout *time.Timer
}

// Context returns the context for the leader's run. It has the values of parent,
// but outlives it while others wait for the flight: it ends when parent has ended
// and nobody waits (any more), at the latest limit after parent's end. Call stop
// when the run has ended.
func (f *Flight) Context(parent context.Context, limit time.Duration) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(f.within(parent)))
	l := &f.leader
	l.mu.Lock()
	l.parent, l.cancel = parent, cancel
	l.mu.Unlock()
	unhook := context.AfterFunc(parent, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.alone || f.waiters.Load() == 0 {
			cancel(context.Cause(parent))
			return
		}
		l.timeout = time.AfterFunc(limit, func() { cancel(context.DeadlineExceeded) })
	})
	return ctx, func() {
		unhook()
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.timeout != nil {
			l.timeout.Stop()
		}
		cancel(context.Canceled)
	}
}

// Over tells why the run came to its end too early, if it did: ctx, which Context
// returned, has ended, or is about to since the leader's client has gone and
// nobody waits.
func (f *Flight) Over(ctx context.Context) error {
	f.leader.mu.Lock()
	defer f.leader.mu.Unlock()
	if parent := f.leader.parent; ctx.Err() == nil && parent != nil && parent.Err() != nil && f.waiters.Load() == 0 {
		return context.Cause(parent)
	}
	return context.Cause(ctx)
}

// Alone says that nobody but the leader's client will get the response, for
// example since it is being streamed, maybe for hours. From now on the run ends
// with its client, those who wait run for themselves, and nobody joins.
func (f *Flight) Alone() {
	f.leader.mu.Lock()
	defer f.leader.mu.Unlock()
	if !f.leader.alone {
		f.leader.alone = true
		close(f.apart)
		f.lease.leave(true)
	}
	f.leader.endIfOver()
}

// leave is called by a waiter that goes. The last one ends the run of a leader
// whose client has gone.
func (f *Flight) leave() {
	if f.waiters.Add(-1) > 0 {
		return
	}
	f.leader.mu.Lock()
	defer f.leader.mu.Unlock()
	f.leader.endIfOver()
}

// endIfOver ends the run if the leader's client has gone. l.mu is held.
func (l *leaderContext) endIfOver() {
	if l.cancel != nil && l.parent.Err() != nil {
		l.cancel(context.Cause(l.parent))
	}
}
