package archtest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Tree is the source of one module, without the modules nested in it and
// without what the go command ignores (testdata, and names that begin with a
// dot or an underscore).
type Tree struct {
	Module string // its path, as go.mod gives it
	Files  []File // by path
	Texts  []Text // by path
	fset   *token.FileSet
}

// File is a parsed Go file.
type File struct {
	Path string // slash-separated, from the root of the module
	Test bool   // whether it is a _test.go file
	AST  *ast.File
}

// Folder returns the folder of the file, "." at the root.
func (f File) Folder() string { return path.Dir(f.Path) }

// Text is a Go or Markdown file as lines.
type Text struct {
	Path  string
	Lines int
}

// Load reads the module at the root of fsys. It fails on what cannot be read
// or does not parse.
func Load(fsys fs.FS) (*Tree, error) {
	t := &Tree{fset: token.NewFileSet()}
	if err := t.readModule(fsys); err != nil {
		return nil, err
	}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && foreign(fsys, name):
			return fs.SkipDir
		case d.IsDir() || !slices.Contains([]string{".go", ".md"}, path.Ext(name)):
			return nil
		}
		return t.add(fsys, name)
	})
	return t, err
}

func (t *Tree) readModule(fsys fs.FS) error {
	mod, err := fs.ReadFile(fsys, "go.mod")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(mod)) {
		if name, ok := strings.CutPrefix(line, "module "); ok {
			t.Module = strings.TrimSpace(name)
		}
	}
	return nil
}

// foreign reports whether a folder is not of the module.
func foreign(fsys fs.FS, folder string) bool {
	base := path.Base(folder)
	if base == "testdata" || base == "vendor" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return true
	}
	_, err := fs.Stat(fsys, path.Join(folder, "go.mod"))
	return err == nil
}

func (t *Tree) add(fsys fs.FS, name string) error {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	t.Texts = append(t.Texts, Text{Path: name, Lines: bytes.Count(src, []byte("\n"))})
	if path.Ext(name) != ".go" {
		return nil
	}
	file, err := parser.ParseFile(t.fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	t.Files = append(t.Files, File{Path: name, Test: strings.HasSuffix(name, "_test.go"), AST: file})
	return nil
}

// line returns the line of a position.
func (t *Tree) line(pos token.Pos) int { return t.fset.Position(pos).Line }
