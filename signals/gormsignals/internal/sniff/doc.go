// Package sniff tells from SQL text which tables a statement writes and whether it begins, ends
// or marks a transaction. It reads tokens, not grammar: comments, strings and quoted names of the
// dialect are understood, nested queries are looked into, and what it cannot make out is Unknown,
// which callers must treat as a write to every table.
package sniff
