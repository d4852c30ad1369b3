package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// PackageComment is the rule that every package has exactly one package comment.
type PackageComment struct{}

// Check returns the packages with no comment and those with several.
func (PackageComment) Check(t *Tree) []Violation {
	first, commented := map[string]File{}, map[string][]string{}
	for _, f := range t.Files {
		if f.Test {
			continue
		}
		if _, ok := first[f.Folder()]; !ok {
			first[f.Folder()] = f
		}
		if strings.TrimSpace(f.AST.Doc.Text()) != "" {
			commented[f.Folder()] = append(commented[f.Folder()], f.Path)
		}
	}
	var found []Violation
	for folder, f := range first {
		name := f.AST.Name.Name
		switch in := commented[folder]; {
		case len(in) == 0:
			found = append(found, Violation{File: f.Path, Problem: fmt.Sprintf("package %s has no package comment", name), Mend: "say in doc.go (main.go of a command) what it promises"})
		case len(in) > 1:
			slices.Sort(in)
			found = append(found, Violation{File: in[1], Problem: fmt.Sprintf("package %s has %d package comments: %s", name, len(in), strings.Join(in, ", ")), Mend: "keep one, or part the others from the package clause by an empty line"})
		}
	}
	return found
}
