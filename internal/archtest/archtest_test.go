package archtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/internal/archtest"
)

// TestHouse keeps the rules of this repository.
func TestHouse(t *testing.T) {
	t.Parallel()
	tree, err := archtest.Load(os.DirFS("../.."))
	require.NoError(t, err)
	require.Equal(t, "github.com/restflow-go/restflow", tree.Module)
	require.NotEmpty(t, tree.Files)
	for _, v := range archtest.Check(tree, archtest.House) {
		t.Error(v)
	}
}

// TestRules runs the rules of the house on small trees that break one of them
// each. The file want.txt in each holds what they must say, line by line; the
// tree "clean" breaks none, and shows what each exception is for.
func TestRules(t *testing.T) {
	t.Parallel()
	trees, err := os.ReadDir("testdata")
	require.NoError(t, err)
	for _, dir := range trees {
		t.Run(dir.Name(), func(t *testing.T) {
			t.Parallel()
			root := filepath.Join("testdata", dir.Name())
			tree, err := archtest.Load(os.DirFS(root))
			require.NoError(t, err)
			want, err := os.ReadFile(filepath.Join(root, "want.txt"))
			require.NoError(t, err)
			require.Equal(t, string(want), report(tree))
		})
	}
}

// report returns what the rules of the house say of a tree.
func report(tree *archtest.Tree) string {
	var text strings.Builder
	for _, v := range archtest.Check(tree, archtest.House) {
		text.WriteString(v.String() + "\n")
	}
	return text.String()
}

// module returns the files of a tree in memory.
func module(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{"go.mod": {Data: []byte("module github.com/restflow-go/restflow\n")}}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func TestLength(t *testing.T) {
	t.Parallel()
	long := func(clause string, lines int) string { return clause + strings.Repeat("\n", lines) }
	tree, err := archtest.Load(module(map[string]string{
		"README.md":             long("# restflow", 151),
		"docs/README.md":        long("# more", 151),
		"fits.go":               long("// Package restflow fits.\npackage restflow", 399),
		"store.go":              long("package restflow", 401),
		"fits_test.go":          long("package restflow", 600),
		"store_test.go":         long("package restflow", 601),
		"examples/demo/main.go": long("// Command demo is long.\npackage main", 120),
		"examples/demo/api.go":  long("package main", 121),
	}))
	require.NoError(t, err)
	require.Equal(t, strings.Join([]string{
		"README.md: 151 lines, 150 are the most; give its second concept a file of its own",
		"examples/demo/main.go: 121 lines, 120 are the most; give its second concept a file of its own",
		"store.go: 401 lines, 400 are the most; give its second concept a file of its own",
		"store_test.go: 601 lines, 600 are the most; give its second concept a file of its own",
		"",
	}, "\n"), report(tree))
}

func TestLoad_emptyModule(t *testing.T) {
	t.Parallel()
	tree, err := archtest.Load(module(nil))
	require.NoError(t, err)
	require.Empty(t, report(tree), "folders that a rule speaks of need not exist")
}

func TestLoad_refuses(t *testing.T) {
	t.Parallel()
	_, err := archtest.Load(fstest.MapFS{})
	require.EqualError(t, err, "open go.mod: file does not exist")

	_, err = archtest.Load(module(map[string]string{"tagkey/plan.go": "package"}))
	require.EqualError(t, err, "tagkey/plan.go:1:8: expected 'IDENT', found 'EOF'")
}
