package gormsignals

import (
	"context"
	"sync/atomic"
)

// onRowsClosed returns a context for a query, so that f is called when its rows are closed.
//
// A statement outside a transaction that returns rows commits when they have been read (SQLite when they
// are closed), and the caller of gorm.DB.Rows reads them after the last callback. database/sql
// derives a context of its own from the query's and cancels it after it has closed the rows; the
// context package then stops the registration that it made through AfterFunc, a method that
// contexts of other packages may have for this purpose. f is called at most once, also when ctx
// ends.
func onRowsClosed(ctx context.Context, f func()) context.Context {
	return &rowsContext{Context: ctx, closed: f}
}

type rowsContext struct {
	context.Context
	closed func()
	called atomic.Bool
}

// never lets database/sql watch a context that cannot end.
var never = make(chan struct{})

func (c *rowsContext) Done() <-chan struct{} {
	if done := c.Context.Done(); done != nil {
		return done
	}
	return never
}

// AfterFunc implements what context.AfterFunc documents.
func (c *rowsContext) AfterFunc(f func()) (stop func() bool) {
	stopParent := context.AfterFunc(c.Context, func() {
		f()
		c.call()
	})
	return func() bool {
		stopped := stopParent()
		c.call()
		return stopped
	}
}

func (c *rowsContext) call() {
	if !c.called.Swap(true) {
		c.closed()
	}
}
