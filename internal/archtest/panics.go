package archtest

import (
	"go/ast"
	"strings"
)

// Panics is the rule that production code panics only in functions whose name
// begins with Must (or must), so that a caller can read it off the name.
type Panics struct {
	Except []string // folders that it is not about
}

// Check returns the calls of panic elsewhere.
func (r Panics) Check(t *Tree) []Violation {
	var found []Violation
	for _, f := range t.Files {
		if f.Test || within(f.Folder(), r.Except) {
			continue
		}
		for _, decl := range f.AST.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && strings.HasPrefix(strings.ToLower(fn.Name.Name), "must") {
				continue
			}
			for _, call := range panicsIn(decl) {
				found = append(found, Violation{f.Path, t.line(call.Pos()), "panics outside a function named Must...", "return an error, and let a Must... variant panic on it"})
			}
		}
	}
	return found
}

func panicsIn(decl ast.Decl) []*ast.CallExpr {
	var calls []*ast.CallExpr
	ast.Inspect(decl, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if name, ok := call.Fun.(*ast.Ident); ok && name.Name == "panic" {
				calls = append(calls, call)
			}
		}
		return true
	})
	return calls
}
