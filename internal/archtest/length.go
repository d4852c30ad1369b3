package archtest

import (
	"fmt"
	"path"
	"strings"
)

// Length is the rule that files have at most so many lines. The first limit
// that a file matches counts.
type Length []Limit

// Limit bounds the lines of some files.
type Limit struct {
	Files string // a path.Match pattern: of the whole path if it begins with a slash, else of the file's name
	Lines int
}

// Check returns the files that are too long.
func (r Length) Check(t *Tree) []Violation {
	var found []Violation
	for _, text := range t.Texts {
		for _, limit := range r {
			if !limit.matches(text.Path) {
				continue
			}
			if text.Lines > limit.Lines {
				found = append(found, Violation{File: text.Path, Problem: fmt.Sprintf("%d lines, %d are the most", text.Lines, limit.Lines), Mend: "give its second concept a file of its own"})
			}
			break
		}
	}
	return found
}

func (l Limit) matches(name string) bool {
	if !strings.HasPrefix(l.Files, "/") {
		name = path.Base(name)
	} else {
		name = "/" + name
	}
	ok, err := path.Match(l.Files, name)
	return err == nil && ok
}
