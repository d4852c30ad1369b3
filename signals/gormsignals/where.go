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
)

// pins returns rows that hold nothing but the primary keys which the WHERE clause names, if
// it can match no others: a comparison of the whole key with plain values that everything else
// is ANDed to.
func (m *model) pins(stmt *gorm.Statement) ([]reflect.Value, bool) {
	where, ok := stmt.Clauses["WHERE"].Expression.(clause.Where)
	if !ok {
		return nil, false
	}
	return m.pinned(stmt.Context, where.Exprs)
}

func (m *model) pinned(ctx context.Context, exprs []clause.Expression) ([]reflect.Value, bool) {
	if slices.ContainsFunc(exprs, loosens) {
		return nil, false
	}
	values := make([][]any, len(m.schema.PrimaryFields))
	for _, e := range exprs {
		switch e := e.(type) {
		case clause.Where:
			if rows, ok := m.pinned(ctx, e.Exprs); ok {
				return rows, true
			}
		case clause.AndConditions:
			if rows, ok := m.pinned(ctx, e.Exprs); ok {
				return rows, true
			}
		case clause.Eq:
			if i := m.key(e.Column); i >= 0 {
				values[i] = []any{e.Value}
			}
		case clause.IN:
			if rows, ok := m.pinnedIn(ctx, e); ok {
				return rows, true
			}
			if i := m.key(e.Column); i >= 0 {
				values[i] = e.Values
			}
		}
	}
	return m.combine(ctx, values)
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
			if !plain(v) || isList(v) || f.Set(ctx, rows[r].Elem(), v) != nil {
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

// loosens reports whether an expression may let in rows that its neighbours exclude: GORM joins a
// lone Or by OR, and puts SQL text in parentheses only if it finds " OR " in it.
func loosens(e clause.Expression) bool {
	var sql string
	switch e := e.(type) {
	case clause.OrConditions:
		return len(e.Exprs) < 2
	case clause.AndConditions:
		return len(e.Exprs) == 1 && loosens(e.Exprs[0])
	case clause.Expr:
		sql = e.SQL
	case clause.NamedExpr:
		sql = e.SQL
	}
	sql = strings.ToUpper(sql)
	return strings.Contains(sql, "OR") && !strings.Contains(sql, " OR ") && !strings.Contains(sql, " AND ")
}

// pinnedIn reads `key IN (…)`, and `(key1, key2) IN ((…), …)` of a composite key.
func (m *model) pinnedIn(ctx context.Context, in clause.IN) ([]reflect.Value, bool) {
	fields := m.keys(in.Column)
	if len(fields) == 0 || len(fields) != len(m.schema.PrimaryFields) {
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
		row := reflect.New(m.typ)
		for i, f := range fields {
			if !plain(tuple[i]) || isList(tuple[i]) || f.Set(ctx, row.Elem(), tuple[i]) != nil {
				return nil, false
			}
		}
		rows = append(rows, row)
	}
	return rows, true
}

// key returns which part of the primary key a column of a condition names, or -1.
func (m *model) key(column any) int {
	var name string
	switch c := column.(type) {
	case string:
		name = c
	case clause.Column:
		if c.Raw || c.Table != "" && c.Table != clause.CurrentTable && tableName(c.Table) != m.table {
			return -1
		}
		name = c.Name
	}
	return slices.Index(m.schema.PrimaryFields, m.column(name))
}

// keys returns the parts that one column, or a list of them, names; nil if one is no part.
func (m *model) keys(column any) []*schema.Field {
	columns, ok := column.([]clause.Column)
	if !ok {
		if i := m.key(column); i >= 0 {
			return m.schema.PrimaryFields[i : i+1]
		}
		return nil
	}
	fields := make([]*schema.Field, len(columns))
	for j, c := range columns {
		i := m.key(c)
		if i < 0 {
			return nil
		}
		fields[j] = m.schema.PrimaryFields[i]
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
