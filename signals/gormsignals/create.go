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
)

// creation makes the changes of an INSERT for one model.
type creation struct {
	*entry
	values  clause.Values
	ignores bool // rows that conflict are left out
	own     bool // the caller's rows are of the model's type
}

// creating picks the work of an INSERT. One that may replace rows that exist is an upsert.
func (p *Plugin) creating(db *gorm.DB, s subjects) []work {
	given := db.Statement.Clauses["ON CONFLICT"].Expression
	conflict, ok := given.(clause.OnConflict)
	if given != nil && !ok { // a clause of the user's own, which may do anything
		return each(s, func(e *entry) work { return &whole{entry: e, op: signals.AnyOp} }, signals.AnyOp)
	}
	ignores := ok && conflict.DoNothing
	if insert, found := db.Statement.Clauses["INSERT"].Expression.(clause.Insert); found && insert.Modifier != "" {
		if ignores = strings.EqualFold(insert.Modifier, "IGNORE") || strings.EqualFold(insert.Modifier, "OR IGNORE"); !ignores {
			return each(s, func(e *entry) work { return &whole{entry: e, op: signals.AnyOp} }, signals.AnyOp)
		}
	}
	if ok && !ignores {
		return each(s, func(e *entry) work { return &upsert{creation: creation{entry: e}} }, signals.Create|signals.Update)
	}
	return each(s, func(e *entry) work { return &creation{entry: e, ignores: ignores} }, signals.Create)
}

// before takes the VALUES clause, which is there only while the statement runs. An INSERT that may leave
// nothing out and still counts no row was led elsewhere by a trigger.
func (c *creation) before(_ context.Context, w *watch) error {
	c.values = valuesOf(w)
	w.uncounted = w.uncounted || !c.ignores
	return nil
}

func valuesOf(w *watch) clause.Values {
	values, _ := w.db.Statement.Clauses["VALUES"].Expression.(clause.Values)
	return values
}

func (c *creation) bulk() signals.Change {
	return signals.Change{Model: c.typ, Table: c.table, Op: signals.Create, Bulk: true}
}

func (c *creation) after(ctx context.Context, w *watch) ([]signals.Change, error) {
	rows, known, ok := c.inserted(ctx, w)
	if !ok {
		return []signals.Change{c.bulk()}, nil
	}
	if !covers(known, c.columns) && (covers(known, c.schema.PrimaryFields) || c.ownKeys()) && !w.plugin.config.NoReads {
		found, err := c.readKeys(ctx, w, rows)
		if err != nil {
			return []signals.Change{c.bulk()}, err
		}
		if len(found) == len(rows) {
			rows, known = found, c.columns
		}
	}
	changes := make([]signals.Change, len(rows))
	for i, row := range rows {
		changes[i] = signals.Change{Model: c.typ, Table: c.table, Op: signals.Create}
		changes[i].New, changes[i].NewFields = c.instance(ctx, row, known)
	}
	return changes, nil
}

// inserted returns the rows as they were written, and the columns that are certain in all of them.
func (c *creation) inserted(ctx context.Context, w *watch) (rows []reflect.Value, known []*schema.Field, ok bool) {
	n := len(c.values.Values)
	if n == 0 && len(c.values.Columns) == 0 {
		n = 1 // INSERT … DEFAULT VALUES
	}
	if n > w.plugin.config.MaxRows || !c.narrow() {
		return nil, nil, false
	}
	known = c.certain()
	if rows = c.instances(w.db.Statement, n); rows != nil {
		c.own = true
		known = append(known, c.filledIn(w, rows, known)...)
		return rows, known, true
	}
	known = slices.DeleteFunc(known, func(f *schema.Field) bool { return f.Serializer != nil })
	rows = make([]reflect.Value, n)
	for i := range rows {
		rows[i] = reflect.New(c.typ)
	}
	if n == 0 || !c.fill(ctx, rows, known) {
		return nil, nil, false
	}
	return rows, c.mapKey(ctx, w.db.Statement, rows, known), true
}

// mapKey takes the primary key that GORM has put into a map.
func (c *creation) mapKey(ctx context.Context, stmt *gorm.Statement, rows []reflect.Value, known []*schema.Field) []*schema.Field {
	f := c.schema.PrioritizedPrimaryField
	if f == nil || len(rows) != 1 || slices.Contains(known, f) {
		return known
	}
	dest, ok := reflect.TypeAssert[map[string]any](reflect.Indirect(reflect.ValueOf(stmt.Dest)))
	if key := dest[f.DBName]; ok && key != nil && set(ctx, f, rows[0].Elem(), key) {
		return append(known, f)
	}
	return known
}

// certain lists the columns of the statement whose values are known in every row.
func (c *creation) certain() []*schema.Field {
	fields := make([]*schema.Field, 0, len(c.values.Columns)+1)
	for i, column := range c.values.Columns {
		f := c.column(column.Name)
		if f == nil || !f.Readable || slices.ContainsFunc(c.values.Values, func(row []any) bool { return i >= len(row) || !isGiven(f, row[i]) }) {
			continue
		}
		fields = append(fields, f)
	}
	return fields
}

// instances copies the caller's own rows, if they are of the model's type.
func (c *creation) instances(stmt *gorm.Statement, n int) []reflect.Value {
	v := stmt.ReflectValue
	if stmt.Schema == nil || stmt.Schema.ModelType != c.typ {
		return nil
	}
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == c.typ && n == 1 {
			return []reflect.Value{c.copyOf(v)}
		}
	case reflect.Slice, reflect.Array:
		if v.Len() != n || structType(v.Type().Elem()) != c.typ {
			return nil
		}
		rows := make([]reflect.Value, n)
		for i := range rows {
			rows[i] = c.copyOf(v.Index(i))
		}
		return rows
	}
	return nil
}

// filledIn lists the columns that GORM has set in the caller's rows after the statement: what came
// back by RETURNING, and the primary key by the driver's last insert id. If only some rows were
// inserted, GORM cannot tell which of them an id belongs to; nor can it if some brought their own.
func (c *creation) filledIn(w *watch, rows []reflect.Value, known []*schema.Field) (fields []*schema.Field) {
	if c.ignores && w.affected() != int64(len(rows)) {
		return nil
	}
	if w.rows {
		for _, f := range c.returning(w.db.Statement) {
			if !slices.Contains(known, f) {
				fields = append(fields, f)
			}
		}
	}
	for _, f := range c.schema.PrimaryFields {
		if c.place(f) < 0 && !slices.Contains(known, f) && !slices.Contains(fields, f) && !slices.ContainsFunc(rows, func(row reflect.Value) bool {
			_, zero := f.ValueOf(context.Background(), row.Elem())
			return zero
		}) && (len(rows) == 1 || w.rows || w.stepsBy(f.AutoIncrementIncrement)) {
			fields = append(fields, f)
		}
	}
	return fields
}

// place returns where the statement gives a column its value, be it DEFAULT; -1 if it does not.
func (c *creation) place(f *schema.Field) int {
	return slices.IndexFunc(c.values.Columns, func(column clause.Column) bool { return c.column(column.Name) == f })
}

// ownKeys reports whether the caller's rows hold the keys that the statement gives, in whatever
// spelling: the database finds them by it.
func (c *creation) ownKeys() bool {
	for _, f := range c.schema.PrimaryFields {
		i := c.place(f)
		if i < 0 || slices.ContainsFunc(c.values.Values, func(row []any) bool { return i >= len(row) || !plain(row[i]) }) {
			return false
		}
	}
	return c.own
}

// fill makes rows of the statement's values: of maps, and of other types stored in the same table.
func (c *creation) fill(ctx context.Context, rows []reflect.Value, known []*schema.Field) bool {
	for i, column := range c.values.Columns {
		f := c.column(column.Name)
		if f == nil || !slices.Contains(known, f) {
			continue
		}
		for j, row := range rows {
			if !set(ctx, f, row.Elem(), c.values.Values[j][i]) {
				return false
			}
		}
	}
	return true
}
