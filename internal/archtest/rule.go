package archtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Rule is one thing that must hold in a whole tree.
type Rule interface {
	// Check returns every place where the rule is broken, in no particular order.
	Check(t *Tree) []Violation
}

// Violation is one place where a rule is broken.
type Violation struct {
	File    string
	Line    int    // 0 when it is about the file as a whole
	Problem string // what is wrong
	Mend    string // what to do about it
}

// String returns the violation on one line, as file:line: problem; mend.
func (v Violation) String() string {
	at := v.File
	if v.Line > 0 {
		at = fmt.Sprintf("%s:%d", v.File, v.Line)
	}
	return at + ": " + v.Problem + "; " + v.Mend
}

// Check returns what breaks the rules, by file and line.
func Check(t *Tree, rules []Rule) []Violation {
	var all []Violation
	for _, r := range rules {
		all = append(all, r.Check(t)...)
	}
	slices.SortStableFunc(all, func(a, b Violation) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return a.Line - b.Line
	})
	return all
}

// within reports whether a folder or import path is one of the patterns. A
// pattern is a path, or a path with "/..." for it and all below it; "..."
// is everything.
func within(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if p == "..." {
			return true
		}
		if above, ok := strings.CutSuffix(p, "/..."); ok {
			return name == above || strings.HasPrefix(name, above+"/")
		}
		return name == path.Clean(p)
	})
}
