package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const document = "../../../docs/http.md"

// The document holds what the last run of the suite gave, and every test that does
// not pass has its reason.
func TestDocumentHoldsTheTables(t *testing.T) {
	text, err := os.ReadFile("testdata/outcomes.txt")
	require.NoError(t, err)
	all, err := parseOutcomes(text)
	require.NoError(t, err)
	require.Greater(t, len(all), 300)
	require.NoError(t, unexplained(all, reasons))
	doc, err := os.ReadFile(document)
	require.NoError(t, err)
	_, got, _, err := cut(doc)
	require.NoError(t, err)
	require.Equal(t, "\n"+tables(all, reasons)+"\n", string(got))
}

func TestTables(t *testing.T) {
	all, err := judge(sample, []byte(sampleResults))
	require.NoError(t, err)
	why := []reason{
		{[]string{"a/better", "b/*"}, "By design."},
		{[]string{"a/*", "b/broken"}, "They lean on others."},
	}
	require.NoError(t, unexplained(all, why))
	require.Equal(t, `| tests | required | optimal | behaviours |
|---|---|---|---|
| a | 2 of 3 | 0 of 2 | 1 of 1 |
| b | 0 of 2 | | |
| **all** | 2 of 5 | 0 of 2 | 1 of 1 |

| do not pass | required | optimal | why |
|---|---|---|---|
| `+"`a/better`, `b/*`"+` | 2 | 1 | By design. |
| `+"`a/*`, `b/broken`"+` | 1 | 1 | They lean on others. |
`, tables(all, why))
}

func TestReasonsAndTestsBelongTogether(t *testing.T) {
	all, err := judge(sample, []byte(sampleResults))
	require.NoError(t, err)
	why := []reason{{[]string{"b/*", "a/better"}, ""}, {[]string{"a/works"}, ""}, {[]string{"a/asks", "c/*"}, ""}}
	require.EqualError(t, unexplained(all, why), `a/falls (required): dependency, and reasons.go does not say why: 
a/leans-on-broken (optimal): dependency, and reasons.go does not say why: 
reasons.go says why a/works does not pass, but it does
reasons.go says why a/asks, c/* does not pass, but it does`)
}

func TestTablesAreWrittenBetweenTheirLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "doc.md")
	require.NoError(t, os.WriteFile(file, []byte("# A\n\n"+begin+"old\n"+end+"\n# B\n"), 0o600))
	require.NoError(t, rewrite(file, "| new |\n"))
	require.NoError(t, rewrite(file, "| newer |\n"))
	doc, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "# A\n\n"+begin+"\n| newer |\n\n"+end+"\n# B\n", string(doc))

	for _, text := range []string{"", begin, end, end + begin} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		require.EqualError(t, rewrite(file, ""), file+": the document has no place for the tables: <!-- cache-tests: written by make cache-tests --> and <!-- cache-tests: end -->")
	}
	require.ErrorIs(t, rewrite(file+".not", ""), os.ErrNotExist)
}
