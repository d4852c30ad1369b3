package gormsignals

import (
	"context"
	"slices"
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

	mu     sync.Mutex      // protects what follows; not held while changes are published
	closed bool            // no commit comes any more
	ctx    context.Context // carries the root's tx, to which all others hand their changes
	levels []level         // the transaction itself, then its savepoints, innermost last
}

type level struct {
	name string // empty once it was released
	tx   *signals.Tx
}

// add reports false for what comes after the transaction has ended, which no commit would publish.
func (q *queue) add(changes ...signals.Change) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.top().tx.Add(changes...)
	return true
}

// end lets nothing in any more. What is there is still to be published or dropped.
func (q *queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

// top returns the innermost level. The first is made when it is needed: most transactions write
// nothing that anybody listens to.
func (q *queue) top() level {
	if len(q.levels) == 0 {
		ctx, tx := signals.Begin(context.Background(), q.bus)
		q.ctx, q.levels = ctx, append(q.levels, level{tx: tx})
	}
	return q.levels[len(q.levels)-1]
}

func (q *queue) push(name string) {
	_, tx := signals.Begin(q.ctx, q.bus)
	q.levels = append(q.levels, level{name, tx})
}

// savepoint opens a level. Beyond maxLevels the outermost one becomes part of the transaction:
// rolling back to it then keeps its changes, which is too wide and never too narrow. It must be the
// outermost, since a name stands for the innermost savepoint that has it.
func (q *queue) savepoint(name string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.top(); len(q.levels) > maxLevels {
		q.settle(1)
	}
	q.push(name)
}

// rollbackTo drops what came after a savepoint. The savepoint itself stays.
func (q *queue) rollbackTo(name string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := q.find(name)
	if i < 0 {
		return // not kept apart, see savepoint
	}
	q.levels = q.levels[:i]
	q.push(name)
}

// release forgets a savepoint and those within it. Their changes go where those of the level around
// them go: they are handed to the transaction now, or dropped with that level.
func (q *queue) release(name string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := q.find(name)
	if i < 0 {
		return
	}
	for j := i; j < len(q.levels); j++ {
		q.levels[j].name = ""
	}
	q.levels = append(q.levels[:i], slices.DeleteFunc(q.levels[i:], func(l level) bool { return l.tx.Len() == 0 })...)
	if i == 1 {
		q.settle(len(q.levels) - 1)
	}
}

// find returns the innermost savepoint of that name, or -1.
func (q *queue) find(name string) int {
	for i := len(q.levels) - 1; i > 0; i-- {
		if q.levels[i].name == name && name != "" {
			return i
		}
	}
	return -1
}

// settle hands the changes of the n outermost savepoints to the transaction.
func (q *queue) settle(n int) {
	for _, l := range q.levels[1 : n+1] {
		// A savepoint's Commit only fails on one that has ended, and levels end here alone.
		_ = l.tx.Commit(context.Background())
	}
	q.levels = slices.Delete(q.levels, 1, n+1)
}

// publish publishes everything and leaves the queue empty. A listener may then publish through the same
// transaction.
func (q *queue) publish(ctx context.Context) error {
	root := q.take()
	if root == nil || root.Len() == 0 {
		return nil
	}
	return root.Commit(ctx)
}

// take empties the queue and returns what holds all of it; nil if there is nothing.
func (q *queue) take() *signals.Tx {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.levels) == 0 {
		return nil
	}
	q.settle(len(q.levels) - 1)
	root := q.levels[0].tx
	q.levels = nil
	return root
}

// drop forgets everything.
func (q *queue) drop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.levels = nil
}
