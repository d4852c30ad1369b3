package gormsignals

import (
	"context"
	"sync/atomic"
)

// rowsContext is the context of a query that calls closed when its rows are closed.
//
// A statement outside a transaction that returns rows commits when they have been read (SQLite when they
// are closed), and the caller of gorm.DB.Rows reads them after the last callback. database/sql
// derives a context of its own from the query's and cancels it after it has closed the rows; the
// context package then stops the registration that it made through AfterFunc, a method that
// contexts of other packages may have for this purpose. It does so only for a context with a Done
// channel of its own; through one that hands out its parent's it looks at the parent.
//
// closed is called whenever a derived context ends, thus also when the parent does, and too early if
// a driver derives one for itself. The call that counts is the last, and an early one does no harm.
type rowsContext struct {
	context.Context
	done   chan struct{}
	stop   func() bool // parts done from the parent
	sent   atomic.Bool // the query has returned, so that nobody begins to look at done
	closed func()
}

func onRowsClosed(ctx context.Context, closed func()) *rowsContext {
	c := &rowsContext{Context: ctx, done: make(chan struct{}), closed: closed}
	c.stop = context.AfterFunc(ctx, func() { close(c.done) })
	return c
}

// returned is called with the outcome of the query. After an error there are no rows to be closed.
func (c *rowsContext) returned(err error) {
	if c.sent.Store(true); err != nil {
		c.stop()
	}
}

// Done is the channel of its own.
func (c *rowsContext) Done() <-chan struct{} { return c.done }

// AfterFunc implements what context.AfterFunc documents.
func (c *rowsContext) AfterFunc(f func()) (stop func() bool) {
	stopParent := context.AfterFunc(c.Context, func() {
		f()
		c.closed()
	})
	return func() bool {
		stopped := stopParent()
		if c.sent.Load() {
			c.stop()
		}
		c.closed()
		return stopped
	}
}
