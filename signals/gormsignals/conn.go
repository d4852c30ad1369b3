package gormsignals

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals/internal/sniff"
)

// conn is a driver's connection that is watched. database/sql uses it from one goroutine at a
// time. Every optional interface of a connection is there; where the driver lacks one, the method answers what
// database/sql takes for its absence.
type conn struct {
	driver.Conn
	plugin *Plugin
	queue  queue
	open   bool            // a transaction is open, by BeginTx or by SQL text
	ctx    context.Context // the transaction's: lends its values to publishing
}

// Unwrap returns the driver's own connection.
func (c *conn) Unwrap() driver.Conn { return c.Conn }

// Ping implements driver.Pinger.
func (c *conn) Ping(ctx context.Context) error {
	if d, ok := c.Conn.(driver.Pinger); ok {
		return d.Ping(ctx)
	}
	return nil
}

// ResetSession implements driver.SessionResetter.
func (c *conn) ResetSession(ctx context.Context) error {
	if d, ok := c.Conn.(driver.SessionResetter); ok {
		return d.ResetSession(ctx)
	}
	return nil
}

// IsValid implements driver.Validator.
func (c *conn) IsValid() bool {
	if d, ok := c.Conn.(driver.Validator); ok {
		return d.IsValid()
	}
	return true
}

// CheckNamedValue implements driver.NamedValueChecker.
func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	if d, ok := c.Conn.(driver.NamedValueChecker); ok {
		return d.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

// BeginTx implements driver.ConnBeginTx.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	raw, err := c.beginRaw(ctx, opts)
	if err != nil {
		return nil, err
	}
	c.queue.drop()
	c.open, c.ctx = true, ctx
	return &connTx{raw, c}, nil
}

func (c *conn) beginRaw(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if d, ok := c.Conn.(driver.ConnBeginTx); ok {
		return d.BeginTx(ctx, opts)
	}
	if opts.Isolation != driver.IsolationLevel(sql.LevelDefault) || opts.ReadOnly {
		return nil, errors.New("gormsignals: the driver does not support transactions with options; begin one without")
	}
	return c.Conn.Begin() //nolint:staticcheck // all that this driver has
}

// ExecContext implements driver.ExecerContext.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	d, ok := c.Conn.(driver.ExecerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	result, err := d.ExecContext(ctx, query, args)
	if skipped(err) {
		return result, err
	}
	return result, c.executed(ctx, query, result, err)
}

// QueryContext implements driver.QueryerContext.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	d, ok := c.Conn.(driver.QueryerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	rows, err := d.QueryContext(ctx, query, args)
	if skipped(err) {
		return rows, err
	}
	return c.queried(ctx, query, rows, err)
}

// skipped reports that database/sql will prepare the statement and try again.
func skipped(err error) bool {
	return err == driver.ErrSkip //nolint:errorlint // so does database/sql compare it
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	var raw driver.Stmt
	var err error
	if d, ok := c.Conn.(driver.ConnPrepareContext); ok {
		raw, err = d.PrepareContext(ctx, query)
	} else {
		raw, err = c.Conn.Prepare(query)
	}
	if err != nil {
		return nil, err
	}
	return &stmt{Stmt: raw, conn: c, query: query}, nil
}

// Prepare implements driver.Conn.
func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// executed notes what a statement did. Its error is the statement's, or that of publishing.
func (c *conn) executed(ctx context.Context, query string, result driver.Result, err error) error {
	return c.note(ctx, query, wroteNothing(result, err), err)
}

// wroteNothing reports a result that is known to count no row.
func wroteNothing(result driver.Result, err error) bool {
	if err != nil || result == nil {
		return false
	}
	n, unknown := result.RowsAffected()
	return unknown == nil && n == 0
}

// queried does the same for a statement that returns rows. Outside a transaction it commits when they
// have been read, so it is noted when they are closed.
func (c *conn) queried(ctx context.Context, query string, rows driver.Rows, err error) (driver.Rows, error) {
	if err == nil && !c.open && !marked(ctx) && len(c.plugin.firstNames().sniff(query).works) > 0 {
		return &connRows{Rows: rows, closed: func() { _ = c.note(ctx, query, false, nil) }}, nil
	}
	return rows, c.note(ctx, query, false, err)
}

// note keeps the queue in step with a statement.
func (c *conn) note(ctx context.Context, query string, nothing bool, err error) error {
	if err != nil && c.open && deadlocked(err) { // the server has ended the transaction
		c.queue.drop()
		c.open = false
	}
	if s, ok := ctx.Value(sinkKey{}).(*sink); ok {
		s.conn = c
		c.follow(ctx, query, err)
		return err
	}
	t := c.plugin.firstNames().sniff(query)
	if len(t.works) > 0 && (err == nil && !(nothing && t.counted) || err != nil && (t.several || !refused(err))) {
		changes := make([]signals.Change, len(t.works))
		for i, work := range t.works {
			changes[i] = work.bulk()
		}
		if failed := c.deliver(ctx, changes); failed != nil && err == nil {
			err = failed
		}
	}
	c.follow(ctx, query, err)
	return err
}

func marked(ctx context.Context) bool { return ctx.Value(sinkKey{}) != nil }

func (c *conn) deliver(ctx context.Context, changes []signals.Change) error {
	if c.open {
		c.queue.add(changes...)
		return nil
	}
	if err := c.plugin.bus.Publish(ctx, changes...); err != nil {
		return &PublishError{err}
	}
	return nil
}

// follow keeps the queue in step with transaction control in SQL text.
func (c *conn) follow(ctx context.Context, query string, err error) {
	if !mayControl(query) {
		return
	}
	for _, s := range sniff.Parse(query, c.plugin.firstNames().dialect) {
		c.control(ctx, s, err)
	}
}

func (c *conn) control(ctx context.Context, s sniff.Statement, err error) {
	switch {
	case s.Commits || s.Verb == sniff.Commit:
		// After an error its outcome is uncertain, and a second invalidation does no harm.
		_ = c.queue.publish(c.context(ctx))
		c.open = c.open && (s.Chains || err != nil)
	case err != nil:
		return
	case s.Verb == sniff.Rollback:
		c.queue.drop()
		c.open = c.open && s.Chains
	case s.Verb == sniff.Savepoint:
		c.queue.savepoint(s.Name)
	case s.Verb == sniff.RollbackTo:
		c.queue.rollbackTo(s.Name)
	case s.Verb == sniff.Release:
		c.queue.release(s.Name)
	}
	if s.Verb == sniff.Begin && err == nil {
		c.open, c.ctx = true, ctx
	}
}

func (c *conn) context(ctx context.Context) context.Context {
	if c.ctx != nil {
		return c.ctx
	}
	return ctx
}

// connTx is a transaction of a watched connection.
type connTx struct {
	driver.Tx
	conn *conn
}

// Commit commits, then publishes.
func (t *connTx) Commit() error {
	err := t.Tx.Commit()
	t.conn.open = false
	if err != nil && commitRefused(err) {
		t.conn.queue.drop()
		return err
	}
	if failed := t.conn.queue.publish(t.conn.ctx); failed != nil && err == nil {
		return &PublishError{failed}
	}
	return err
}

// Rollback rolls back and drops the queue.
func (t *connTx) Rollback() error {
	t.conn.open = false
	t.conn.queue.drop()
	return t.Tx.Rollback()
}
