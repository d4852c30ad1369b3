package gormsignals

import (
	"context"
	"sync"

	"github.com/restflow-go/restflow/signals"
)

// maxLevels bounds the savepoints that a queue keeps apart. GORM's nested transactions never
// release theirs, so a long transaction may set any number.
const maxLevels = 256

// queue holds the changes of one database transaction, and which of them came after which
// savepoint. The zero value, with a bus, is ready for use.
type queue struct {
	bus *signals.Bus

	mu     sync.Mutex // protects levels
	levels []level    // the transaction itself, then its savepoints, innermost last
}

type level struct {
	name string
	ctx  context.Context // carries tx, so that the next savepoint finds its parent
	tx   *signals.Tx
}

func (q *queue) add(changes ...signals.Change) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.top().tx.Add(changes...)
}

// top returns the innermost level. The first is made when it is needed: most transactions write
// nothing that anybody listens to.
func (q *queue) top() level {
	if len(q.levels) == 0 {
		q.push(context.Background(), "")
	}
	return q.levels[len(q.levels)-1]
}

func (q *queue) push(ctx context.Context, name string) {
	ctx, tx := signals.Begin(ctx, q.bus)
	q.levels = append(q.levels, level{name, ctx, tx})
}

// savepoint opens a level. Beyond maxLevels the innermost one swallows it: rolling back to the
// savepoint then keeps its changes, which is too wide and never too narrow.
func (q *queue) savepoint(name string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if top := q.top(); len(q.levels) <= maxLevels {
		q.push(top.ctx, name)
	}
}

// rollbackTo drops what came after a savepoint. The savepoint itself stays.
func (q *queue) rollbackTo(name string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := q.find(name)
	if i < 0 {
		return // not kept apart, see savepoint
	}
	for ; len(q.levels) > i; q.levels = q.levels[:len(q.levels)-1] {
		q.top().tx.Rollback()
	}
	q.push(q.top().ctx, name)
}

// release forgets a savepoint; its changes belong to what is around it.
func (q *queue) release(name string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := q.find(name); i > 0 {
		q.merge(i)
	}
}

// find returns the innermost savepoint of that name, or -1.
func (q *queue) find(name string) int {
	for i := len(q.levels) - 1; i > 0; i-- {
		if q.levels[i].name == name {
			return i
		}
	}
	return -1
}

// merge hands the changes of level n and those within it to the level around them.
func (q *queue) merge(n int) {
	for ; len(q.levels) > n; q.levels = q.levels[:len(q.levels)-1] {
		// A savepoint's Commit only fails on one that has ended, and levels end here alone.
		_ = q.top().tx.Commit(context.Background())
	}
}

// publish publishes everything and leaves the queue empty.
func (q *queue) publish(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.levels) == 0 {
		return nil
	}
	q.merge(1)
	root := q.levels[0].tx
	q.levels = nil
	if root.Len() == 0 {
		return nil
	}
	return root.Commit(ctx)
}

// drop forgets everything.
func (q *queue) drop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.levels = nil
}
