package gormsignals

import (
	"context"
	"reflect"
	"strings"
	"sync"

	"gorm.io/gorm"
)

// guarded makes a read so that its refusal does not fail the write. PostgreSQL ends a transaction in which
// a statement has failed, so there each kind of read is tried under a savepoint until it succeeds. A
// user may delete rows without being allowed to lock them, or update what may not be read.
func (w *watch) guarded(ctx context.Context, stmt *gorm.Statement, read func() error) error {
	if w.db.Dialector.Name() != "postgres" || !w.atomic() {
		return read()
	}
	tried := new(sync.Map)
	if w.seat.pool != nil {
		tried = &w.seat.pool.readable
	}
	kind := kindOf(stmt)
	switch v, _ := tried.Load(kind); v {
	case true:
		err := read()
		if unreadable(err) {
			tried.Delete(kind) // no more; the transaction is lost
			return &ReadError{Table: stmt.Table, Err: err}
		}
		return err
	case false:
		return errUnreadable
	}
	err := w.underSavepoint(ctx, read)
	if err == nil || unreadable(err) {
		tried.Store(kind, err == nil)
	}
	if unreadable(err) {
		w.plugin.config.logger().WarnContext(ctx, "gormsignals: the rows that a write changes may not be read; such writes invalidate whole caches", "table", stmt.Table, "error", err)
	}
	return err
}

// kindOf is the text of a read up to its conditions, and its lock: what permissions are needed for.
func kindOf(stmt *gorm.Statement) string {
	text := stmt.SQL.String()
	columns, _, _ := strings.Cut(text, " WHERE ")
	_, lock, _ := strings.Cut(text[max(0, len(text)-len(" FOR NO KEY UPDATE")):], " FOR ")
	return columns + " FOR " + lock
}

func (w *watch) underSavepoint(ctx context.Context, read func() error) error {
	control := func(text string) error {
		ctx, _ := w.plugin.mark(ctx)
		_, err := w.ConnPool.ExecContext(ctx, text)
		return err
	}
	if err := control("SAVEPOINT restflow_read"); err != nil {
		return err
	}
	err := read()
	if err != nil {
		if !unreadable(err) {
			return err
		}
		if failed := control("ROLLBACK TO SAVEPOINT restflow_read"); failed != nil {
			return failed
		}
	}
	if failed := control("RELEASE SAVEPOINT restflow_read"); failed != nil {
		return failed
	}
	return err
}

// refusal is what a read of a kind that was refused before gives.
type refusal struct{}

var errUnreadable = refusal{}

// Error is never shown.
func (refusal) Error() string { return "gormsignals: this may not be read" }

// unreadable reports that a read was refused for what it is, rather than for what else goes on: SQLSTATE class 42
// (permissions, names) and 0A (locks that a view does not have). It says so of every error of SQLite, whose
// transactions outlive them.
func unreadable(err error) bool {
	if err == nil {
		return false
	}
	if err == errUnreadable { //nolint:errorlint // it comes from here
		return true
	}
	if state := sqlState(err); state != "" {
		return strings.HasPrefix(state, "42") || strings.HasPrefix(state, "0A")
	}
	switch mysqlNumber(err) {
	case 1044, 1054, 1142, 1143, 1146, 1227, 1356:
		return true
	}
	return strings.Contains(reflect.TypeOf(err).String(), "sqlite")
}
