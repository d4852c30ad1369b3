package archtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Names is the rule that no Go file and no folder has one of these names.
type Names struct {
	Deny []string // without .go and _test
	Why  string
}

// Check returns the files with a name that is denied, and those in such a folder.
func (r Names) Check(t *Tree) []Violation {
	var found []Violation
	for _, f := range t.Files {
		base := strings.TrimSuffix(strings.TrimSuffix(path.Base(f.Path), ".go"), "_test")
		folders := strings.Split(f.Folder(), "/")
		for _, name := range append(folders, base) {
			if slices.Contains(r.Deny, name) {
				found = append(found, Violation{File: f.Path, Problem: fmt.Sprintf("the name %q says nothing: %s", name, r.Why), Mend: "name it after the one concept it holds"})
			}
		}
	}
	return found
}
