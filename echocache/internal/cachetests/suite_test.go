package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// fakeSuite is a folder with programs in place of the suite's.
func fakeSuite(t *testing.T, files map[string]string) *suite {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("needs node")
	}
	s := &suite{t.TempDir(), t.TempDir()}
	for name, text := range files {
		file := filepath.Join(s.dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	return s
}

func TestChaptersAreListed(t *testing.T) {
	s := fakeSuite(t, map[string]string{
		"tests/index.mjs":             `export default [{id: 'a', tests: [{id: 'x', kind: 'check', depends_on: ['y']}]}]`,
		"tests/surrogate-control.mjs": `export default {id: 'b', tests: [{id: 'y', browser_only: true}]}`,
	})
	all, err := s.chapters(t.Context())
	require.NoError(t, err)
	require.Equal(t, []chapter{
		{ID: "a", Tests: []test{{ID: "x", Kind: check, DependsOn: []string{"y"}}}},
		{ID: "b", Tests: []test{{ID: "y", BrowserOnly: true}}},
	}, all)
}

func TestClientIsToldWhatToAsk(t *testing.T) {
	s := fakeSuite(t, map[string]string{
		"cli.mjs": `const e = process.env; console.log(e.npm_package_config_base, JSON.stringify(e.npm_config_id || e.npm_package_config_id))`,
	})
	out, err := s.run(t.Context(), "http://localhost:1", "")
	require.NoError(t, err)
	require.Equal(t, "http://localhost:1 \"\"\n", string(out))

	s = fakeSuite(t, map[string]string{"cli.mjs": `process.exit(3)`})
	_, err = s.run(t.Context(), "", "")
	require.EqualError(t, err, "node cli.mjs: exit status 3")
}

func TestOriginListensOnAFreePort(t *testing.T) {
	s := fakeSuite(t, map[string]string{
		"server/server.mjs": `console.log('hello'); console.log('Listening on http://[::]:' + (7000 + Number(process.env.npm_config_port)) + '/'); setInterval(() => {}, 1000)`,
	})
	u, err := s.origin(t.Context())
	require.NoError(t, err)
	require.Equal(t, "http://localhost:7000", u.String())

	s = fakeSuite(t, map[string]string{"server/server.mjs": `process.exit(3)`})
	_, err = s.origin(t.Context())
	require.EqualError(t, err, "the origin ended before it listened: exit status 3")
}
