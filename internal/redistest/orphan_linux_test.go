package redistest_test

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/internal/redistest"
)

// doomed names the variable that makes this test binary one that dies.
const doomed = "RESTFLOW_REDISTEST_DOOMED"

// TestServer_endsWithItsTestBinary runs this test again in a process of its
// own, which starts a server, tells its address, and is then killed.
func TestServer_endsWithItsTestBinary(t *testing.T) {
	if os.Getenv(doomed) != "" {
		_, err := os.Stdout.WriteString("listens on " + redistest.Start(t).Addr() + "\n")
		require.NoError(t, err)
		_, _ = os.Stdin.Read(make([]byte, 1)) // until killed: nothing is ever sent
		return
	}
	t.Parallel()
	redistest.Binary(t) // skips where the child would
	child := exec.Command(os.Args[0], "-test.run", "^TestServer_endsWithItsTestBinary$")
	child.Env = append(os.Environ(), doomed+"=1")
	in, err := child.StdinPipe()
	require.NoError(t, err)
	defer in.Close()
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	addr := ""
	for lines := bufio.NewScanner(out); addr == "" && lines.Scan(); {
		_, addr, _ = strings.Cut(lines.Text(), "listens on ")
	}
	require.NotEmpty(t, addr)
	client := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, DialerRetries: 1})
	defer client.Close()
	require.NoError(t, client.Ping(t.Context()).Err())

	require.NoError(t, child.Process.Kill())
	_ = child.Wait() // killed
	require.Eventually(t, func() bool { return client.Ping(t.Context()).Err() != nil }, longEnough, tick)
}
