package gormsignals

import (
	"context"
	"reflect"
	"slices"

	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/restflow-go/restflow/signals"
)

// upsert makes the changes of INSERT … ON CONFLICT DO UPDATE for one model. Which rows were there
// before is found out by reading them, before and after, by the columns that conflict.
type upsert struct {
	creation
	fields []string            // what a conflict sets; nil: unknown
	where  []clause.Expression // the rows that may conflict; nil: unknown, or none
	fresh  int                 // rows that conflict with none
	old    map[string]reflect.Value
	image  bool
	moves  bool // a conflict sets the primary key, by which rows are known before and after
}

// before reads the rows that the statement may meet, if their values matter. Only MySQL counts no row that
// is the same afterwards: elsewhere, a conflict that always updates leaves nothing out, as in an INSERT.
func (u *upsert) before(ctx context.Context, w *watch) error {
	conflict, _ := w.db.Statement.Clauses["ON CONFLICT"].Expression.(clause.OnConflict)
	w.uncounted = w.uncounted || len(conflict.Where.Exprs) == 0 && w.db.Dialector.Name() != "mysql"
	if u.values = valuesOf(w); !u.narrow() {
		return nil
	}
	u.assignments(conflict)
	if len(u.values.Values) > w.plugin.config.MaxRows || w.plugin.config.NoReads || u.moves || len(u.schema.PrimaryFields) == 0 {
		return nil
	}
	u.where = u.conflicts(ctx, w, conflict)
	if u.where == nil || !w.locks() || !u.need.Before(signals.Update, u.fields) {
		return nil
	}
	rows, all, err := u.readBefore(ctx, w, u.where, "NO KEY UPDATE")
	u.old, u.image = u.byKey(ctx, rows), all
	return err
}

// assignments reads what a conflict sets. GORM has spelled out UpdateAll by now.
func (u *upsert) assignments(conflict clause.OnConflict) {
	u.fields = []string{}
	for _, a := range conflict.DoUpdates {
		f := u.column(a.Column.Name)
		if f == nil {
			u.fields, u.moves = nil, true
			return
		}
		u.fields = append(u.fields, u.paths[f]...)
		u.moves = u.moves || f.PrimaryKey
	}
	u.fields = append(u.fields, u.names(u.derived)...)
}

// conflicts is the condition of the rows that the statement may meet. MySQL ignores the columns that
// the clause names: there every unique key of the table counts, whether the model declares it or not. nil means that nobody knows, or that it can
// meet none, which then fresh says.
func (u *upsert) conflicts(ctx context.Context, w *watch, conflict clause.OnConflict) []clause.Expression {
	var keys [][]*schema.Field
	if w.db.Dialector.Name() == "mysql" {
		keys = u.uniqueKeys(ctx, w)
	} else if key := u.fieldsOf(conflict.Columns); len(key) > 0 && conflict.OnConstraint == "" {
		keys = [][]*schema.Field{key}
	}
	var conditions []clause.Expression
	found := 0 // rows by the key that finds most
	for _, key := range keys {
		rows, ok := u.keyRows(ctx, w, key)
		if !ok {
			return nil
		}
		if len(rows) > 0 {
			conditions = append(conditions, u.matching(ctx, key, rows))
		}
		found = max(found, len(rows))
	}
	fresh := len(u.values.Values) - found
	switch {
	case len(keys) == 0, len(conditions) > 1 && fresh > 0: // some are found by one key and some by another
		return nil
	case len(conditions) < 2:
		u.fresh = fresh
		return conditions
	}
	return []clause.Expression{clause.Or(conditions...)}
}

// keyRows makes rows that hold the statement's values of a key. Rows that meet no other by it are
// left out: the database makes their key, or a part of it is NULL. false means that some value is
// not known.
func (u *upsert) keyRows(ctx context.Context, w *watch, key []*schema.Field) ([]reflect.Value, bool) {
	var rows []reflect.Value
	for _, values := range u.values.Values {
		row, found, null := reflect.New(u.typ), 0, false
		for i, column := range u.values.Columns {
			f := u.column(column.Name)
			if f == nil || !slices.Contains(key, f) || reflect.DeepEqual(values[i], w.db.Dialector.DefaultValueOf(f)) {
				continue
			}
			null = null || isNull(values[i])
			if !set(ctx, f, row.Elem(), values[i]) {
				return nil, false
			}
			found++
		}
		switch {
		case null:
		case found == len(key):
			rows = append(rows, row)
		case len(key) > 1 || !key[0].AutoIncrement:
			return nil, false
		}
	}
	return rows, true
}

func (u *upsert) fieldsOf(columns []clause.Column) []*schema.Field {
	fields := make([]*schema.Field, len(columns))
	for i, c := range columns {
		if fields[i] = u.column(c.Name); fields[i] == nil {
			return nil
		}
	}
	return fields
}

func (u *upsert) bulk() signals.Change {
	return signals.Change{Model: u.typ, Table: u.table, Op: signals.Create | signals.Update, Bulk: true}
}

func (u *upsert) after(ctx context.Context, w *watch) ([]signals.Change, error) {
	where, ok := u.written(ctx, w)
	switch {
	case u.fresh > 0 && u.fresh == len(u.values.Values) && w.affected() <= int64(u.fresh): // MySQL counts a row that it updates twice
		return u.creation.after(ctx, w)
	case !ok:
		return []signals.Change{u.bulk()}, nil
	}
	rows, all, err := u.read(ctx, w, reading{where: where})
	if err != nil || !all || len(rows) < len(u.values.Values) { // each of them must be there now
		return []signals.Change{u.bulk()}, err
	}
	raced, err := u.raced(ctx, w, rows)
	if err != nil {
		return []signals.Change{u.bulk()}, err
	}
	changes := make([]signals.Change, 0, len(rows))
	for _, row := range rows {
		changes = append(changes, u.change(ctx, row, raced))
	}
	return changes, nil
}

// written is the condition of the rows that were inserted or updated. Keys that the database made are
// certain only if they came back by RETURNING.
func (u *upsert) written(ctx context.Context, w *watch) ([]clause.Expression, bool) {
	if u.where == nil || u.fresh == 0 {
		return u.where, u.where != nil
	}
	rows := u.instances(w.db.Statement, len(u.values.Values))
	if !w.rows || len(rows) == 0 || slices.ContainsFunc(rows, func(r reflect.Value) bool { return !u.keyed(r.Elem()) }) {
		return nil, false
	}
	keys := u.matching(ctx, u.schema.PrimaryFields, rows)
	return []clause.Expression{clause.Or(append(slices.Clone(u.where), keys)...)}, true
}

func (u *upsert) change(ctx context.Context, row reflect.Value, raced map[string]reflect.Value) signals.Change {
	key := u.keyOf(ctx, row)
	c := signals.Change{Model: u.typ, Table: u.table, Op: signals.Create | signals.Update, Fields: u.fields}
	c.New, c.NewFields = u.instance(ctx, row, u.columns)
	old, existed := u.old[key]
	_, late := raced[key]
	switch {
	case existed:
		c.Op = signals.Update
		c.Old, c.OldFields = u.instance(ctx, old, u.columns)
	case u.image && !late:
		c.Op, c.Fields = signals.Create, nil
	}
	return c
}

// raced finds rows that were not there when they were looked for, but were by the time of the statement:
// another transaction inserted and committed them in between, so that their previous values are
// unknown. PostgreSQL lets that happen, since it cannot lock a row that does not exist; its
// system column xmax is zero in a row that was inserted and not updated. So does MySQL below
// REPEATABLE READ, and nothing tells such rows from new ones.
func (u *upsert) raced(ctx context.Context, w *watch, rows []reflect.Value) (map[string]reflect.Value, error) {
	fresh := func(row reflect.Value) bool { _, existed := u.old[u.keyOf(ctx, row)]; return !existed }
	switch {
	case !u.image || !slices.ContainsFunc(rows, fresh):
		return nil, nil
	case !w.repeats(ctx):
		return u.byKey(ctx, rows), nil
	case w.db.Dialector.Name() != "postgres":
		return nil, nil
	}
	updated := clause.Expr{SQL: "?.xmax <> 0", Vars: []any{clause.Table{Name: clause.CurrentTable}}}
	late, all, err := u.read(ctx, w, reading{where: append(slices.Clip(u.where), updated)})
	if !all {
		late = rows
	}
	return u.byKey(ctx, late), err
}
