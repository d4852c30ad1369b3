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

	mu      sync.Mutex // protects what follows; never held while another Tx's is taken
	state   txState
	changes []Change
	bulks   []*Change // follow them
	queued  map[reflect.Type]*tally
}

// tally is what a Tx knows of one model: how many of its changes are queued, and once they were
// too many, the Bulk change that stands for them all.
type tally struct {
	n    int
	bulk *Change
}

type txState uint8

const (
	txOpen txState = iota
	txCommitted
	txRolledBack
)

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

// Add queues changes. It copies the instances they point to, as far as Map, Watch, When and Reads
// of rules reach, so the caller may go on changing its own. On a Tx that has ended it publishes at
// once: a change that comes too late is not lost, and its failure is reported.
func (t *Tx) Add(changes ...Change) {
	if !t.push(changes, true) {
		t.bus.publishLate(changes)
	}
}

// push queues changes; false means that the Tx has ended.
func (t *Tx) push(changes []Change, copying bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state != txOpen {
		return false
	}
	reg := t.bus.registry.Load()
	for _, c := range changes {
		c.normalize()
		if !t.widened(reg, c) {
			if copying {
				c = reg.snapshot(c)
			}
			t.changes = append(t.changes, c)
		}
	}
	return true
}

// widened counts a change, and reports whether it went into its model's Bulk change. That happens
// past the limit, and at once for a model that nobody listens to: of that one only the fact is
// kept, lest a rule that is bound before the commit should miss it.
func (t *Tx) widened(reg *registry, c Change) bool {
	q := t.queued[c.Model]
	if q == nil {
		q = new(tally)
		if t.queued == nil {
			t.queued = make(map[reflect.Type]*tally)
		}
		t.queued[c.Model] = q
	}
	switch {
	case q.bulk != nil:
		q.bulk.widen(c)
	case q.n >= t.bus.config.MaxQueued, !reg.hears(c.Model):
		q.bulk = t.collapse(c)
		t.bulks = append(t.bulks, q.bulk)
	default:
		q.n++
		return false
	}
	return true
}

// collapse takes all changes of c's model out of the queue and makes one Bulk change of them and c.
func (t *Tx) collapse(c Change) *Change {
	bulk := &Change{Model: c.Model, Table: c.Table, Op: c.Op, Fields: slices.Clone(c.Fields), Bulk: true}
	t.changes = slices.DeleteFunc(t.changes, func(q Change) bool {
		if q.Model == c.Model {
			bulk.widen(q)
		}
		return q.Model == c.Model
	})
	return bulk
}

// widen lets a Bulk change stand for another one as well. Fields that either does not know are
// unknown.
func (c *Change) widen(o Change) {
	c.Op |= o.Op
	if c.Fields == nil || o.Fields == nil {
		c.Fields = nil
		return
	}
	for _, f := range o.Fields {
		if !slices.Contains(c.Fields, f) {
			c.Fields = append(c.Fields, f)
		}
	}
}

// end moves the Tx out of its open state and takes its queue.
func (t *Tx) end(state txState) ([]Change, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state != txOpen {
		return nil, false
	}
	changes := t.changes
	for _, bulk := range t.bulks {
		changes = append(changes, *bulk)
	}
	t.state, t.changes, t.bulks, t.queued = state, nil, nil, nil
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
	case t.parent.push(changes, false):
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

// Len returns the number of queued changes, a Bulk change counting as one.
func (t *Tx) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.changes) + len(t.bulks)
}
