package archtest

import (
	"fmt"
	"strconv"
	"strings"
)

// Imports is a rule about what the files of some folders may import.
//
// Folders are patterns such as "tagkey", "signals/...", "." for the root, and
// "..." for all. Imports are patterns too: "std/..." is the standard library,
// "self" the root of this module, "self/tagkey" a package of it, and anything else an import path.
type Imports struct {
	Of     []string // the folders that the rule is about
	Except []string // those among them that it is not about
	Tests  bool     // whether it is about test files too
	Deny   []string // what must not be imported
	Allow  []string // exceptions from Deny
	Why    string   // the rule as a sentence
	Mend   string   // what to do instead
}

// Check returns the imports that the rule forbids.
func (r Imports) Check(t *Tree) []Violation {
	var found []Violation
	for _, f := range t.Files {
		if !r.speaksOf(f) {
			continue
		}
		for _, spec := range f.AST.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil || !r.forbids(t.short(name)) {
				continue
			}
			found = append(found, Violation{f.Path, t.line(spec.Pos()), fmt.Sprintf("imports %q: %s", name, r.Why), r.Mend})
		}
	}
	return found
}

func (r Imports) speaksOf(f File) bool {
	return (r.Tests || !f.Test) && within(f.Folder(), r.Of) && !within(f.Folder(), r.Except)
}

func (r Imports) forbids(name string) bool {
	return within(name, r.Deny) && !within(name, r.Allow)
}

// short turns an import path into the form that patterns are written in.
func (t *Tree) short(name string) string {
	if name == t.Module {
		return "self"
	}
	if own, ok := strings.CutPrefix(name, t.Module+"/"); ok {
		return "self/" + own
	}
	// Only the standard library has paths without a dot in the first element.
	if first, _, _ := strings.Cut(name, "/"); !strings.Contains(first, ".") {
		return "std/" + name
	}
	return name
}
