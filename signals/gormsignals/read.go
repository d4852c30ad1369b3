package gormsignals

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// reading is a SELECT that the plugin makes on a statement's connection.
type reading struct {
	where []clause.Expression
	lock  string // strength of a row lock, where the database has them; empty for none
}

// read returns the rows of the model that match, at most MaxRows of them; false means that there
// are more. It goes around GORM's callbacks: no hook, scope or other plugin runs for it, and a
// resolver cannot send it to a replica. The logger sees it. A table whose name GORM could not find in
// the text that it was given is not read, and what may not be read, or does not fit the model, is
// not known.
func (e *entry) read(ctx context.Context, w *watch, r reading) ([]reflect.Value, bool, error) {
	if w.db.Statement.Table == "" {
		return nil, false, nil
	}
	limit := w.plugin.config.MaxRows + 1
	stmt := e.statement(ctx, w)
	stmt.AddClause(clause.Select{Columns: columnsOf(e.columns)})
	stmt.AddClause(clause.From{})
	if len(r.where) > 0 {
		stmt.AddClause(clause.Where{Exprs: slices.Clone(r.where)}) // building reorders them
	}
	stmt.AddClause(clause.Limit{Limit: &limit})
	if r.lock != "" {
		stmt.AddClause(clause.Locking{Strength: r.lock})
	}
	stmt.Build("SELECT", "FROM", "WHERE", "LIMIT", "FOR")
	stmt.Schema = e.schema
	fits := true
	err := w.guarded(ctx, stmt, func() error {
		misfit, err := e.query(ctx, w, stmt)
		fits = misfit == nil
		return err
	})
	switch {
	case errors.As(err, new(*ReadError)):
		return nil, false, err
	case unreadable(err):
		return nil, false, nil
	case err != nil:
		return nil, false, &ReadError{Table: stmt.Table, Err: err}
	}
	n := stmt.ReflectValue.Len()
	if !fits || n == limit {
		return nil, false, nil
	}
	rows := make([]reflect.Value, n)
	for i := range rows {
		rows[i] = stmt.ReflectValue.Index(i).Addr()
	}
	return rows, true, nil
}

// statement makes an empty statement on the table that the observed one writes, with that one's
// model: in its conditions, "the primary key" is that model's.
func (e *entry) statement(ctx context.Context, w *watch) *gorm.Statement {
	from := w.db.Statement
	dest := reflect.New(reflect.SliceOf(e.typ))
	db := &gorm.DB{Config: w.db.Config}
	stmt := &gorm.Statement{
		DB:           db,
		Table:        from.Table,
		TableExpr:    from.TableExpr,
		Model:        reflect.New(e.typ).Interface(),
		Dest:         dest.Interface(),
		ReflectValue: dest.Elem(),
		Clauses:      map[string]clause.Clause{},
		ConnPool:     w.ConnPool,
		Schema:       cmp.Or(from.Schema, e.schema),
		Context:      ctx,
		Unscoped:     true,
	}
	db.Statement = stmt
	return stmt
}

func (e *entry) query(ctx context.Context, w *watch, stmt *gorm.Statement) (misfit, err error) {
	if stmt.DB.Error != nil {
		return nil, stmt.DB.Error
	}
	began := time.Now()
	misfit, err = scan(ctx, w.ConnPool, stmt)
	stmt.DB.Logger.Trace(ctx, began, func() (string, int64) {
		return stmt.DB.Dialector.Explain(stmt.SQL.String(), stmt.Vars...), stmt.DB.RowsAffected
	}, cmp.Or(err, misfit))
	return misfit, err
}

// scan reads all rows into the statement's destination. A value that does not fit there is no fault
// of the database's: it has answered, and its transaction goes on.
func scan(ctx context.Context, c gorm.ConnPool, stmt *gorm.Statement) (misfit, err error) {
	rows, err := c.QueryContext(ctx, stmt.SQL.String(), stmt.Vars...)
	if err != nil {
		return nil, err
	}
	defer func() { err = cmp.Or(err, rows.Close()) }()
	gorm.Scan(rows, stmt.DB, 0)
	return stmt.DB.Error, rows.Err()
}

func columnsOf(fields []*schema.Field) []clause.Column {
	columns := make([]clause.Column, len(fields))
	for i, f := range fields {
		columns[i] = clause.Column{Table: clause.CurrentTable, Name: f.DBName}
	}
	return columns
}

// readBefore reads and locks the rows that the statement is about to write. Without the lock another
// transaction could change a row between the two, and its true previous value would be missed.
// The statement takes the same locks a moment later.
func (e *entry) readBefore(ctx context.Context, w *watch, where []clause.Expression, lock string) ([]reflect.Value, bool, error) {
	switch w.db.Dialector.Name() {
	case "mysql":
		lock = "UPDATE"
	case "sqlite":
		if !e.lockSQLite(ctx, w) { // a view perhaps, whose triggers write and count nothing
			w.uncounted = true
			return nil, false, nil
		}
		lock = ""
	}
	return e.read(ctx, w, reading{where: where, lock: lock})
}

// lockSQLite takes the database's write lock, once in a transaction, by a statement that writes nothing,
// and tells whether it could. A read first would pin the transaction to a snapshot, and a write after it fails at once
// with SQLITE_BUSY if anybody has committed since; the write alone would have waited its turn.
func (e *entry) lockSQLite(ctx context.Context, w *watch) bool {
	if w.seat.tx != nil && w.seat.tx.writeLocked.Load() {
		return true
	}
	stmt := e.statement(ctx, w)
	stmt.AddClause(clause.Delete{})
	stmt.AddClause(clause.From{})
	stmt.AddClause(clause.Where{Exprs: []clause.Expression{clause.Expr{SQL: "1 = 0"}}})
	stmt.Build("DELETE", "FROM", "WHERE")
	ctx, _ = w.plugin.mark(ctx)
	_, err := w.ConnPool.ExecContext(ctx, stmt.SQL.String(), stmt.Vars...)
	if w.seat.tx != nil {
		w.seat.tx.writeLocked.Store(err == nil)
	}
	return err == nil
}

// readKeys reads rows by their primary keys, if they have any.
func (e *entry) readKeys(ctx context.Context, w *watch, rows []reflect.Value) ([]reflect.Value, error) {
	if len(rows) == 0 || len(e.schema.PrimaryFields) == 0 {
		return nil, nil
	}
	found, _, err := e.read(ctx, w, reading{where: []clause.Expression{e.matching(ctx, e.schema.PrimaryFields, rows)}})
	return found, err
}

// matching is the condition that the fields have the values of one of the rows. Lists of tuples
// are spelled out, since SQLite has no other way to compare them.
func (e *entry) matching(ctx context.Context, fields []*schema.Field, rows []reflect.Value) clause.Expression {
	if len(fields) == 1 {
		values := make([]any, len(rows))
		for i, row := range rows {
			values[i], _ = fields[0].ValueOf(ctx, row.Elem())
		}
		return clause.IN{Column: columnsOf(fields)[0], Values: values}
	}
	tuples := make([]clause.Expression, len(rows))
	for i, row := range rows {
		equal := make([]clause.Expression, len(fields))
		for j, f := range fields {
			v, _ := f.ValueOf(ctx, row.Elem())
			equal[j] = clause.Eq{Column: columnsOf(fields[j : j+1])[0], Value: v}
		}
		tuples[i] = clause.And(equal...)
	}
	if len(tuples) == 1 {
		return tuples[0] // a lone Or would be ORed to its neighbours
	}
	return clause.Or(tuples...)
}

// keyOf is a row's primary key as a map key: each part with its length, so that no two keys meet.
func (e *entry) keyOf(ctx context.Context, row reflect.Value) string {
	var key []byte
	for _, f := range e.schema.PrimaryFields {
		v, _ := f.ValueOf(ctx, row.Elem())
		if valuer, ok := v.(driver.Valuer); ok && !isNull(v) {
			v, _ = valuer.Value()
		}
		part := fmt.Sprint(indirect(v)) // of what a pointer leads to
		key = append(strconv.AppendInt(key, int64(len(part)), 10), ':')
		key = append(key, part...)
	}
	return string(key)
}

func (e *entry) byKey(ctx context.Context, rows []reflect.Value) map[string]reflect.Value {
	m := make(map[string]reflect.Value, len(rows))
	for _, row := range rows {
		m[e.keyOf(ctx, row)] = row
	}
	return m
}
