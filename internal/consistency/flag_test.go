package consistency_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/internal/archtest"
)

// Tests that lack the flag would make go test ./... -consistency.duration=60s fail.
func TestAllTestsHaveTheFlag(t *testing.T) {
	tree, err := archtest.Load(os.DirFS("../.."))
	require.NoError(t, err)
	tested, flagged := map[string]bool{}, map[string]bool{"internal/consistency": true}
	for _, f := range tree.Files {
		if !f.Test {
			continue
		}
		tested[f.Folder()] = true
		for _, i := range f.AST.Imports {
			if i.Path.Value == `"github.com/restflow-go/restflow/internal/consistency"` {
				flagged[f.Folder()] = true
			}
		}
	}
	require.Greater(t, len(tested), 10)
	for folder := range tested {
		assert.True(t, flagged[folder], "%s: no test imports internal/consistency; copy a consistency_flag_test.go there", folder)
	}
}
