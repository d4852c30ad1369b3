package redistest_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/internal/redistest"
)

// through starts a server behind a proxy and returns both with a client that
// goes through the proxy and does not try again by itself, and one that goes past it.
func through(t *testing.T) (proxy *redistest.Proxy, client, direct *redis.Client) {
	t.Helper()
	server := redistest.Start(t)
	proxy = redistest.StartProxy(t, server.Addr())
	opts := server.Options()
	opts.Addr, opts.MaxRetries = proxy.Addr(), -1
	client = redis.NewClient(opts)
	t.Cleanup(func() { _ = client.Close() })
	require.NoError(t, client.Set(t.Context(), "k", "v", 0).Err())
	return proxy, client, server.Client()
}

// recovers asserts that a client gets the value again, though it may first find
// in its pool connections that broke.
func recovers(t *testing.T, client *redis.Client) {
	t.Helper()
	require.Eventually(t, func() bool {
		return client.Get(t.Context(), "k").Val() == "v"
	}, 10*time.Second, time.Millisecond)
}

func TestProxy_passes(t *testing.T) {
	t.Parallel()
	proxy, client, direct := through(t)
	require.Equal(t, "v", direct.Get(t.Context(), "k").Val())
	require.Equal(t, 1, proxy.Connections())

	big := string(make([]byte, 1<<20)) // many pieces
	require.NoError(t, client.Set(t.Context(), "big", big, 0).Err())
	require.Equal(t, big, client.Get(t.Context(), "big").Val())
}

func TestProxy_Cut(t *testing.T) {
	t.Parallel()
	proxy, client, _ := through(t)
	proxy.Cut()
	require.Error(t, client.Get(t.Context(), "k").Err(), "the open connection is closed")
	require.ErrorIs(t, client.Get(t.Context(), "k").Err(), io.EOF, "and new ones are")
	proxy.Heal()
	recovers(t, client)
}

func TestProxy_Drop(t *testing.T) {
	t.Parallel()
	proxy, client, _ := through(t)
	proxy.Drop()
	recovers(t, client)
}

func TestProxy_Blackhole(t *testing.T) {
	t.Parallel()
	proxy, client, direct := through(t)
	proxy.Blackhole()
	require.True(t, os.IsTimeout(client.Set(within(t, 50*time.Millisecond), "late", "write", 0).Err()))
	require.True(t, os.IsTimeout(client.Get(within(t, 50*time.Millisecond), "k").Err()), "a new connection hangs too")
	require.ErrorIs(t, direct.Get(t.Context(), "late").Err(), redis.Nil)

	proxy.Heal()
	recovers(t, client)
	require.Eventually(t, func() bool {
		return direct.Get(t.Context(), "late").Val() == "write"
	}, 10*time.Second, time.Millisecond, "what a client sent before it gave up arrives late")
}

func TestProxy_Delay(t *testing.T) {
	t.Parallel()
	proxy, client, _ := through(t)
	const d = 60 * time.Millisecond
	proxy.Delay(d)
	start := time.Now()
	require.Equal(t, "v", client.Get(t.Context(), "k").Val())
	require.GreaterOrEqual(t, time.Since(start), d)
	require.True(t, os.IsTimeout(client.Get(within(t, d/3), "k").Err()))

	proxy.Heal()
	recovers(t, client)
}

func TestProxy_CorruptBytes(t *testing.T) {
	t.Parallel()
	proxy, client, direct := through(t)
	proxy.CorruptBytes(1)
	require.Error(t, client.Get(within(t, 50*time.Millisecond), "k").Err())
	require.Equal(t, "v", direct.Get(t.Context(), "k").Val(), "only what passes is spoiled")

	proxy.Heal()
	recovers(t, client)
}

func TestProxy_CorruptBytes_everyNth(t *testing.T) {
	t.Parallel()
	proxy, client, _ := through(t)
	proxy.CorruptBytes(5) // "$1\r\nv\r\n": the fifth byte is the value
	require.Equal(t, []byte{'v' ^ 0xff}, []byte(client.Get(t.Context(), "k").Val()))
}

func TestProxy_Corrupt(t *testing.T) {
	t.Parallel()
	proxy, client, _ := through(t)
	proxy.Corrupt(func(reply []byte) {
		for i := range reply {
			if reply[i] == 'v' {
				reply[i] = 'w'
			}
		}
	})
	require.Equal(t, "w", client.Get(t.Context(), "k").Val())
}

func TestProxy_LimitBytes(t *testing.T) {
	t.Parallel()
	proxy, client, direct := through(t)
	proxy.LimitBytes(0)
	require.Error(t, client.Set(t.Context(), "done", "yes", 0).Err())
	require.Equal(t, "yes", direct.Get(t.Context(), "done").Val(), "the request was carried out, its reply was lost")
	require.ErrorIs(t, client.Get(t.Context(), "k").Err(), io.EOF, "after the limit the proxy is cut")

	proxy.Heal()
	recovers(t, client)
}

// CONTRIBUTING.md shows this.
func TestProxy_asDocumented(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.StartProxy(t, server.Addr())
	proxy.LimitBytes(0) // the next request is carried out, its reply is lost
	conn, err := net.Dial("tcp", proxy.Addr())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "SET done yes\r\n")
	require.NoError(t, err)
	reply, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Empty(t, reply)
	require.Equal(t, "yes", server.Client().Get(t.Context(), "done").Val())
}

func TestProxy_LimitBytes_inTheMiddle(t *testing.T) {
	t.Parallel()
	proxy, client, _ := through(t)
	proxy.LimitBytes(4) // "$1\r\n" of "$1\r\nv\r\n"
	err := client.Get(t.Context(), "k").Err()
	require.True(t, errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, new(*net.OpError)), "%v", err)
}

func TestProxy_deadTarget(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.StartProxy(t, server.Addr())
	conn, err := net.Dial("tcp", proxy.Addr())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("PING\r\n"))
	require.NoError(t, err)
	_, err = io.ReadFull(conn, make([]byte, len("+PONG\r\n")))
	require.NoError(t, err)

	server.Kill()
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err, "the client sees the server go")
	again, err := net.Dial("tcp", proxy.Addr())
	require.NoError(t, err)
	defer again.Close()
	_, err = again.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}
