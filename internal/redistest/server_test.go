package redistest_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/internal/redistest"
)

// within returns a context that bounds a command which is expected to hang.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestStart(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client()
	require.Zero(t, client.DBSize(t.Context()).Val(), "a server starts empty")
	require.NoError(t, client.Set(t.Context(), "k", "v", 0).Err())
	require.Equal(t, "v", client.Get(t.Context(), "k").Val())
}

func TestStart_arguments(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, "--maxmemory", "5mb").Client()
	require.Equal(t, map[string]string{"maxmemory": "5242880"}, client.ConfigGet(t.Context(), "maxmemory").Val())
	require.Equal(t, map[string]string{"save": ""}, client.ConfigGet(t.Context(), "save").Val(), "it keeps nothing on disk")
}

func TestStart_many(t *testing.T) {
	t.Parallel()
	a, b := redistest.Start(t), redistest.Start(t)
	require.NotEqual(t, a.Addr(), b.Addr())
	require.NoError(t, a.Client().Set(t.Context(), "k", "v", 0).Err())
	require.ErrorIs(t, b.Client().Get(t.Context(), "k").Err(), redis.Nil, "servers share nothing")
}

func TestServer_endsWithItsTest(t *testing.T) {
	t.Parallel()
	redistest.Binary(t) // skips the test itself, not its stand-in
	var server *redistest.Server
	t.Run("owner", func(t *testing.T) { server = redistest.Start(t) })
	require.False(t, server.Running())
	client := redis.NewClient(server.Options())
	defer client.Close()
	require.ErrorContains(t, client.Ping(t.Context()).Err(), "connection refused")
}

func TestServer_FlushAll(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := server.Client()
	require.NoError(t, client.Set(t.Context(), "k", "v", 0).Err())
	server.FlushAll()
	require.Zero(t, client.DBSize(t.Context()).Val())
}

func TestServer_killAndRestart(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := server.Client()
	require.NoError(t, client.Set(t.Context(), "k", "v", 0).Err())

	server.Kill()
	require.False(t, server.Running())
	require.Error(t, client.Ping(t.Context()).Err())

	addr := server.Addr()
	server.Restart()
	require.True(t, server.Running())
	require.Equal(t, addr, server.Addr())
	require.ErrorIs(t, client.Get(t.Context(), "k").Err(), redis.Nil, "what it held is lost")
}

func TestServer_restartOfARunningServer(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := server.Client()
	require.NoError(t, client.Set(t.Context(), "k", "v", 0).Err())
	server.Restart()
	require.ErrorIs(t, client.Get(t.Context(), "k").Err(), redis.Nil)
}

func TestServer_pauseAndResume(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := server.Client()
	require.NoError(t, client.Set(t.Context(), "k", "v", 0).Err())

	server.Pause()
	require.False(t, server.Running())
	require.True(t, os.IsTimeout(client.Get(within(t, 50*time.Millisecond), "k").Err()))

	server.Resume()
	require.True(t, server.Running())
	require.Equal(t, "v", client.Get(t.Context(), "k").Val(), "a pause loses nothing")
}

func TestServer_killedWhilePaused(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Pause()
	server.Kill()
	server.Restart()
	require.True(t, server.Running())
	require.NoError(t, server.Client().Ping(t.Context()).Err())
}
