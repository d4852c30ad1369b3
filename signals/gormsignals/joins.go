package gormsignals

import (
	"database/sql"
	"slices"
	"strings"

	"gorm.io/gorm/clause"

	"github.com/restflow-go/restflow/signals/gormsignals/internal/sniff"
)

// joins knows how GORM joins the conditions of a WHERE clause: by AND or, before a lone Or, by OR.
// Groups of several get parentheses, and SQL text does if GORM finds " AND " or " OR " in it.
// What may be a condition otherwise is taken for one that does harm.
type joins struct{ dialect sniff.Dialect }

// loosens reports whether a condition may let in rows that its neighbours exclude.
func (j joins) loosens(e clause.Expression) bool {
	switch e := e.(type) {
	case clause.OrConditions:
		return len(e.Exprs) < 2 || j.breaks(e)
	case clause.AndConditions:
		return j.breaks(e) || len(e.Exprs) == 1 && j.binds(e.Exprs[0])
	case clause.Where:
		return j.breaks(e) || slices.ContainsFunc(e.Exprs, j.binds)
	case clause.NotConditions:
		if len(e.Exprs) == 1 {
			if text, ok := e.Exprs[0].(clause.Expr); ok {
				return j.loosens(text)
			}
			return j.breaks(e) || j.binds(e.Exprs[0])
		}
	case clause.Expr:
		return j.breaks(e) || !parenthesized(e.SQL) && !sniff.Conjunct(e.SQL, j.dialect)
	case clause.NamedExpr:
		return j.breaks(e) || !parenthesized(e.SQL) && !sniff.Conjunct(e.SQL, j.dialect)
	}
	return j.breaks(e)
}

// binds reports whether a condition that gets no parentheses binds more loosely than AND.
func (j joins) binds(e clause.Expression) bool {
	switch e := e.(type) {
	case clause.Expr:
		return !sniff.Conjunct(e.SQL, j.dialect)
	case clause.NamedExpr:
		return !sniff.Conjunct(e.SQL, j.dialect)
	}
	return j.loosens(e)
}

func parenthesized(text string) bool {
	text = strings.ToUpper(text)
	return strings.Contains(text, clause.AndWithSpace) || strings.Contains(text, clause.OrWithSpace)
}

// breaks reports whether a condition may reach beyond parentheses that are put around it, as SQL
// text can, also in the place of a value or a column.
func (j joins) breaks(e clause.Expression) bool {
	switch e := e.(type) {
	case clause.Where:
		return slices.ContainsFunc(e.Exprs, j.breaks)
	case clause.AndConditions:
		return slices.ContainsFunc(e.Exprs, j.breaks)
	case clause.OrConditions:
		return slices.ContainsFunc(e.Exprs, j.breaks)
	case clause.NotConditions:
		return slices.ContainsFunc(e.Exprs, j.breaks)
	case clause.Expr:
		return !plain(e.Vars) || !sniff.Closed(e.SQL, j.dialect)
	case clause.NamedExpr:
		return slices.ContainsFunc(e.Vars, func(v any) bool { return !plainNamed(v) }) || !sniff.Closed(e.SQL, j.dialect)
	case clause.IN:
		return !plain(e.Values) || !named(e.Column)
	case clause.Eq:
		return !plain(e.Value) || !named(e.Column)
	case clause.Neq:
		return j.breaks(clause.Eq(e))
	case clause.Gt:
		return j.breaks(clause.Eq(e))
	case clause.Gte:
		return j.breaks(clause.Eq(e))
	case clause.Lt:
		return j.breaks(clause.Eq(e))
	case clause.Lte:
		return j.breaks(clause.Eq(e))
	case clause.Like:
		return j.breaks(clause.Eq(e))
	}
	return true
}

// plainNamed is plain for the arguments of @names.
func plainNamed(v any) bool {
	switch v := v.(type) {
	case sql.NamedArg:
		return plain(v.Value)
	case map[string]any:
		for _, e := range v {
			if !plain(e) {
				return false
			}
		}
		return true
	}
	return false
}

// named reports a column that is a name rather than SQL text.
func named(column any) bool {
	switch c := column.(type) {
	case string:
		return true
	case clause.Column:
		return !c.Raw
	case []clause.Column:
		return !slices.ContainsFunc(c, func(c clause.Column) bool { return c.Raw })
	}
	return false
}
