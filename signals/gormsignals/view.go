package gormsignals

import (
	"slices"
	"sync"
)

// onView reports whether a statement may have written a view of SQLite, which counts nothing of what
// triggers write through it. It is asked when a statement counts no row.
func (w *watch) onView() bool {
	return w.db.Dialector.Name() == "sqlite" && slices.ContainsFunc(w.works, func(o work) bool { return w.isView(o.bulk().Table) })
}

// isView asks SQLite once for each table of a pool. Without an answer the table may be a view.
func (w *watch) isView(table string) bool {
	known := new(sync.Map)
	if w.seat.pool != nil {
		known = &w.seat.pool.views
	}
	if v, found := known.Load(table); found {
		return v.(bool)
	}
	const views = "SELECT name FROM sqlite_master WHERE type = 'view' AND lower(name) = ? " +
		"UNION ALL SELECT name FROM sqlite_temp_master WHERE type = 'view' AND lower(name) = ?"
	rows, err := w.ConnPool.QueryContext(w.db.Statement.Context, views, table, table)
	if err != nil {
		return true
	}
	defer func() { _ = rows.Close() }() // Err has told whatever there is to tell
	found := rows.Next()
	if rows.Err() != nil {
		return true
	}
	known.Store(table, found)
	return found
}
