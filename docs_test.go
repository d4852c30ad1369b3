package restflow_test

import (
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Go code in these documents stands in a file that the compiler sees, named by a
// comment over it: <!-- from examples/readme/readme.go -->.
var compiledDocs = []string{
	"README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/consistency.md", "docs/functions.md", "docs/http.md",
	"docs/invalidation.md", "docs/keys.md", "docs/security.md", "docs/stores.md", "docs/testing.md",
}

var goBlock = regexp.MustCompile("(?m)^(?:<!-- from (\\S+) -->\n)?```go\n((?:.*\n)*?)```$")

func TestCodeInDocumentsIsCompiled(t *testing.T) {
	for _, file := range compiledDocs {
		for _, m := range goBlock.FindAllStringSubmatch(read(t, file), -1) {
			source, code := m[1], m[2]
			require.NotEmpty(t, source, "%s: a block of Go code has no <!-- from FILE --> over it:\n%s", file, code)
			require.Contains(t, flush(read(t, source)), flush(code), "%s: %s has no longer the code", file, source)
		}
	}
}

// The README shows a whole program.
func TestReadmeShowsItsProgram(t *testing.T) {
	m := goBlock.FindStringSubmatch(read(t, "README.md"))
	require.Equal(t, "examples/readme/readme.go", m[1])
	require.Equal(t, read(t, m[1]), m[2])
}

func TestCodeInTheTutorialIsCompiled(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments|parser.PackageClauseOnly)
	require.NoError(t, err)
	sources := flush(read(t, "example_test.go")) + flush(read(t, "examples/quickstart/model.go"))
	blocks := 0
	for _, b := range new(comment.Parser).Parse(f.Doc.Text()).Content {
		if code, ok := b.(*comment.Code); ok {
			blocks++
			require.Contains(t, sources, flush(code.Text))
		}
	}
	require.Positive(t, blocks)
}

var (
	link     = regexp.MustCompile(`\[([^\]]+)\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.*)$`)
	testName = regexp.MustCompile(`^(Test|Benchmark|Fuzz|Example)\w*$`)
)

// Links within the repository lead somewhere, and a link whose text is the name of a
// test leads to the file that has it.
func TestLinksLeadSomewhere(t *testing.T) {
	docs, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	for _, file := range append(docs, "README.md", "CHANGELOG.md", "CONTRIBUTING.md") {
		for _, m := range link.FindAllStringSubmatch(read(t, file), -1) {
			text, target := strings.Trim(m[1], "`"), m[2]
			if strings.Contains(target, "://") {
				continue
			}
			where, anchor, _ := strings.Cut(target, "#")
			to := file
			if where != "" {
				to = path.Join(path.Dir(file), where)
			}
			if _, err := os.Stat(to); !assert.NoError(t, err, "%s links to %s", file, target) {
				continue
			}
			if anchor != "" {
				assert.Contains(t, anchors(read(t, to)), anchor, "%s links to %s", file, target)
			}
			if testName.MatchString(text) {
				assert.Contains(t, functions(t, to), text, "%s links to %s", file, target)
			}
		}
	}
}

// anchors are the names that GitHub gives to the headings of a document.
func anchors(text string) (all []string) {
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		plain := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z':
				return r
			}
			return -1
		}, strings.ToLower(m[1]))
		all = append(all, plain)
	}
	return all
}

func functions(t *testing.T, file string) (names []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	require.NoError(t, err)
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			names = append(names, fn.Name.Name)
		}
	}
	return names
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(b)
}

// flush takes the indentation off every line.
func flush(code string) string {
	var b strings.Builder
	for line := range strings.Lines(code) {
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	return b.String()
}
