package gormsignals

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals/internal/sniff"
)

// update makes the changes of an UPDATE for one model.
type update struct {
	*entry
	op     signals.Op
	set    []assignment
	fields []string // Go names of what is set; nil if a column is none of the model's

	unheard bool            // no rule fires for these fields
	unclear bool            // it may set columns of the model that nothing names
	rows    []reflect.Value // the rows concerned, as they were or, if pinned only, their keys
	known   bool            // rows are all the rows
	image   bool            // rows hold the previous values
}

type assignment struct {
	field *schema.Field
	value any
}

func (p *Plugin) updating(_ *gorm.DB, s subjects) []work {
	// Which operation it is shows only when the SET clause is there: a deletion time may be set.
	return each(s, func(e *entry) work { return &update{entry: e, op: signals.Update} }, signals.AnyOp)
}

// each makes a work for every subject whose rules listen to one of ops.
func each(s subjects, workOf func(*entry) work, ops signals.Op) []work {
	var works []work
	add := func(e *entry) {
		if e != nil && (e.need.Ops.Has(ops) || e.need.Subscribed) {
			works = append(works, workOf(e))
		}
	}
	add(s.own)
	for _, e := range s.table {
		add(e)
	}
	for _, e := range s.further {
		works = append(works, &whole{entry: e, op: signals.AnyOp})
	}
	return works
}

// before finds out which rows the statement will change, and reads them if their values matter.
func (u *update) before(ctx context.Context, w *watch) error {
	stmt := w.db.Statement
	u.assignments(stmt)
	need, ok := w.plugin.bus.NeedFor(u.typ, u.op, u.fields)
	if u.unheard = !ok; u.unheard {
		return nil
	}
	if u.entry = u.entry.reduced(need); !u.narrow() || u.unclear {
		return nil
	}
	u.rows, u.known = u.pins(stmt)
	if len(u.rows) > w.plugin.config.MaxRows {
		u.rows, u.known = nil, false
		return nil
	}
	if u.known && !u.need.Before(u.op, u.fields) {
		return nil
	}
	return u.readImage(ctx, w)
}

// narrow reports whether anyone can use instances.
func (e *entry) narrow() bool { return e.need.Narrow || e.need.Subscribed }

func (u *update) readImage(ctx context.Context, w *watch) (err error) {
	where, ok := exactWhere(w)
	if !ok || !w.locks() || w.plugin.config.NoReads {
		return nil
	}
	rows, all, err := u.readBefore(ctx, w, where, "NO KEY UPDATE")
	u.rows, u.known, u.image = rows, all, all
	return err
}

// exactWhere returns the conditions of a statement whose rows they tell alone, and would tell
// again in another statement.
func exactWhere(w *watch) ([]clause.Expression, bool) {
	stmt := w.db.Statement
	if !sniff.Fixed(stmt.SQL.String(), sniff.For(w.db.Dialector.Name())) {
		return nil, false
	}
	for _, name := range []string{"FROM", "LIMIT", "ORDER BY", "WITH"} {
		if c, ok := stmt.Clauses[name]; ok && !bareFrom(c) {
			return nil, false
		}
	}
	if u, ok := stmt.Clauses["UPDATE"].Expression.(clause.Update); ok && u.Table.Name != "" {
		return nil, false
	}
	c, ok := stmt.Clauses["WHERE"]
	if !ok {
		return nil, true
	}
	where, ok := c.Expression.(clause.Where)
	return where.Exprs, ok
}

// bareFrom reports the FROM clause of a plain DELETE.
func bareFrom(c clause.Clause) bool {
	from, ok := c.Expression.(clause.From)
	return ok && len(from.Tables) == 0 && len(from.Joins) == 0
}

// assignments reads the SET clause that GORM has built. What is set beside a column that the model
// lacks is known all the same.
func (u *update) assignments(stmt *gorm.Statement) {
	set, ok := stmt.Clauses["SET"].Expression.(clause.Set)
	u.unclear = !ok // a clause of the user's own, which may set anything
	fields, foreign := make([]string, 0, len(set)+2), false
	u.set = make([]assignment, 0, len(set))
	for _, a := range set {
		f := u.column(a.Column.Name)
		if f == nil {
			foreign = true
			u.unclear = u.unclear || u.resembles(a.Column.Name)
			continue
		}
		fields = append(fields, u.paths[f]...)
		u.set = append(u.set, assignment{f, a.Value})
		if slices.Contains(u.soft, f) {
			u.op |= softOp(a.Value)
		}
	}
	if u.unclear && len(u.soft) > 0 { // it may be the deletion time
		u.op = signals.AnyOp
	}
	if ok && !foreign {
		u.fields = append(fields, u.names(u.derived)...)
	}
}

// resembles reports whether a name differs from that of a column only as databases let it: in letter
// case, by quotes, or by the table before it.
func (m *model) resembles(name string) bool {
	return slices.ContainsFunc(m.columns, func(f *schema.Field) bool { return strings.EqualFold(f.DBName, tableName(name)) })
}

// softOp is what setting a deletion time amounts to, besides an update: with NULL or the zero value
// the row comes back, with any other it goes.
func softOp(value any) signals.Op {
	switch {
	case !plain(value):
		return signals.Create | signals.Delete
	case isNull(value) || indirect(value).IsZero():
		return signals.Create
	}
	return signals.Delete
}

func (u *update) bulk() signals.Change {
	return signals.Change{Model: u.typ, Table: u.table, Op: u.op, Fields: u.fields, Bulk: true}
}

// after pairs the previous values with the new ones.
func (u *update) after(ctx context.Context, w *watch) ([]signals.Change, error) {
	if u.unheard {
		return nil, nil
	}
	if !u.known && u.returned(w) {
		return u.changes(ctx, u.rows, nil), nil
	}
	if !u.known || u.image && !u.complete(ctx, w, len(u.rows)) {
		return []signals.Change{u.bulk()}, nil
	}
	if !u.image {
		return u.pinnedChanges(ctx, w)
	}
	rows, ok, err := u.newRows(ctx, w)
	if err != nil || !ok {
		return []signals.Change{u.bulk()}, err
	}
	return u.changes(ctx, rows, u.rows), nil
}

// complete reports whether the statement certainly wrote no other rows than were found before it: they
// are all the rows that its keys name, or as many rows were affected. The locks keep rows from
// leaving, so as many are the same rows, but for MySQL, which does not count those that already were what the
// statement makes of them: there nothing may enter either. RETURNING counts only the rows that it could store.
func (e *entry) complete(ctx context.Context, w *watch, found int) bool {
	if rows, pinned := e.pins(w.db.Statement); pinned && found >= len(rows) {
		return true
	}
	if w.rows && !w.filled {
		return false
	}
	n := w.affected()
	return n >= 0 && n <= int64(found) && w.repeats(ctx)
}

// returned takes the new rows from a RETURNING clause of the user's, if it brought all of them
// with all columns that are needed, and if nobody needs the previous values.
func (u *update) returned(w *watch) bool {
	if !u.narrow() || u.need.Before(u.op, u.fields) {
		return false
	}
	u.rows = returnedRows(w, u.entry)
	return u.rows != nil
}

// newRows lays the assigned values over the previous ones. Values that only the database knows are
// read back.
func (u *update) newRows(ctx context.Context, w *watch) ([]reflect.Value, bool, error) {
	rows := make([]reflect.Value, len(u.rows))
	for i, old := range u.rows {
		rows[i] = u.copyOf(old)
	}
	for _, a := range u.set {
		if !slices.Contains(u.columns, a.field) {
			continue
		}
		if u.assign(ctx, rows, a) {
			continue
		}
		if a.field.PrimaryKey {
			return nil, false, nil
		}
		return u.reread(ctx, w, rows)
	}
	if slices.ContainsFunc(u.columns, func(f *schema.Field) bool { return slices.Contains(u.derived, f) }) {
		return u.reread(ctx, w, rows)
	}
	return rows, true, nil
}

func (u *update) assign(ctx context.Context, rows []reflect.Value, a assignment) bool {
	for _, row := range rows {
		if !set(ctx, a.field, row.Elem(), a.value) {
			return false
		}
	}
	return true
}

// reread reads the rows by their keys, which may have been set, and puts them in the same order.
func (u *update) reread(ctx context.Context, w *watch, rows []reflect.Value) ([]reflect.Value, bool, error) {
	for _, a := range u.set {
		if a.field.PrimaryKey && !u.assign(ctx, rows, a) {
			return nil, false, nil
		}
	}
	found, err := u.readKeys(ctx, w, rows)
	byKey := u.byKey(ctx, found)
	for i, row := range rows {
		if fresh, ok := byKey[u.keyOf(ctx, row)]; ok {
			rows[i] = fresh
		} else {
			return nil, false, err // moved out of sight, by a trigger perhaps
		}
	}
	return rows, err == nil, err
}

// changes makes the changes of the rows. Without old rows the previous values are unknown.
func (u *update) changes(ctx context.Context, rows, old []reflect.Value) []signals.Change {
	changes := make([]signals.Change, 0, len(rows))
	for i, row := range rows {
		c := signals.Change{Model: u.typ, Table: u.table, Op: signals.Update, Fields: u.fields}
		c.New, c.NewFields = u.instance(ctx, row, u.columns)
		if old != nil {
			c.Old, c.OldFields = u.instance(ctx, old[i], u.columns)
		}
		changes = u.add(changes, c)
	}
	return changes
}

// add adds an update, and beside it the creation or deletion that setting a deletion time amounts to: rules
// that watch other fields must hear of it too.
func (u *update) add(changes []signals.Change, c signals.Change) []signals.Change {
	changes = append(changes, c)
	if u.op.Has(signals.Create) {
		changes = append(changes, signals.Change{Model: c.Model, Table: c.Table, Op: signals.Create, New: c.New, NewFields: c.NewFields})
	}
	if u.op.Has(signals.Delete) {
		gone := signals.Change{Model: c.Model, Table: c.Table, Op: signals.Delete, Old: c.Old, OldFields: c.OldFields}
		if gone.Old == nil {
			gone.Old = c.New
			gone.OldFields = u.names(u.schema.PrimaryFields)
		}
		changes = append(changes, gone)
	}
	return changes
}

// pinnedChanges tells what is certain of rows whose keys are known and whose previous values nobody
// needs, or could read: the key and what was set. If rules read more, that is read now.
func (u *update) pinnedChanges(ctx context.Context, w *watch) ([]signals.Change, error) {
	known := append(make([]*schema.Field, 0, len(u.set)+2), u.schema.PrimaryFields...)
	for _, a := range u.set {
		if !u.assign(ctx, u.rows, a) {
			known = slices.DeleteFunc(known, func(f *schema.Field) bool { return f == a.field })
		} else if !slices.Contains(known, a.field) {
			known = append(known, a.field)
		}
	}
	if !covers(known, u.columns) && !w.plugin.config.NoReads && u.keysKept() {
		found, err := u.readKeys(ctx, w, u.rows)
		if err != nil {
			return []signals.Change{u.bulk()}, err
		}
		if len(found) == len(u.rows) {
			return u.changes(ctx, found, nil), nil
		}
	}
	changes := make([]signals.Change, 0, len(u.rows))
	for _, row := range u.rows {
		c := signals.Change{Model: u.typ, Table: u.table, Op: signals.Update, Fields: u.fields}
		c.New, c.NewFields = u.instance(ctx, row, known)
		changes = u.add(changes, c)
	}
	return changes, nil
}

// keysKept reports whether the statement left primary keys alone.
func (u *update) keysKept() bool {
	return !slices.ContainsFunc(u.set, func(a assignment) bool { return a.field.PrimaryKey })
}

// covers reports whether columns include all of want.
func covers(columns, want []*schema.Field) bool {
	return !slices.ContainsFunc(want, func(f *schema.Field) bool { return !slices.Contains(columns, f) })
}
