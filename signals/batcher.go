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

	sending *gate // batches that are being dispatched

	mu      sync.Mutex // protects what follows
	pending *work      // nil when nothing waits
	timer   *time.Timer
}

func newBatcher(b *Bus, l *lane) *batcher { return &batcher{bus: b, lane: l, sending: newGate()} }

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
	return b.sending.closed() || g.all || len(g.groups) >= min(b.lane.batch.Size, g.limit)
}

// flush sends what waits. The work of several writers has no writer's context.
func (b *batcher) flush() {
	w, counted := b.take()
	if counted {
		defer b.sending.leave()
	}
	if w != nil {
		_ = b.lane.dispatch(context.Background(), b.bus, w.job(b.bus)) // has been reported
	}
}

// take also enters the gate, under the lock, lest close should miss a batch that has just been
// taken.
func (b *batcher) take() (w *work, counted bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pending == nil {
		return nil, false
	}
	w, b.pending = b.pending, nil
	b.timer.Stop()
	return w, b.sending.enter()
}

// close sends what waits and returns when no batch is being sent. Work that comes later does not
// wait any more.
func (b *batcher) close() {
	b.flush()
	b.sending.shut()
	b.flush() // what came in between
	b.sending.wait(context.Background())
}
