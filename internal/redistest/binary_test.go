package redistest_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/internal/redistest"
)

// judged is a test that records how it was ended instead of ending.
type judged struct {
	testing.TB
	skipped, failed string
}

func (j *judged) Skip(args ...any) {
	j.skipped = fmt.Sprint(args...)
	runtime.Goexit()
}

func (j *judged) Fatalf(format string, args ...any) {
	j.failed = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// judge runs body as a test of its own and returns how it ended.
func judge(t *testing.T, body func(testing.TB)) *judged {
	t.Helper()
	j := &judged{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		body(j)
	}()
	<-done
	return j
}

func find(t testing.TB) { redistest.Binary(t) }

func TestBinary_none(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv(redistest.ServerEnv, "")
	const reason = "redistest: no redis-server in PATH; install one (Debian: apt-get install redis-server) or name it in RESTFLOW_REDIS_SERVER"

	t.Setenv(redistest.RequireEnv, "")
	got := judge(t, find)
	require.Equal(t, reason, got.skipped)
	require.Empty(t, got.failed)

	t.Setenv(redistest.RequireEnv, "1")
	got = judge(t, find)
	require.Equal(t, reason+" (RESTFLOW_REQUIRE_SERVICES=1 makes this a failure)", got.failed)
	require.Empty(t, got.skipped)
}

func TestBinary_named(t *testing.T) {
	program := filepath.Join(t.TempDir(), "my-redis")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700))
	t.Setenv(redistest.ServerEnv, program)
	require.Equal(t, program, redistest.Binary(t))
}

func TestBinary_namedButAbsent(t *testing.T) {
	t.Setenv(redistest.ServerEnv, "no/such/program")
	t.Setenv(redistest.RequireEnv, "")
	require.Equal(t,
		`redistest: RESTFLOW_REDIS_SERVER does not name a program: exec: "no/such/program": stat no/such/program: no such file or directory`,
		judge(t, find).skipped, "a wrong name is not replaced by what PATH holds")
}

func TestStart_refusedArgument(t *testing.T) {
	redistest.Binary(t) // skips the test itself, not its stand-in
	got := judge(t, func(t testing.TB) { redistest.Start(t, "--no-such-setting", "1") })
	require.Contains(t, got.failed, "redistest: redis-server [")
	require.Contains(t, got.failed, "ended at once:")
	require.Contains(t, got.failed, "no-such-setting", "the log of the server tells why")
}

func TestServer_Restart_portTaken(t *testing.T) {
	t.Parallel()
	redistest.Binary(t) // skips the test itself, not its stand-in
	var addr string
	got := judge(t, func(t testing.TB) {
		server := redistest.Start(t)
		addr = server.Addr()
		server.Kill()
		ln, err := net.Listen("tcp", addr)
		require.NoError(t, err)
		defer ln.Close()
		server.Restart()
	})
	require.Equal(t, "redistest: another process took "+addr+" while the server was down", got.failed)
}
