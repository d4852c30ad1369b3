package gormsignals

import (
	"context"
	"reflect"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/restflow-go/restflow/signals"
)

// instance makes a row fit to be published: the pointer, and the Go names of what it holds (nil:
// everything). A foreign key also tells the key of the row it points to.
func (e *entry) instance(ctx context.Context, row reflect.Value, columns []*schema.Field) (any, []string) {
	own := len(columns) == len(e.columns) && len(columns) > 0 && &columns[0] == &e.columns[0]
	switch {
	case own && e.columnNames == nil, !own && e.whole && covers(columns, e.model.columns):
		return row.Interface(), nil
	}
	names := e.columnNames
	if !own {
		names = e.names(columns)
	}
	targets := map[*schema.Relationship]reflect.Value{}
	for path, o := range e.owners {
		if e.needs(path) && slices.Contains(columns, o.ref.ForeignKey) && e.point(ctx, row, o, columns, targets) {
			names = append(names, path)
		}
	}
	return row.Interface(), names
}

func (e *entry) needs(path string) bool {
	return slices.Contains(e.need.Fields, path)
}

// point lets the association of a row hold the key that the foreign key has. The parts of a composite
// one meet in one of targets. A NULL in it is a nil association; where that is no pointer, nothing can
// say so and it stays unknown.
func (e *entry) point(ctx context.Context, row reflect.Value, o owner, columns []*schema.Field, targets map[*schema.Relationship]reflect.Value) bool {
	field := o.rel.Field.ReflectValueOf(ctx, row.Elem())
	if pointsNowhere(ctx, row, o.rel, columns) {
		if field.Kind() == reflect.Pointer {
			field.SetZero()
		}
		return field.Kind() == reflect.Pointer
	}
	target, ok := targets[o.rel]
	if !ok {
		target = reflect.New(o.rel.FieldSchema.ModelType)
		targets[o.rel] = target
	}
	v, _ := o.ref.ForeignKey.ValueOf(ctx, row.Elem())
	if o.ref.PrimaryKey.Set(ctx, target.Elem(), v) != nil {
		return false
	}
	if field.Kind() == reflect.Pointer {
		field.Set(target)
	} else {
		field.Set(target.Elem())
	}
	return true
}

// pointsNowhere reports whether a known part of a foreign key is NULL.
func pointsNowhere(ctx context.Context, row reflect.Value, rel *schema.Relationship, columns []*schema.Field) bool {
	return slices.ContainsFunc(rel.References, func(ref *schema.Reference) bool {
		if ref.OwnPrimaryKey || !slices.Contains(columns, ref.ForeignKey) {
			return false
		}
		v, _ := ref.ForeignKey.ValueOf(ctx, row.Elem())
		return isNull(v)
	})
}

// returnedRows are the rows that a user's RETURNING clause brought into a slice of the model's own
// type, with every column that is needed; nil if there are none such.
func returnedRows(w *watch, e *entry) []reflect.Value {
	stmt := w.db.Statement
	if !w.rows || !w.filled || stmt.Schema == nil || stmt.Schema.ModelType != e.typ || stmt.ReflectValue.Kind() != reflect.Slice {
		return nil
	}
	if int64(stmt.ReflectValue.Len()) != w.db.RowsAffected || stmt.ReflectValue.Len() > w.plugin.config.MaxRows {
		return nil
	}
	if !covers(e.returning(stmt), e.columns) {
		return nil
	}
	rows := make([]reflect.Value, stmt.ReflectValue.Len())
	for i := range rows {
		rows[i] = e.copyOf(stmt.ReflectValue.Index(i))
	}
	return rows
}

// returning lists the columns that come back.
func (e *entry) returning(stmt *gorm.Statement) []*schema.Field {
	r, ok := stmt.Clauses["RETURNING"].Expression.(clause.Returning)
	switch {
	case !ok:
		return nil
	case len(r.Columns) == 0 || r.Columns[0].Name == "*":
		return e.model.columns
	}
	var fields []*schema.Field
	for _, c := range r.Columns {
		if f := e.column(c.Name); f != nil {
			fields = append(fields, f)
		}
	}
	return fields
}

// whole is the work of a model that is only known to be written.
type whole struct {
	*entry
	op signals.Op
}

func (*whole) before(context.Context, *watch) error { return nil }

func (o *whole) after(context.Context, *watch) ([]signals.Change, error) {
	return []signals.Change{o.bulk()}, nil
}

func (o *whole) bulk() signals.Change {
	return signals.Change{Model: o.typ, Table: o.table, Op: o.op, Bulk: true}
}
