package sniff

// Dialect holds the lexical differences that matter: where a comment or a string ends.
type Dialect struct {
	Hash       bool // # begins a comment
	Spaced     bool // -- begins one only before a space
	Backslash  bool // \ escapes inside strings
	Dollar     bool // $tag$ strings
	Nested     bool // /* /* */ */ is one comment
	Brackets   bool // [name] is a quoted name
	Executable bool // /*! … */ is code
	Implicit   bool // DDL commits the open transaction
	FromWrites bool // UPDATE alias … FROM table: the written table may stand after FROM
	Using      bool // DELETE FROM alias USING table alias: it may stand after USING
	Views      bool // what triggers write through a view is not counted
}

// For returns the dialect of a GORM dialector's name.
func For(name string) Dialect {
	switch name {
	case "mysql":
		return Dialect{Hash: true, Spaced: true, Backslash: true, Executable: true, Implicit: true, Using: true}
	case "postgres":
		return Dialect{Dollar: true, Nested: true}
	case "sqlite":
		return Dialect{Brackets: true, Views: true}
	case "sqlserver":
		return Dialect{Nested: true, Brackets: true, FromWrites: true}
	}
	return Dialect{FromWrites: true, Using: true, Views: true}
}
