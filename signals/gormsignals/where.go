package gormsignals

import (
	"context"
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
	values := map[*schema.Field][]any{}
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
			if f := m.key(e.Column); f != nil {
				values[f] = []any{e.Value}
			}
		case clause.IN:
			if rows, ok := m.pinnedIn(ctx, e); ok {
				return rows, true
			}
			if f := m.key(e.Column); f != nil {
				values[f] = e.Values
			}
		}
	}
	return m.combine(ctx, values)
}

// combine makes a row of every combination of the values of the key's parts.
func (m *model) combine(ctx context.Context, values map[*schema.Field][]any) ([]reflect.Value, bool) {
	if len(m.schema.PrimaryFields) == 0 {
		return nil, false
	}
	rows := []reflect.Value{reflect.New(m.typ)}
	for _, f := range m.schema.PrimaryFields {
		if len(values[f])*len(rows) > maxCombined || len(values[f]) == 0 {
			return nil, false
		}
		var next []reflect.Value
		for _, v := range values[f] {
			for _, row := range rows {
				c := m.copyOf(row)
				if !plain(v) || isList(v) || f.Set(ctx, c.Elem(), v) != nil {
					return nil, false
				}
				next = append(next, c)
			}
		}
		rows = next
	}
	return rows, !slices.ContainsFunc(rows, func(row reflect.Value) bool { return !m.keyed(row.Elem()) })
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

// key returns the primary key field that a column of a condition names, if it is one.
func (m *model) key(column any) *schema.Field {
	var name string
	switch c := column.(type) {
	case string:
		name = c
	case clause.Column:
		if c.Raw || c.Table != "" && c.Table != clause.CurrentTable && tableName(c.Table) != m.table {
			return nil
		}
		name = c.Name
	}
	if f := m.column(name); f != nil && f.PrimaryKey {
		return f
	}
	return nil
}

func (m *model) keys(column any) []*schema.Field {
	columns, ok := column.([]clause.Column)
	if !ok {
		if f := m.key(column); f != nil {
			return []*schema.Field{f}
		}
		return nil
	}
	fields := make([]*schema.Field, len(columns))
	for i, c := range columns {
		if fields[i] = m.key(c); fields[i] == nil {
			return nil
		}
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

func isList(v any) bool {
	t := reflect.TypeOf(v)
	return t != nil && t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8
}
