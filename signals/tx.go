package signals

import (
	"context"
	"reflect"
	"slices"
	"sync"
)

// Tx queues the changes of one database transaction until it commits. It is safe for concurrent
// use, though the transactions that it accompanies seldom are.
//
// Its memory is bounded: past BusConfig.MaxQueued changes of one model, they are replaced by one
// Bulk change of that model.
type Tx struct {
	bus    *Bus
	parent *Tx // the transaction that this one is a savepoint of
	outer  *Tx // the Tx that the context held before, of whatever bus

	mu      sync.Mutex // protects what follows; a child's is never held while a parent's is taken
	state   txState
	changes []Change
	queued  map[reflect.Type]int // changes by model; collapsed when the model has become one Bulk change
}

type txState uint8

const (
	txOpen txState = iota
	txCommitted
	txRolledBack
)

const collapsed = -1

type txKey struct{}

// Begin starts a queue and returns a context that carries it. If ctx already carries an open
// one of the same bus, the new one is a savepoint of it: its Commit hands its changes to the outer
// one, its Rollback drops only its own.
//
//	ctx, tx := signals.Begin(ctx, bus)
//	defer tx.Rollback()
//	… write, and signals.Publish(ctx, bus, change) …
//	if err := sqlTx.Commit(); err != nil { return err }
//	return tx.Commit(ctx)
func Begin(ctx context.Context, b *Bus) (context.Context, *Tx) {
	tx := &Tx{bus: b, outer: FromContext(ctx)}
	tx.parent = tx.outer.of(b)
	return context.WithValue(ctx, txKey{}, tx), tx
}

// FromContext returns the innermost Tx that ctx carries, or nil.
func FromContext(ctx context.Context) *Tx {
	tx, _ := ctx.Value(txKey{}).(*Tx)
	return tx
}

// Publish queues changes in the open Tx of b that ctx carries, or publishes them at once if
// there is none.
func Publish(ctx context.Context, b *Bus, changes ...Change) error {
	if tx := FromContext(ctx).of(b); tx != nil {
		tx.Add(changes...)
		return nil
	}
	return b.Publish(ctx, changes...)
}

// of finds the nearest open Tx of a bus, from t outwards.
func (t *Tx) of(b *Bus) *Tx {
	for ; t != nil; t = t.outer {
		if t.bus == b && t.isOpen() {
			return t
		}
	}
	return nil
}

func (t *Tx) isOpen() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state == txOpen
}

// Add queues changes. It copies the instances they point to, as far as rules read them, so the
// caller may go on changing its own. On a Tx that has ended it publishes at once: a change that
// comes too late is not lost, and its failure is reported.
func (t *Tx) Add(changes ...Change) {
	reg := t.bus.registry.Load()
	copies := make([]Change, len(changes))
	for i, c := range changes {
		c.normalize()
		copies[i] = reg.snapshot(c)
	}
	if !t.push(copies) {
		t.bus.publishLate(copies)
	}
}

// push queues changes that are already copies; false means that the Tx has ended.
func (t *Tx) push(changes []Change) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state != txOpen {
		return false
	}
	reg := t.bus.registry.Load()
	for _, c := range changes {
		t.pushOne(c, reg.hears(c.Model))
	}
	return true
}

// pushOne keeps of a model that nobody listens to only that it changed, lest a rule that is bound
// before the commit should miss it.
func (t *Tx) pushOne(c Change, heard bool) {
	if t.queued == nil {
		t.queued = make(map[reflect.Type]int)
	}
	switch n := t.queued[c.Model]; {
	case n == collapsed:
		t.mergeBulk(c)
	case n >= t.bus.config.MaxQueued, !heard:
		t.collapse(c)
	default:
		t.queued[c.Model] = n + 1
		t.changes = append(t.changes, c)
	}
}

// collapse replaces all queued changes of a model, and c, by one Bulk change.
func (t *Tx) collapse(c Change) {
	bulk := bulkOf(c)
	t.changes = slices.DeleteFunc(t.changes, func(q Change) bool {
		if q.Model != c.Model {
			return false
		}
		bulk = widen(bulk, q)
		return true
	})
	t.changes = append(t.changes, bulk)
	t.queued[c.Model] = collapsed
}

func (t *Tx) mergeBulk(c Change) {
	i := slices.IndexFunc(t.changes, func(q Change) bool { return q.Model == c.Model })
	t.changes[i] = widen(t.changes[i], c)
}

// bulkOf is the change without its instances.
func bulkOf(c Change) Change {
	return Change{Model: c.Model, Table: c.Table, Op: c.Op, Fields: slices.Clone(c.Fields), Bulk: true}
}

// widen lets the Bulk change stand for c as well. Fields that either of them does not know are
// unknown; only an update has fields to know.
func widen(bulk, c Change) Change {
	bulk.Op |= c.Op
	if bulk.Fields == nil || c.Fields == nil {
		bulk.Fields = nil
		return bulk
	}
	for _, f := range c.Fields {
		if !slices.Contains(bulk.Fields, f) {
			bulk.Fields = append(bulk.Fields, f)
		}
	}
	return bulk
}

// end moves the Tx out of its open state and takes its queue.
func (t *Tx) end(state txState) ([]Change, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state != txOpen {
		return nil, false
	}
	changes := t.changes
	t.state, t.changes, t.queued = state, nil, nil
	return changes, true
}

// Commit publishes the queue as one unit, under a context that keeps the values of ctx and
// outlives it, with a timeout of its own (BusConfig.Timeout). Call it after the database has
// committed, and also when the outcome of its COMMIT is uncertain. A savepoint's Commit hands its
// queue to the Tx around it instead.
//
// The error is ErrTxDone on a Tx that has ended, or what Bus.Publish returns.
func (t *Tx) Commit(ctx context.Context) error {
	changes, ok := t.end(txCommitted)
	switch {
	case !ok:
		return ErrTxDone
	case t.parent == nil:
		return t.bus.Publish(ctx, changes...)
	case t.parent.push(changes):
		return nil
	case t.parent.rolledBack():
		return ErrTxDone
	}
	// The outer transaction committed first, which no database allows: rather too wide than lost.
	return t.bus.Publish(ctx, changes...)
}

func (t *Tx) rolledBack() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state == txRolledBack
}

// Rollback drops the queue. After Commit it does nothing, so it can be deferred.
func (t *Tx) Rollback() { t.end(txRolledBack) }

// Len returns the number of queued changes.
func (t *Tx) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.changes)
}
