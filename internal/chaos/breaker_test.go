package chaos_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

// calls is a store that tells of its failed calls.
func calls(t *testing.T, server *redistest.Server, timeout time.Duration) (*world, chan string) {
	t.Helper()
	failed := make(chan string, 1000)
	store := open(t, server.Client(), restflow.RedisConfig{Timeout: timeout, OnError: func(op string, _ error) { failed <- op }})
	return newWorld(t, store), failed
}

// Five failures in a row open the breaker: from then on requests do not wait for
// Redis, but for one a second that tries. When it succeeds, the cache is back.
func TestBreakerOfHangingRedis(t *testing.T) {
	server := redistest.Start(t)
	const timeout = 300 * time.Millisecond
	w, failed := calls(t, server, timeout)
	n := w.nodes[0]
	require.Equal(t, "MISS", w.get(n, 1))
	w.flush()
	require.Equal(t, "HIT", w.get(n, 1))

	server.Pause()
	for range 5 {
		began := time.Now()
		require.Equal(t, "BYPASS", w.get(n, 1))
		require.Greater(t, time.Since(began), timeout/2, "it asked Redis")
	}
	require.Len(t, failed, 5)
	opened := time.Now()
	quick := 0
	for time.Since(opened) < 700*time.Millisecond {
		require.Equal(t, "BYPASS", w.get(n, 1))
		quick++
	}
	require.Len(t, failed, 5, "nobody asked Redis")
	require.Greater(t, quick, 10, "and nobody waited for it")

	for time.Since(opened) < 2500*time.Millisecond {
		require.Equal(t, "BYPASS", w.get(n, 1))
		time.Sleep(time.Millisecond)
	}
	require.GreaterOrEqual(t, len(failed), 6, "one tries")
	require.LessOrEqual(t, len(failed), 8, "one a second")

	server.Resume()
	w.awaitBack(n, 1)
	require.Equal(t, "HIT", w.get(n, 1))
	require.Zero(t, w.sums.failed.Load())
}

// A Redis that has died is found out without waiting at all.
func TestBreakerOfDeadRedis(t *testing.T) {
	server := redistest.Start(t)
	w, failed := calls(t, server, 10*time.Second)
	n := w.nodes[0]
	require.Equal(t, "MISS", w.get(n, 1))
	w.flush()
	server.Kill()
	began := time.Now()
	for range 50 {
		require.Equal(t, "BYPASS", w.get(n, 1))
	}
	require.Less(t, time.Since(began), 10*time.Second, "no call ran into its timeout")
	require.GreaterOrEqual(t, len(failed), 5)
	server.Restart()
	w.awaitBack(n, 1)
	require.Equal(t, "HIT", w.get(n, 1))
}

// An invalidation that Redis did not get is pending: its group is bypassed here,
// also once Redis answers again, until it has been told.
func TestPendingInvalidationIsBypassed(t *testing.T) {
	server := redistest.Start(t)
	w, _ := calls(t, server, 200*time.Millisecond)
	n := w.nodes[0]
	require.Equal(t, "MISS", w.get(n, 1))
	w.flush()
	require.Equal(t, "HIT", w.get(n, 1))
	server.Pause()
	w.commit(n, 1)
	require.EqualValues(t, 1, w.sums.unacknowledged.Load())
	require.Equal(t, "BYPASS", w.get(n, 1))
	require.Positive(t, w.why[restflow.ErrPending.Error()], "it is known without asking Redis")
	server.Resume()
	w.awaitBack(n, 1)
	require.Empty(t, w.faults)
}
