package sniff

import "strings"

// schema reads statements that change whole tables.
func (p *parser) schema(i int) Statement {
	verb := p.at(i)
	switch {
	case verb.is("COPY"):
		return p.copyFrom(i + 1)
	case verb.is("LOAD"):
		return p.load(i + 1)
	case verb.is("REFRESH"):
		return p.wholeTables(p.past(i+1, "MATERIALIZED", "VIEW", "CONCURRENTLY"))
	case verb.is("TRUNCATE"):
		return p.wholeTables(p.past(i+1, "TABLE"))
	case verb.is("RENAME") && p.at(i+1).is("TABLE", "TABLES"):
		return p.wholeTables(i + 2)
	}
	for j := i + 1; j < min(len(p.tokens), i+6); j++ {
		switch t := p.at(j); {
		case t.is("TABLE", "VIEW"):
			return p.wholeTables(p.past(j+1, "IF", "EXISTS", "ONLY"))
		case t.is("DATABASE", "SCHEMA", "OWNED"):
			return Statement{Verb: Unknown}
		}
	}
	return Statement{}
}

func (p *parser) past(i int, keywords ...string) int {
	for p.at(i).is(keywords...) {
		i++
	}
	return i
}

// wholeTables collects a list of tables. CASCADE reaches tables that are not named.
func (p *parser) wholeTables(i int) Statement {
	p.references(i, "ADD", "DROP", "RENAME", "ALTER", "MODIFY", "CHANGE", "SET")
	for _, t := range p.tokens {
		if t.is("CASCADE") && p.at(0).is("TRUNCATE") {
			return Statement{Verb: Unknown}
		}
	}
	if len(p.tables) == 0 {
		return Statement{Verb: Unknown}
	}
	return Statement{Verb: Write, Tables: p.tables}
}

// create reads statements that make something. What they make is new, unless they replace it or fill it
// with what another statement returns.
func (p *parser) create(i int) Statement {
	switch {
	case definesRoutine(p.tokens):
		return Statement{}
	case p.at(i+1).is("OR") && p.at(p.past(i+1, "OR", "REPLACE", "TEMPORARY", "TEMP")).is("TABLE", "VIEW"):
		return p.wholeTables(p.past(i+1, "OR", "REPLACE", "TEMPORARY", "TEMP", "TABLE", "VIEW"))
	}
	p.nested(i)
	return p.collected()
}

// copyFrom reads COPY table FROM; COPY … TO only reads, but from any statement.
func (p *parser) copyFrom(i int) Statement {
	if p.at(i).punct('(') {
		p.nested(i)
		return p.collected()
	}
	j := p.table(i)
	for ; j < len(p.tokens); j++ {
		switch {
		case p.at(j).is("FROM"):
			return Statement{Verb: Write, Tables: p.tables}
		case p.at(j).is("TO"):
			return Statement{}
		}
	}
	return Statement{Verb: Unknown}
}

func (p *parser) load(i int) Statement {
	for ; i < len(p.tokens); i++ {
		if p.at(i).is("INTO") && p.at(i+1).is("TABLE") {
			p.table(i + 2)
			return Statement{Verb: Write, Tables: p.tables}
		}
	}
	return Statement{Verb: Unknown}
}

// control reads transaction control; what is left is unknown.
func (p *parser) control(i int) Statement {
	t, next := p.at(i), p.at(i+1)
	switch {
	case t.is("BEGIN") && len(p.tokens) <= i+4, t.is("START") && next.is("TRANSACTION"):
		return Statement{Verb: Begin}
	case t.is("COMMIT", "END") && !next.is("PREPARED"):
		return Statement{Verb: Commit, Chains: p.chains()}
	case t.is("ROLLBACK", "ABORT") && !next.is("PREPARED"):
		return p.rollback(i + 1)
	case t.is("SAVEPOINT"):
		return Statement{Verb: Savepoint, Name: p.savepoint(i + 1)}
	case t.is("SAVE"):
		return Statement{Verb: Savepoint, Name: p.savepoint(i + 2)}
	case t.is("RELEASE"):
		return Statement{Verb: Release, Name: p.savepoint(p.past(i+1, "SAVEPOINT"))}
	}
	return Statement{Verb: Unknown}
}

func (p *parser) rollback(i int) Statement {
	i = p.past(i, "WORK", "TRANSACTION", "TRAN")
	switch {
	case p.at(i).is("TO"):
		return Statement{Verb: RollbackTo, Name: p.savepoint(p.past(i+1, "SAVEPOINT"))}
	case p.at(i).name() && !p.at(i).is("AND"): // SQL Server's ROLLBACK TRANSACTION name
		return Statement{Verb: RollbackTo, Name: p.savepoint(i)}
	}
	return Statement{Verb: Rollback, Chains: p.chains()}
}

func (p *parser) chains() bool {
	for i, t := range p.tokens {
		if t.is("CHAIN") {
			return !p.at(i - 1).is("NO")
		}
	}
	return false
}

func (p *parser) savepoint(i int) string {
	if !p.at(i).name() {
		return ""
	}
	return strings.ToLower(p.at(i).text)
}

// commits reports the statements that end a transaction in MySQL and MariaDB.
func (p *parser) commits(i int) bool {
	switch t := p.at(i); {
	case t.is("CREATE", "DROP"):
		return !p.at(p.past(i+1, "OR", "REPLACE")).is("TEMPORARY")
	case t.is("SET"):
		return p.at(i+1).is("AUTOCOMMIT", "PASSWORD")
	case t.is("ANALYZE"):
		return p.at(p.past(i+1, "LOCAL", "NO_WRITE_TO_BINLOG")).is("TABLE")
	}
	return p.at(i).is("ALTER", "RENAME", "TRUNCATE", "GRANT", "REVOKE", "LOCK", "OPTIMIZE", "CHECK", "REPAIR",
		"BEGIN", "START", "FLUSH", "INSTALL", "UNINSTALL")
}
