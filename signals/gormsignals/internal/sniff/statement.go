package sniff

import (
	"slices"
	"strings"
)

// Verb says what a statement does, as far as invalidation cares.
type Verb uint8

// The verbs.
const (
	Read    Verb = iota // writes no table
	Write               // writes Tables
	Unknown             // may write any table
	Begin
	Commit
	Rollback
	Savepoint // Name
	RollbackTo
	Release
)

// Statement is one statement of a text.
type Statement struct {
	Verb    Verb
	Tables  []string // the tables written: last part of the name, in lower case
	Name    string   // the savepoint's, in lower case
	Counted bool     // a single write that may find nothing to do: no affected row means that it wrote nothing
	Commits bool     // the database commits the open transaction before it runs this
	Chains  bool     // COMMIT and ROLLBACK AND CHAIN begin the next transaction at once
}

// Parse splits sql and tells about each statement. Text whose quotes never end is one Unknown.
func Parse(sql string, d Dialect) []Statement {
	tokens, ok := lex(sql, d)
	if !ok {
		return []Statement{{Verb: Unknown}}
	}
	var all []Statement
	for len(tokens) > 0 {
		p := &parser{Dialect: d}
		p.tokens, tokens = cut(tokens)
		if len(p.tokens) > 0 {
			all = append(all, p.statement())
		}
	}
	return all
}

// cut takes the first statement. The body of a stored routine may hold semicolons, so such a
// definition takes the rest.
func cut(tokens []token) (first, rest []token) {
	if definesRoutine(tokens) {
		return tokens, nil
	}
	for i, t := range tokens {
		if t.punct(';') {
			return tokens[:i], tokens[i+1:]
		}
	}
	return tokens, nil
}

func definesRoutine(tokens []token) bool {
	if len(tokens) == 0 || !tokens[0].is("CREATE", "ALTER") {
		return false
	}
	for _, t := range tokens[:min(len(tokens), 12)] {
		switch {
		case t.is("FUNCTION", "PROCEDURE", "TRIGGER", "EVENT", "PACKAGE"):
			return true
		case t.is("TABLE", "VIEW", "INDEX", "AS", "ON"), t.punct('('):
			return false
		}
	}
	return false
}

type parser struct {
	Dialect
	tokens []token
	tables []string
}

// at returns the i-th token, or one that is nothing.
func (p *parser) at(i int) token {
	if i < 0 || i >= len(p.tokens) {
		return token{kind: text}
	}
	return p.tokens[i]
}

func (p *parser) statement() Statement {
	start := p.open(0)
	if p.at(start).is("SET") && p.at(start+1).is("STATEMENT") { // MariaDB's settings for one statement
		if start = p.topLevel(start, "FOR") + 1; start > len(p.tokens) {
			return Statement{Verb: Unknown}
		}
	}
	s := p.classify(start)
	s.Commits = s.Commits || p.Implicit && p.commits(start)
	return s
}

func (p *parser) classify(i int) Statement {
	switch t := p.at(i); {
	case t.is("SELECT", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC", "USE", "PRAGMA", "SET", "RESET",
		"LISTEN", "NOTIFY", "UNLISTEN", "VACUUM", "CHECKPOINT", "LOCK", "UNLOCK", "FETCH",
		"MOVE", "CLOSE", "DISCARD", "DECLARE", "FLUSH", "KILL", "OPTIMIZE", "REINDEX", "CLUSTER", "ATTACH", "DETACH",
		"GRANT", "REVOKE", "COMMENT", "DEALLOCATE", "HANDLER", "CHECK", "REPAIR"):
		return Statement{}
	case t.is("EXPLAIN", "ANALYZE", "ANALYSE"): // MariaDB leaves EXPLAIN out
		return p.explain(i)
	case t.is(writes...):
		p.nested(i)
		if len(p.tables) == 0 {
			return Statement{Verb: Unknown}
		}
		return Statement{Verb: Write, Tables: p.tables, Counted: len(p.tables) == 1 && !p.always(i)}
	case t.is("WITH"):
		return p.with(i)
	case t.is("CREATE"):
		return p.create(i)
	case t.is("TRUNCATE", "COPY", "LOAD", "DROP", "ALTER", "RENAME", "REFRESH"):
		return p.schema(i)
	}
	return p.control(i)
}

// always reports an INSERT of values that leaves none out: one that counts no row was led elsewhere, by a
// trigger.
func (p *parser) always(i int) bool {
	if !p.at(i).is("INSERT") || p.topLevel(i, "VALUES", "VALUE") == len(p.tokens) {
		return false
	}
	return !slices.ContainsFunc(p.tokens[i:], func(t token) bool { return t.is("ON", "OR", "IGNORE", "SELECT") })
}

// explain looks into what EXPLAIN ANALYZE runs.
func (p *parser) explain(i int) Statement {
	analyze := false
	for ; i < len(p.tokens); i++ {
		switch t := p.at(i); {
		case t.is("ANALYZE", "ANALYSE"):
			analyze = true
		case t.is("SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES", "TABLE", "EXECUTE", "DECLARE", "CREATE"):
			if !analyze {
				return Statement{}
			}
			s := p.classify(i)
			s.Counted = false
			return s
		}
	}
	return Statement{}
}

// with looks for writes in the common table expressions and in the main statement. That is the
// first thing in no parentheses that can be one; between it and the list may stand SEARCH and CYCLE.
func (p *parser) with(i int) Statement {
	p.nested(i)
	main := p.topLevel(i, verbs...)
	for j := i; j < len(p.tokens) && main == len(p.tokens); j++ {
		if p.at(j).punct(')') && p.at(j+1).punct('(') { // the main statement may be in parentheses
			main = p.topLevel(p.open(j+1), verbs...)
		}
	}
	switch {
	case main == len(p.tokens):
		return Statement{Verb: Unknown}
	case p.at(main).is(writes...):
		p.write(main)
	}
	return p.collected()
}

// collected is a statement that writes the tables found so far.
func (p *parser) collected() Statement {
	if len(p.tables) == 0 {
		return Statement{}
	}
	return Statement{Verb: Write, Tables: p.tables}
}

var (
	writes = []string{"INSERT", "REPLACE", "UPDATE", "DELETE", "MERGE"}
	verbs  = append([]string{"SELECT", "VALUES", "TABLE"}, writes...)
)

// open returns the place behind the parentheses that open at i.
func (p *parser) open(i int) int {
	for p.at(i).punct('(') {
		i++
	}
	return i
}

// nested collects the tables of every write from i on. A verb counts at the start and beside a parenthesis,
// which opens a query or closes the list of a WITH: anywhere else it is part of another clause
// (FOR UPDATE, ON CONFLICT DO UPDATE), or a main statement that with finds. Followed by a parenthesis
// it is a function.
func (p *parser) nested(from int) {
	for i := from; i < len(p.tokens); i++ {
		first := i == from || p.at(i-1).punct('(') || p.at(i-1).punct(')')
		if first && p.at(i).is(writes...) && !p.at(i+1).punct('(') {
			p.write(i)
		}
	}
}

func (p *parser) write(i int) {
	switch t := p.at(i); {
	case t.is("UPDATE"):
		p.update(i + 1)
	case t.is("DELETE"):
		p.delete(i + 1)
	default:
		p.into(i + 1)
	}
}

// into finds the table of INSERT, REPLACE and MERGE; INTO may be missing.
func (p *parser) into(i int) {
	for ; p.at(i).is("INTO", "IGNORE", "LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "OVERWRITE", "ONLY",
		"OR", "ROLLBACK", "ABORT", "REPLACE", "FAIL", "TOP") || p.at(i).punct('('); i++ {
		if p.at(i).punct('(') {
			i = p.skip(i) - 1
		}
	}
	p.table(i)
}

// update collects every table between UPDATE and SET, since MySQL updates joins.
func (p *parser) update(i int) {
	for p.at(i).is("LOW_PRIORITY", "IGNORE", "OR", "ROLLBACK", "ABORT", "REPLACE", "FAIL", "TOP") || p.at(i).punct('(') && p.at(i-1).is("TOP") {
		if i++; p.at(i - 1).punct('(') {
			i = p.skip(i - 1)
		}
	}
	i = p.references(i, "SET")
	if p.FromWrites {
		p.from(i)
	}
}

// delete collects the table after FROM. MySQL's forms with several tables name them before FROM or
// before USING, perhaps by aliases: there every table that is mentioned counts.
func (p *parser) delete(i int) {
	start := i
	for i < len(p.tokens) && !p.at(i).is("FROM", "WHERE", "RETURNING") {
		i++
	}
	several := i > start && !p.at(start).is("LOW_PRIORITY", "QUICK", "IGNORE")
	switch {
	case !p.at(i).is("FROM"): // DELETE t WHERE …
		p.table(start)
	case several:
		p.references(start, "FROM")
		p.references(i+1, "WHERE", "ORDER", "LIMIT", "RETURNING", "OUTPUT")
	default:
		n := len(p.tables)
		end := p.references(i+1, "WHERE", "USING", "ORDER", "LIMIT", "RETURNING", "OUTPUT")
		if p.at(end).is("USING") && (p.Using || len(p.tables) > n+1) {
			p.references(end+1, "WHERE", "ORDER", "LIMIT", "RETURNING")
		}
	}
}

// from collects the tables of the statement's own FROM clause.
func (p *parser) from(i int) {
	for ; i < len(p.tokens); i++ {
		if p.at(i).punct('(') {
			i = p.skip(i) - 1
		} else if p.at(i).is("FROM") {
			p.references(i+1, "WHERE", "RETURNING", "OPTION")
			return
		}
	}
}

// references collects the table names of a list with joins, up to one of the keywords, and returns
// where that stands.
func (p *parser) references(i int, until ...string) int {
	expect := true
	for i < len(p.tokens) && !p.at(i).is(until...) {
		switch t := p.at(i); {
		case t.punct('(') && !expect:
			i = p.skip(i)
			continue
		case t.punct(')') && !expect:
			return i
		case t.punct(','), t.is("JOIN", "STRAIGHT_JOIN"):
			expect = true
		case t.is("ONLY", "LATERAL"), t.punct('('):
		case expect:
			i = p.table(i)
			expect = false
			continue
		}
		i++
	}
	return i
}

// skip returns the place behind the parenthesis that closes the one at i.
func (p *parser) skip(i int) int {
	depth := 0
	for ; i < len(p.tokens); i++ {
		if p.at(i).punct('(') {
			depth++
		} else if p.at(i).punct(')') {
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return i
}

// table reads a dotted name, adds its last part and returns the place behind it.
func (p *parser) table(i int) int {
	if !p.at(i).name() {
		return i + 1
	}
	for p.at(i + 1).punct('.') {
		i++
		for p.at(i).punct('.') { // SQL Server's db..table
			i++
		}
		if p.at(i).punct('*') { // MySQL's DELETE t.* FROM
			i--
			p.add(p.at(i - 1).text)
			return i + 2
		}
	}
	p.add(p.at(i).text)
	return i + 1
}

func (p *parser) add(name string) {
	name = strings.ToLower(name)
	if !slices.Contains(p.tables, name) {
		p.tables = append(p.tables, name)
	}
}
