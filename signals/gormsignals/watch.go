package gormsignals

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/restflow-go/restflow/signals"
)

// watch observes one statement. For the moment between GORM's building of the SQL and its
// execution it takes the place of the statement's connection: there, the WHERE clause is complete with
// everything that GORM and other plugins add to it, and whether the statement was sent, and
// what came of it, is certain.
type watch struct {
	gorm.ConnPool // what the statement had
	plugin        *Plugin
	db            *gorm.DB
	seat          seat
	works         []work

	ran     bool // the statement was sent
	rows    bool // as a query: RETURNING
	filled  bool // a slice takes whatever rows it returns, so that their number is known
	expired bool // its context had ended before: database/sql then sends nothing
	err     error
	result  sql.Result
	sink    *sink

	uncounted bool   // the number of rows affected does not tell whether anything was written
	several   bool   // more than one statement: an error does not undo the first
	follow    bool   // the text may steer the transaction, and tx does not see it
	onClose   func() // publishes when the rows are closed, which outlive the callback
}

// work makes the changes of one subject of a statement.
type work interface {
	// before runs just before the statement, on its connection. Its error fails the statement.
	before(ctx context.Context, w *watch) error

	// after returns the changes of a statement that has written something.
	after(ctx context.Context, w *watch) ([]signals.Change, error)

	// bulk is the change that covers whatever the statement may have written.
	bulk() signals.Change
}

// before puts a watch in place if somebody listens to what the statement writes.
func (p *Plugin) before(works func(*gorm.DB, subjects) []work) func(*gorm.DB) {
	return func(db *gorm.DB) {
		if db.Error != nil || db.DryRun {
			return
		}
		s := p.names(db).subjects(db.Statement)
		if s.none() {
			return
		}
		w := p.watch(db, works(db, s))
		w.uncounted = len(s.further) > 0 && p.names(db).dialect.Views // the table may be one
	}
}

func (p *Plugin) watch(db *gorm.DB, works []work) *watch {
	stmt := db.Statement
	w := &watch{ConnPool: stmt.ConnPool, plugin: p, db: db, seat: seatOf(stmt.ConnPool), works: works}
	if w.seat.unseen && len(works) > 0 && !p.watchesDriver(db) {
		if p.config.RefuseUnseen {
			_ = db.AddError(ErrUnseenTx)
			return w
		}
		p.reportUnseen(stmt.Context, fmt.Sprintf("%T", stmt.ConnPool), stmt.Table)
	}
	stmt.ConnPool = w
	return w
}

// ExecContext executes the statement. Queries that GORM makes while it builds one pass by.
func (w *watch) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if w.ran || query != w.db.Statement.SQL.String() {
		return w.ConnPool.ExecContext(ctx, query, args...)
	}
	if err := w.start(ctx); err != nil {
		return nil, err
	}
	ctx, w.sink = w.plugin.mark(ctx)
	w.result, w.err = w.ConnPool.ExecContext(ctx, query, args...)
	return w.result, w.err
}

// QueryContext executes a statement that returns rows.
func (w *watch) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if w.ran || query != w.db.Statement.SQL.String() {
		return w.ConnPool.QueryContext(ctx, query, args...)
	}
	if err := w.start(ctx); err != nil {
		return nil, err
	}
	w.rows = true
	ctx, w.sink = w.plugin.mark(ctx)
	ctx, returned := w.closing(ctx)
	rows, err := w.ConnPool.QueryContext(ctx, query, args...)
	returned(err)
	w.err = err
	return rows, err
}

// QueryRowContext is how gorm.DB.Row executes.
func (w *watch) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if w.ran || query != w.db.Statement.SQL.String() || w.start(ctx) != nil {
		return w.ConnPool.QueryRowContext(ctx, query, args...)
	}
	w.rows = true
	ctx, w.sink = w.plugin.mark(ctx)
	ctx, returned := w.closing(ctx)
	row := w.ConnPool.QueryRowContext(ctx, query, args...)
	w.err = row.Err()
	returned(w.err)
	return row
}

// closing returns the query's context, and what is to be told when the query has returned.
func (w *watch) closing(ctx context.Context) (context.Context, func(error)) {
	if w.onClose == nil || w.expired {
		return ctx, func(error) {}
	}
	c := onRowsClosed(ctx, w.onClose)
	return c, c.returned
}

func (w *watch) start(ctx context.Context) error {
	w.expired = ctx.Err() != nil
	w.filled = fillsSlice(w.db.Statement)
	if !w.expired {
		for _, work := range w.works {
			if err := work.before(ctx, w); err != nil {
				return err
			}
		}
	}
	w.ran = true
	return nil
}

// fillsSlice reports whether GORM will append every returned row to the destination. Into a struct it
// scans one, and a slice with elements it updates up to its end, unless all columns come back.
func fillsSlice(stmt *gorm.Statement) bool {
	if stmt.ReflectValue.Kind() != reflect.Slice {
		return false
	}
	r, ok := stmt.Clauses["RETURNING"].Expression.(clause.Returning)
	return ok && (stmt.ReflectValue.Len() == 0 || len(r.Columns) == 0 || r.Columns[0].Name == "*")
}

// after takes the watch away and delivers the changes.
func (p *Plugin) after(db *gorm.DB) {
	if t := seatOf(db.Statement.ConnPool).tx; t != nil {
		defer t.failed(db.Error) // also of prepared statements, which tx does not see
	}
	w, ok := db.Statement.ConnPool.(*watch)
	if !ok {
		return
	}
	db.Statement.ConnPool = w.ConnPool
	if w.follow && w.ran {
		w.seat.tx.follow(db.Statement.SQL.String(), w.err)
	}
	if w.onClose != nil && w.err == nil {
		return
	}
	changes, err := w.changes()
	if err != nil {
		_ = db.AddError(err)
	}
	markSeen(db, w)
	if err := w.deliver(changes); err != nil {
		_ = db.AddError(err)
	}
}

// deliver hands changes to the connection that has run the statement, if that is all that sees its
// COMMIT.
func (w *watch) deliver(changes []signals.Change) error {
	ctx := w.db.Statement.Context
	if w.seat.unseen && w.sink != nil && w.sink.conn != nil {
		return w.sink.deliver(ctx, changes)
	}
	return w.plugin.deliver(ctx, w.seat, changes)
}

// changes tells what the statement wrote. If that is in doubt it is everything it may have
// written.
func (w *watch) changes() ([]signals.Change, error) {
	switch w.fate() {
	case fateNothing:
		return nil, nil
	case fateUnknown:
		return w.bulk(), nil
	}
	var all []signals.Change
	for i, work := range w.works {
		changes, err := work.after(w.db.Statement.Context, w)
		if err != nil {
			for _, rest := range w.works[i:] {
				all = append(all, rest.bulk())
			}
			return all, err
		}
		if all == nil {
			all = changes
		} else {
			all = append(all, changes...)
		}
	}
	return all, nil
}

func (w *watch) bulk() []signals.Change {
	changes := make([]signals.Change, len(w.works))
	for i, work := range w.works {
		changes[i] = work.bulk()
	}
	return changes
}

type fate uint8

const (
	fateNothing fate = iota // nothing was written
	fateDone                // the statement was executed
	fateUnknown             // it may have been
)

func (w *watch) fate() fate {
	err := w.err
	if err == nil {
		err = w.db.Error
	}
	switch {
	case !w.ran || w.expired:
		return fateNothing
	case err == nil && w.affected() == 0 && !w.uncounted && !w.onView():
		return fateNothing
	case err == nil:
		return fateDone
	case w.several:
		return fateUnknown
	case w.err == nil && !w.rows: // executed; GORM stumbled over what came back
		return fateUnknown
	case refused(err):
		return fateNothing
	}
	return fateUnknown
}

// affected returns the number of rows written, or -1 if the driver does not tell.
func (w *watch) affected() int64 {
	if w.result != nil {
		if n, err := w.result.RowsAffected(); err == nil {
			return n
		}
		return -1
	}
	return w.db.RowsAffected
}

// atomic reports whether the statement runs in a transaction that is still open.
func (w *watch) atomic() bool {
	return w.seat.unseen || w.seat.tx != nil && !w.seat.tx.ended.Load()
}

// locks reports whether what is read before the statement still holds when it runs: in a transaction, on
// a database where the plugin knows how to lock what it reads.
func (w *watch) locks() bool {
	switch w.db.Dialector.Name() {
	case "postgres", "mysql", "sqlite":
		return w.atomic()
	}
	return false
}
