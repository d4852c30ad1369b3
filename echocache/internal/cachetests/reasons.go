package main

// A reason says why tests do not pass, and why they should not. Tests are named
// as chapter/test, with the patterns of path.Match.
type reason struct {
	tests []string
	why   string
}

var reasons = []reason{}
