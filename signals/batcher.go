package signals

import (
	"context"
	"sync"
	"time"
)

const defaultBatchSize = 1000

// batcher lets the work of one lane wait.
type batcher struct {
	bus  *Bus
	lane *lane

	sending sync.Mutex // held while a batch is dispatched, so that close can wait for it

	mu      sync.Mutex // protects what follows
	pending *work      // nil when nothing waits
	timer   *time.Timer
	closed  bool // nothing waits any more: work that still comes is sent at once
}

func newBatcher(b *Bus, l *lane) *batcher { return &batcher{bus: b, lane: l} }

// add merges work into the batch. The first starts the clock; the one that fills the batch sends
// it, on its own goroutine.
func (b *batcher) add(w *work) {
	if b.merge(w) {
		b.flush()
	}
}

func (b *batcher) merge(w *work) (full bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pending == nil {
		b.pending = new(work)
		b.pending.start(b.lane, b.bus.config.MaxGroups)
		b.timer = time.AfterFunc(b.lane.batch.Delay, b.flush)
	}
	b.pending.merge(w)
	g := &b.pending.groups
	return b.closed || g.all || len(g.groups) >= min(b.lane.batch.Size, g.limit)
}

// flush sends what waits. The work of several writers has no writer's context.
func (b *batcher) flush() {
	b.sending.Lock()
	defer b.sending.Unlock()
	w := b.take()
	if w == nil {
		return
	}
	_ = b.lane.dispatch(context.Background(), b.bus, w.job(b.bus)) // has been reported
}

func (b *batcher) take() *work {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.pending
	b.pending = nil
	if b.timer != nil {
		b.timer.Stop()
	}
	return w
}

// close sends what waits and returns when no batch is being sent.
func (b *batcher) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.flush()
}
