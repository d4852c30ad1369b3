package redistest_test

import (
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/internal/redistest"
)

// ownClient returns a client of one node that does not follow redirections.
func ownClient(t *testing.T, node *redistest.Server) *redis.Client {
	t.Helper()
	opts := node.Options()
	opts.MaxRetries = -1
	client := redis.NewClient(opts)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestStartCluster(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 6)
	require.Len(t, c.Addrs(), 6)
	require.Len(t, c.Nodes(), 6)
	client := c.Client()
	masters := map[*redistest.Server]bool{}
	for i := range 100 {
		key := "k" + strconv.Itoa(i)
		require.NoError(t, client.Set(t.Context(), key, i, 0).Err())
		require.Equal(t, strconv.Itoa(i), client.Get(t.Context(), key).Val())
		masters[c.Master(key)] = true
		require.NotContains(t, masters, c.Replica(key))
	}
	require.Len(t, masters, 3, "every master serves some keys")

	c.FlushAll()
	require.Zero(t, client.DBSize(t.Context()).Val())
}

func TestStartCluster_oddNumber(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 4, 7} {
		got := judge(t, func(t testing.TB) { redistest.StartCluster(t, n) })
		require.Equal(t, "redistest: a cluster of "+strconv.Itoa(n)+" nodes: want an even number of at least 6 (3 masters, each with a replica)", got.failed)
	}
}

func TestCluster_misuse(t *testing.T) {
	t.Parallel()
	redistest.Binary(t) // skips the test itself, not its stand-in
	var addr string
	got := judge(t, func(t testing.TB) {
		c := redistest.StartCluster(t, 6)
		addr = c.Master("k").Addr()
		c.MoveSlot(c.Slot("k"), c.Master("k"))
	})
	require.Equal(t, "redistest: slot 7629 is on "+addr+" already", got.failed)

	got = judge(t, func(t testing.TB) {
		c := redistest.StartCluster(t, 6)
		for _, node := range c.Nodes() {
			node.Kill()
		}
		c.Slot("k")
	})
	require.Equal(t, "redistest: no node of the cluster is running", got.failed)
}

func TestCluster_Failover(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 6)
	client := c.Client()
	require.NoError(t, client.Set(t.Context(), "k", "v", 0).Err())

	old, next := c.Master("k"), c.Replica("k")
	require.Same(t, next, c.Failover("k"))
	require.Same(t, next, c.Master("k"))
	require.Equal(t, "v", client.Get(t.Context(), "k").Val(), "a living master hands over what it has")
	require.ErrorContains(t, ownClient(t, old).Get(t.Context(), "k").Err(), "MOVED "+strconv.Itoa(c.Slot("k"))+" "+next.Addr())
}

func TestCluster_Failover_ofADeadMaster(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 6)
	client := c.Client()
	old := c.Master("k")
	old.Kill()
	next := c.Failover("k")
	require.NotSame(t, old, next)
	require.NoError(t, client.Set(t.Context(), "k", "v", 0).Err())
	require.Equal(t, "v", ownClient(t, next).Get(t.Context(), "k").Val())

	old.Restart()
	require.Same(t, next, c.Master("k"), "it joins again as a replica")
	require.Eventually(t, func() bool {
		return ownClient(t, old).Do(t.Context(), "ROLE").Val().([]any)[0] == "slave"
	}, longEnough, tick)
}

func TestCluster_Failover_ofAPausedMaster(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 6)
	old := c.Master("k")
	old.Pause()
	next := c.Failover("k")
	require.NoError(t, c.Client().Set(t.Context(), "k", "v", 0).Err())
	old.Resume()
	require.Equal(t, "v", ownClient(t, next).Get(t.Context(), "k").Val())
}

func TestCluster_MoveSlot(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 6)
	client := c.Client()
	for i := range 250 { // more than one batch
		require.NoError(t, client.Set(t.Context(), "{tag}"+strconv.Itoa(i), i, 0).Err())
	}
	from, to := c.Master("{tag}"), c.Master("other")
	require.NotSame(t, from, to)

	slot := c.Slot("{tag}")
	c.MoveSlot(slot, to)
	require.Same(t, to, c.Master("{tag}"))
	require.EqualValues(t, 250, ownClient(t, to).ClusterCountKeysInSlot(t.Context(), slot).Val())
	require.Equal(t, "249", client.Get(t.Context(), "{tag}249").Val())
}

func TestCluster_StartMove(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 6)
	client := c.Client()
	require.NoError(t, client.MSet(t.Context(), "{tag}a", 1, "{tag}b", 2).Err())
	from, to := c.Master("{tag}"), c.Master("other")
	slot := c.Slot("{tag}")

	move := c.StartMove(slot, to)
	require.Equal(t, 1, move.Keys(1))
	old := ownClient(t, from)
	require.ErrorContains(t, old.MGet(t.Context(), "{tag}a", "{tag}b").Err(), "TRYAGAIN")
	moved := "{tag}a"
	if old.Get(t.Context(), moved).Err() == nil {
		moved = "{tag}b"
	}
	require.ErrorContains(t, old.Get(t.Context(), moved).Err(), "ASK "+strconv.Itoa(slot)+" "+to.Addr())

	require.Equal(t, 1, move.Keys(0))
	move.Finish()
	require.Equal(t, []any{"1", "2"}, client.MGet(t.Context(), "{tag}a", "{tag}b").Val())
}
