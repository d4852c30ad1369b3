package gormsignals

import (
	"context"
	"database/sql"
)

// repeats reports whether nothing can come between what was read before a statement and the statement.
// That is asked of MySQL only, whose row locks keep rows from entering what was read from the
// isolation level REPEATABLE READ on, its default.
func (w *watch) repeats(ctx context.Context) bool {
	if w.db.Dialector.Name() != "mysql" {
		return true
	}
	t := w.seat.tx
	if t == nil {
		return false // who began the transaction may have chosen its level
	}
	level := sql.IsolationLevel(t.level.Load())
	if level == sql.LevelDefault {
		level = w.sessionLevel(ctx)
		t.level.Store(int32(level))
	}
	return level >= sql.LevelRepeatableRead
}

// sessionLevel asks for the level of transactions that were begun without one. The variable has one
// name in MySQL and another in MariaDB.
func (w *watch) sessionLevel(ctx context.Context) sql.IsolationLevel {
	rows, err := w.ConnPool.QueryContext(ctx, "SHOW SESSION VARIABLES WHERE Variable_name IN ('transaction_isolation', 'tx_isolation')")
	if err != nil {
		return sql.LevelReadUncommitted
	}
	defer func() { _ = rows.Close() }() // Err has told whatever there is to tell
	level := sql.LevelReadUncommitted
	for rows.Next() {
		var name, value string
		if rows.Scan(&name, &value) == nil && (value == "REPEATABLE-READ" || value == "SERIALIZABLE") {
			level = sql.LevelRepeatableRead
		}
	}
	if rows.Err() != nil {
		return sql.LevelReadUncommitted
	}
	return level
}
