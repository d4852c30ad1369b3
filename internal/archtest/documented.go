package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// Documented is the rule that every exported identifier of a package other
// than a command has a comment: functions, types and their methods, constants,
// variables, fields and interface methods.
//
// A comment over a group of constants or variables covers the group. A comment
// over a field covers those on the lines right below it, up to an empty line or
// the next comment. The comment of a struct covers up to three fields, and in
// internal packages all of them; that of an interface covers its only method.
type Documented struct{}

// fewFields is how many fields the comment of their struct can tell.
const fewFields = 3

// Check returns the exported identifiers without a comment.
func (Documented) Check(t *Tree) []Violation {
	var found []Violation
	for _, f := range t.Files {
		if f.Test || f.AST.Name.Name == "main" {
			continue
		}
		bare := func(name *ast.Ident, owner string) {
			if name.IsExported() {
				found = append(found, Violation{f.Path, t.line(name.Pos()), fmt.Sprintf("exported %s%s has no comment", owner, name.Name), "say what it does, its units, default and errors"})
			}
		}
		for _, decl := range f.AST.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				checkFunc(d, bare)
			case *ast.GenDecl:
				checkSpecs(t, f, d, bare)
			}
		}
	}
	return found
}

// report is told a name that has no comment and what it belongs to, as "Type.".
type report func(name *ast.Ident, owner string)

func checkFunc(fn *ast.FuncDecl, bare report) {
	if fn.Doc != nil {
		return
	}
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		bare(fn.Name, "")
		return
	}
	if owner := receiver(fn.Recv.List[0].Type); owner != nil && owner.IsExported() {
		bare(fn.Name, owner.Name+".")
	}
}

// receiver returns the type's name in a receiver such as *T[K, V].
func receiver(expr ast.Expr) *ast.Ident {
	for {
		switch e := expr.(type) {
		case *ast.Ident:
			return e
		case *ast.StarExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.IndexListExpr:
			expr = e.X
		case *ast.ParenExpr:
			expr = e.X
		default:
			return nil
		}
	}
}

func checkSpecs(t *Tree, f File, decl *ast.GenDecl, bare report) {
	for _, spec := range decl.Specs {
		switch s := spec.(type) {
		case *ast.ValueSpec:
			if decl.Doc == nil && s.Doc == nil && s.Comment == nil {
				for _, name := range s.Names {
					bare(name, "")
				}
			}
		case *ast.TypeSpec:
			alone := decl.Lparen == token.NoPos
			if s.Doc == nil && s.Comment == nil && (decl.Doc == nil || !alone) {
				bare(s.Name, "")
			}
			if s.Name.IsExported() {
				checkMembers(t, f, s, bare)
			}
		}
	}
}

func checkMembers(t *Tree, f File, spec *ast.TypeSpec, bare report) {
	var members *ast.FieldList
	switch typ := spec.Type.(type) {
	case *ast.StructType:
		if internal(f.Folder()) || exported(typ.Fields) <= fewFields {
			return
		}
		members = typ.Fields
	case *ast.InterfaceType:
		if typ.Methods.NumFields() == 1 {
			return
		}
		members = typ.Methods
	default:
		return
	}
	covered := 0 // the line up to which the last comment reaches
	for _, m := range members.List {
		if m.Doc != nil || (covered > 0 && t.line(m.Pos()) == covered+1) {
			covered = t.line(m.End())
		} else if covered = 0; m.Comment == nil {
			for _, name := range m.Names {
				bare(name, spec.Name.Name+".")
			}
		}
	}
}

// exported counts the exported names in a list, without embedded types.
func exported(fields *ast.FieldList) int {
	n := 0
	for _, field := range fields.List {
		for _, name := range field.Names {
			if name.IsExported() {
				n++
			}
		}
	}
	return n
}

// internal reports whether users cannot import a folder.
func internal(folder string) bool {
	return slices.Contains(strings.Split(folder, "/"), "internal")
}
