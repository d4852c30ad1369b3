package sniff

// Fixed reports whether the WHERE of a statement picks the same rows whenever it is evaluated, as
// long as those rows stay as they are: it reads no other table, calls no function that is not
// known to be of its arguments alone, and looks at no clock and no variable.
func Fixed(sql string, d Dialect) bool {
	tokens, ok := lex(sql, d)
	if !ok {
		return false
	}
	p := &parser{Dialect: d, tokens: tokens}
	i := p.topLevel(0, "WHERE")
	end := p.topLevel(i, "RETURNING", "ORDER", "LIMIT")
	for ; i < end; i++ {
		switch t := p.at(i); {
		case t.is("SELECT", "VALUES", "TABLE", "WITH"), t.is(clocks...):
			return false
		case t.name() && p.at(i+1).punct('(') && !t.is(fixed...):
			return false
		case t.punct('@') && p.at(i+1).name(): // MySQL's user variables
			return false
		}
	}
	return true
}

// clocks are functions without parentheses, all but those of the session.
var clocks = []string{
	"CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME", "LOCALTIME", "LOCALTIMESTAMP", "UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP",
}

// fixed are the words that may stand before a parenthesis: keywords, types, and functions of their
// arguments alone.
var fixed = []string{
	"WHERE", "AND", "OR", "XOR", "NOT", "IN", "IS", "LIKE", "ILIKE", "BETWEEN", "CASE", "WHEN", "THEN", "ELSE", "ANY", "ALL", "SOME", "ROW", "AS", "BY",
	"CHAR", "VARCHAR", "DECIMAL", "NUMERIC",
	"LOWER", "UPPER", "LENGTH", "CHAR_LENGTH", "TRIM", "LTRIM", "RTRIM", "SUBSTR", "SUBSTRING", "CONCAT", "COALESCE", "IFNULL", "NULLIF", "CAST",
	"ABS", "ROUND", "FLOOR", "CEIL", "MOD", "GREATEST", "LEAST",
}

// topLevel returns the place of the first of the keywords from i on that stands in no parentheses,
// or the end.
func (p *parser) topLevel(i int, keywords ...string) int {
	for i < len(p.tokens) {
		switch {
		case p.at(i).punct('('):
			i = p.skip(i)
			continue
		case p.at(i).is(keywords...):
			return i
		}
		i++
	}
	return i
}

// Closed reports whether a condition leaves its neighbours alone when it is put in parentheses: its own ones
// pair, its quotes end, and it has no comment that could swallow what follows.
func Closed(sql string, d Dialect) bool {
	_, ok := condition(sql, d)
	return ok
}

// Conjunct reports whether a condition may stand between others that are joined by AND, without
// parentheses around it: it is Closed and has nothing that binds more loosely.
func Conjunct(sql string, d Dialect) bool {
	p, ok := condition(sql, d)
	if !ok || p.topLevel(0, "OR", "XOR") < len(p.tokens) {
		return false
	}
	for i := range p.tokens {
		if p.at(i).punct('|') && p.at(i+1).punct('|') { // OR in MySQL
			return false
		}
	}
	return true
}

func condition(sql string, d Dialect) (*parser, bool) {
	l := &lexer{Dialect: d, sql: sql}
	p := &parser{Dialect: d}
	depth := 0
	for {
		t, ok := l.next()
		switch {
		case !ok:
			return p, depth == 0 && !l.bad && !l.commented
		case t.punct('('):
			depth++
		case t.punct(')'):
			depth--
		}
		if depth < 0 || t.punct(';') {
			return p, false
		}
		p.tokens = append(p.tokens, t)
	}
}
