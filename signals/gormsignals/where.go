package gormsignals

import (
	"context"
	"database/sql/driver"
	"reflect"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/restflow-go/restflow/signals/gormsignals/internal/sniff"
)

// pins returns rows that hold nothing but the primary keys which the WHERE clause names, if
// it can match no others: a comparison of the whole key with plain values that everything else
// is ANDed to.
func (m *model) pins(stmt *gorm.Statement) ([]reflect.Value, bool) {
	where, ok := stmt.Clauses["WHERE"].Expression.(clause.Where)
	if !ok || slices.ContainsFunc(m.schema.PrimaryFields, func(f *schema.Field) bool { return !comparesAsGo(f, stmt) }) {
		return nil, false
	}
	return (&pinner{m, stmt, joins{sniff.For(stmt.Dialector.Name())}}).pinned(where.Exprs)
}

// comparesAsGo reports whether the database takes two keys for equal if and only if Go does. MySQL's
// collations take words in different letter case for the same, and a time is rounded to what a column holds.
func comparesAsGo(f *schema.Field, stmt *gorm.Statement) bool {
	kind := f.IndirectFieldType.Kind()
	if stmt.Dialector.Name() == "mysql" {
		return reflect.Bool <= kind && kind <= reflect.Uint64
	}
	typ := strings.ToUpper(f.TagSettings["TYPE"])
	return f.DataType != schema.Time && !strings.Contains(typ, "CITEXT") && !strings.Contains(typ, "COLLATE")
}

// pinner looks for a model's keys in the conditions of a statement.
type pinner struct {
	*model
	stmt *gorm.Statement
	joins
}

func (p *pinner) pinned(exprs []clause.Expression) ([]reflect.Value, bool) {
	if slices.ContainsFunc(exprs, p.loosens) {
		return nil, false
	}
	values := make([][]any, len(p.schema.PrimaryFields))
	for _, e := range exprs {
		switch e := e.(type) {
		case clause.Where:
			if rows, ok := p.pinned(e.Exprs); ok {
				return rows, true
			}
		case clause.AndConditions:
			if rows, ok := p.pinned(e.Exprs); ok {
				return rows, true
			}
		case clause.Eq:
			if i := p.key(e.Column); i >= 0 {
				values[i] = []any{e.Value}
			}
		case clause.IN:
			if rows, ok := p.pinnedIn(e); ok {
				return rows, true
			}
			if i := p.key(e.Column); i >= 0 {
				values[i] = e.Values
			}
		}
	}
	return p.combine(p.stmt.Context, values)
}

// combine makes a row of every combination of the values of the key's parts.
func (m *model) combine(ctx context.Context, values [][]any) ([]reflect.Value, bool) {
	n := min(len(values), 1)
	for _, v := range values {
		if n *= len(v); n == 0 || n > maxCombined {
			return nil, false
		}
	}
	rows := make([]reflect.Value, n)
	for r := range rows {
		rows[r] = reflect.New(m.typ)
		rest := r
		for i, f := range m.schema.PrimaryFields {
			v := values[i][rest%len(values[i])]
			rest /= len(values[i])
			if isList(v) || !set(ctx, f, rows[r].Elem(), v) {
				return nil, false
			}
		}
		if !m.keyed(rows[r].Elem()) {
			return nil, false
		}
	}
	return rows, n > 0
}

// maxCombined bounds the combinations of a composite key's parts.
const maxCombined = 10_000

// pinnedIn reads `key IN (…)`, and `(key1, key2) IN ((…), …)` of a composite key.
func (p *pinner) pinnedIn(in clause.IN) ([]reflect.Value, bool) {
	fields := p.keys(in.Column)
	if len(fields) == 0 || len(fields) != len(p.schema.PrimaryFields) {
		return nil, false
	}
	rows := make([]reflect.Value, 0, len(in.Values))
	for _, v := range in.Values {
		tuple := []any{v}
		if len(fields) > 1 {
			var ok bool
			if tuple, ok = v.([]any); !ok || len(tuple) != len(fields) {
				return nil, false
			}
		}
		row := reflect.New(p.typ)
		for i, f := range fields {
			if isList(tuple[i]) || !set(p.stmt.Context, f, row.Elem(), tuple[i]) {
				return nil, false
			}
		}
		rows = append(rows, row)
	}
	return rows, true
}

// key returns which part of the primary key a column of a condition names, or -1. The statement's own model
// says which column is meant by "the primary key".
func (p *pinner) key(column any) int {
	var name string
	switch c := column.(type) {
	case string:
		name = c
	case clause.Column:
		if c.Raw || c.Table != "" && c.Table != clause.CurrentTable && tableName(c.Table) != p.table {
			return -1
		}
		name = c.Name
	}
	if own := p.stmt.Schema; name == clause.PrimaryKey && own != nil && own.PrioritizedPrimaryField != nil {
		name = own.PrioritizedPrimaryField.DBName
	}
	return slices.Index(p.schema.PrimaryFields, p.column(name))
}

// keys returns the parts that one column, or a list of them, names; nil if one is no part.
func (p *pinner) keys(column any) []*schema.Field {
	columns, ok := column.([]clause.Column)
	if !ok {
		if i := p.key(column); i >= 0 {
			return p.schema.PrimaryFields[i : i+1]
		}
		return nil
	}
	fields := make([]*schema.Field, len(columns))
	for j, c := range columns {
		i := p.key(c)
		if i < 0 {
			return nil
		}
		fields[j] = p.schema.PrimaryFields[i]
	}
	return fields
}

// plain reports whether a value goes to the database as it is, rather than as SQL.
func plain(v any) bool {
	switch v := v.(type) {
	case clause.Expression, clause.Column, clause.Table, gorm.Valuer, *gorm.DB:
		return false
	case []any:
		for _, e := range v {
			if !plain(e) {
				return false
			}
		}
	}
	return true
}

// isNull reports a value that is NULL in the database.
func isNull(v any) bool {
	if valuer, ok := v.(driver.Valuer); ok {
		if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer && rv.IsNil() {
			return true
		}
		v, _ = valuer.Value()
	}
	rv := reflect.ValueOf(v)
	return !rv.IsValid() || rv.Kind() == reflect.Pointer && rv.IsNil()
}

func isList(v any) bool {
	t := reflect.TypeOf(v)
	return t != nil && t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8
}
