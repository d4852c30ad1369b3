package gormsignals

import (
	"context"
	"database/sql"
	"sync/atomic"

	"gorm.io/gorm"

	"github.com/restflow-go/restflow/signals/gormsignals/internal/sniff"
)

// tx is a transaction with the queue of its changes. Its Commit publishes them, its Rollback
// drops them. GORM's PreparedStmtTX wraps it like any other transaction.
type tx struct {
	gorm.ConnPool // the transaction of the pool below
	raw           gorm.TxCommitter
	pool          *pool
	ctx           context.Context // BeginTx's: lends its values to publishing
	queue         queue

	// doubtful is set when a statement that might have committed by itself has failed: a Rollback
	// then publishes, since it may have rolled back nothing.
	doubtful atomic.Bool

	// ended is set when SQL text has ended the transaction before its time, as a CREATE TABLE does in MySQL.
	// What follows commits by itself, and no Rollback undoes it.
	ended atomic.Bool

	writeLocked atomic.Bool  // see lockSQLite
	level       atomic.Int32 // the sql.IsolationLevel, as far as known
}

func newTx(ctx context.Context, p *pool, raw gorm.ConnPool, opts *sql.TxOptions) (gorm.ConnPool, error) {
	committer, ok := raw.(gorm.TxCommitter)
	if !ok {
		return (*tx)(nil), gorm.ErrInvalidTransaction
	}
	t := &tx{ConnPool: raw, raw: committer, pool: p, ctx: ctx, queue: queue{bus: p.plugin.bus}}
	if opts != nil {
		t.level.Store(int32(opts.Isolation))
	}
	return t, nil
}

// Commit commits, then publishes what was queued, before it returns: the caller reads its own writes.
// What the database certainly rolled back is dropped; an uncertain outcome is published.
func (t *tx) Commit() error {
	if err := t.expired(); err != nil {
		t.queue.end()
		t.drop()
		return err
	}
	err := t.raw.Commit()
	t.queue.end()
	if err != nil && t.rolledBack(err) {
		t.drop()
		return err
	}
	if err != nil {
		t.pool.plugin.config.logger().WarnContext(t.ctx,
			"gormsignals: the outcome of a COMMIT is uncertain; its changes are invalidated as if it had succeeded", "error", err)
	}
	if failed := t.publish(); failed != nil && err == nil {
		return failed
	}
	return err
}

func (t *tx) publish() error {
	if err := t.queue.publish(t.ctx); err != nil {
		return &PublishError{err}
	}
	return nil
}

// Rollback rolls back and drops the queue. Whatever error the database gives, a COMMIT was not sent.
func (t *tx) Rollback() error {
	err := t.raw.Rollback()
	t.queue.end()
	t.drop()
	return err
}

// drop forgets the queue of a transaction that was rolled back, unless that may have come too late.
func (t *tx) drop() {
	if t.doubtful.Load() {
		_ = t.publish() // reported by the bus; the caller has the database's own error
		return
	}
	t.queue.drop()
}

// ExecContext executes, and follows savepoints and statements that end the transaction.
func (t *tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	result, err := t.ConnPool.ExecContext(ctx, query, args...)
	t.follow(query, err)
	return result, err
}

// QueryContext does the same for gorm.DB.Raw.
func (t *tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := t.ConnPool.QueryContext(ctx, query, args...)
	t.follow(query, err)
	return rows, err
}

// QueryRowContext does the same for a single row.
func (t *tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	row := t.ConnPool.QueryRowContext(ctx, query, args...)
	t.follow(query, row.Err())
	return row
}

// StmtContext is part of gorm.Tx.
func (t *tx) StmtContext(ctx context.Context, stmt *sql.Stmt) *sql.Stmt {
	if s, ok := t.ConnPool.(interface {
		StmtContext(ctx context.Context, stmt *sql.Stmt) *sql.Stmt
	}); ok {
		return s.StmtContext(ctx, stmt)
	}
	return stmt
}

// GetDBConn keeps gorm.DB.DB working within a transaction.
func (t *tx) GetDBConn() (*sql.DB, error) { return t.pool.GetDBConn() }

// Ping checks the connection.
func (t *tx) Ping() error { return t.pool.Ping() }

// failed notes an error by which the server has ended the whole transaction. What was queued is undone; code
// that ignores the error goes on outside of any.
func (t *tx) failed(err error) {
	if err != nil && deadlocked(err) {
		t.queue.drop()
		t.ended.Store(true)
	}
}

// follow keeps the queue in step with transaction control in SQL text.
func (t *tx) follow(query string, err error) {
	t.failed(err)
	if !mayControl(query) {
		return
	}
	for _, s := range sniff.Parse(query, t.pool.names.dialect) {
		t.control(s, err)
	}
}

func (t *tx) control(s sniff.Statement, err error) {
	ends := s.Commits || s.Verb == sniff.Commit
	switch {
	case ends && err != nil:
		t.doubtful.Store(true)
	case err != nil:
		return
	case ends:
		_ = t.publish() // reported by the bus; the statement itself has succeeded
		t.ended.Store(!s.Chains)
	case s.Verb == sniff.Rollback:
		t.queue.drop()
		t.ended.Store(!s.Chains)
	case s.Verb == sniff.Savepoint:
		t.queue.savepoint(s.Name)
	case s.Verb == sniff.RollbackTo:
		t.queue.rollbackTo(s.Name)
	case s.Verb == sniff.Release:
		t.queue.release(s.Name)
	}
	if s.Verb == sniff.Begin {
		t.ended.Store(false)
	}
}

// mayControl tells the common statements from those worth sniffing.
func mayControl(query string) bool {
	if len(query) < 3 || isSelect(query) {
		return false
	}
	switch query[0] | 0x20 {
	case 'i', 'u', 'd', 'w': // INSERT, UPDATE, DELETE and DROP, WITH
		if query[1]|0x20 == 'r' {
			return true // DROP
		}
		for i := range len(query) {
			if query[i] == ';' {
				return true
			}
		}
		return false
	}
	return true
}
