// Package archtest holds the rules of this repository that the compiler does
// not know: who may import whom, what must be documented, where a panic is
// allowed, how files are named and how long they may be.
//
// The rules are the table [House]. Each is data for one of a few kinds of
// rules ([Imports], [Comments], ...), and each violation names the file, what
// is wrong, and how to fix it. To change the house, change the table, and say
// why in the commit.
//
// The source is read with go/parser, not with the go command, for two reasons:
// a result of the go command may come from a cache, and files for every
// operating system count. Folders that a rule names need not exist.
package archtest
