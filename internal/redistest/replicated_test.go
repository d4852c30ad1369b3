package redistest_test

import (
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/internal/redistest"
)

func TestReplicated_Promote(t *testing.T) {
	t.Parallel()
	r := redistest.StartReplicated(t)
	first, second := r.Master(), r.Replica()
	require.NoError(t, first.Client().Set(t.Context(), "k", "v", 0).Err())
	r.Sync()
	require.Equal(t, "v", second.Client().Get(t.Context(), "k").Val())
	require.ErrorContains(t, second.Client().Set(t.Context(), "k", "w", 0).Err(), "READONLY")

	require.Same(t, second, r.Promote())
	require.Same(t, second, r.Master())
	require.Same(t, first, r.Replica())
	require.NoError(t, second.Client().Set(t.Context(), "k", "w", 0).Err())
	r.Sync()
	require.Equal(t, "w", first.Client().Get(t.Context(), "k").Val(), "the old master follows the new one")
}

func TestReplicated_deadMaster(t *testing.T) {
	t.Parallel()
	r := redistest.StartReplicated(t)
	require.NoError(t, r.Master().Client().Set(t.Context(), "k", "v", 0).Err())
	r.Sync()

	r.Master().Kill()
	require.Equal(t, "v", r.Promote().Client().Get(t.Context(), "k").Val())

	r.Replica().Restart()
	require.ErrorIs(t, r.Replica().Client().Get(t.Context(), "k").Err(), redis.Nil)
	r.Rejoin()
	r.Sync()
	require.Equal(t, "v", r.Replica().Client().Get(t.Context(), "k").Val())
}

func TestSentinels_Failover(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinels(t)
	first, second := s.Master(), s.Replica()
	client := s.Client()
	require.NoError(t, client.Set(t.Context(), "k", "v", 0).Err())
	s.Sync()

	require.Same(t, second, s.Failover())
	require.Same(t, first, s.Replica())
	require.Equal(t, "v", s.Client().Get(t.Context(), "k").Val())
	require.NoError(t, s.Client().Set(t.Context(), "k", "w", 0).Err())
	require.Equal(t, "w", second.Client().Get(t.Context(), "k").Val(), "a client of the sentinels writes to the new master")
}

func TestSentinels_deadMaster(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinels(t)
	require.NoError(t, s.Client().Set(t.Context(), "k", "v", 0).Err())
	s.Sync()
	s.Master().Kill()
	require.Equal(t, "v", s.Failover().Client().Get(t.Context(), "k").Val())
	require.Equal(t, "v", s.Client().Get(t.Context(), "k").Val())
}
