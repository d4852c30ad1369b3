package restflow_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

// calls is how many commands a server has carried out, apart from INFO itself.
func calls(t *testing.T, c *redis.Client) int {
	t.Helper()
	info, err := c.InfoMap(context.Background(), "commandstats").Result()
	require.NoError(t, err)
	n := 0
	for name, stats := range info["Commandstats"] {
		if name == "cmdstat_info" {
			continue
		}
		// calls=3,usec=12,…
		calls, _, _ := strings.Cut(strings.TrimPrefix(stats, "calls="), ",")
		k, err := strconv.Atoi(calls)
		require.NoError(t, err, stats)
		n += k
	}
	return n
}

func TestRedisRoundTrips(t *testing.T) {
	server := redistest.Start(t)
	client, admin := server.Client(), server.Client()
	count := &trips{}
	client.AddHook(count)
	s := openRedis(t, client)
	k := groupKey("Trips", "k", "1", "u", "1u")
	ctx := context.Background()
	var snap restflow.Snapshot
	put(t, s, groupKey("Other", "k"), "makes the connections")
	require.NoError(t, s.Load(ctx, k, &snap))

	commands, pipelines, names := count.during(func() {
		_, led, err := s.Fill(ctx, k, &snap, func(*restflow.Flight) *restflow.Entry { return entryOf("here") })
		require.NoError(t, err)
		require.True(t, led)
		require.NoError(t, s.Flush(ctx))
	})
	require.Zero(t, commands)
	require.EqualValues(t, 2, pipelines, "a cold fill: one for the epochs, one to save")
	require.Equal(t, []string{
		"set", "get", "set", "get", "set", "get", "set", "get",
		"set", "pexpire", "pexpire", "pexpire", "pexpire",
	}, names)

	before := calls(t, admin)
	commands, pipelines, names = count.during(func() { require.Equal(t, "here", lookup(t, s, k)) })
	require.EqualValues(t, 1, commands, "a hit")
	require.Zero(t, pipelines)
	require.Equal(t, []string{"mget"}, names)
	require.Equal(t, before+1, calls(t, admin), "as the server counts it")

	commands, pipelines, names = count.during(func() { require.NoError(t, s.Bump(ctx, k.Scopes[0], k.Scopes...)) })
	require.EqualValues(t, 1, commands, "a bump of several groups")
	require.Zero(t, pipelines)
	require.Equal(t, []string{"del"}, names)

	require.NoError(t, s.Load(ctx, k, &snap))
	require.Nil(t, snap.Entry)
	require.NoError(t, s.Epochs(ctx, k.Scopes, snap.Epochs(), true))
	commands, pipelines, names = count.during(func() {
		_, _, err := s.Fill(ctx, k, &snap, func(*restflow.Flight) *restflow.Entry { return entryOf("again") })
		require.NoError(t, err)
		require.NoError(t, s.Flush(ctx))
	})
	require.EqualValues(t, 1, commands+pipelines, "a fill under epochs that exist: the save")
	require.Equal(t, []string{"set", "pexpire", "pexpire", "pexpire", "pexpire"}, names)

	commands, pipelines, names = count.during(func() { require.NoError(t, s.Delete(ctx, k)) })
	require.EqualValues(t, 1, commands+pipelines)
	require.Equal(t, []string{"del"}, names)
}

func TestRedisClusterRoundTrips(t *testing.T) {
	t.Parallel()
	client := redistest.StartCluster(t, 6).Client()
	count := &trips{}
	client.AddHook(count)
	s := openRedis(t, client)
	k := groupKey("Trips", "k", "1", "u", "1u")
	put(t, s, k, "here")

	commands, pipelines, names := count.during(func() { require.Equal(t, "here", lookup(t, s, k)) })
	require.Zero(t, commands)
	require.EqualValues(t, 1, pipelines, "a hit: its parts go to all nodes at once")
	require.Equal(t, []string{"get", "get", "get", "get", "get"}, names)

	commands, pipelines, names = count.during(func() { require.NoError(t, s.Bump(context.Background(), k.Scopes[0], k.Scopes[1])) })
	require.EqualValues(t, 1, commands, "a bump of one group")
	require.Zero(t, pipelines)
	require.Equal(t, []string{"del"}, names)
	require.Empty(t, lookup(t, s, k))

	put(t, s, k, "again")
	commands, pipelines, _ = count.during(func() { require.NoError(t, s.Bump(context.Background(), k.Scopes[0], k.Scopes...)) })
	require.Zero(t, commands)
	require.EqualValues(t, 1, pipelines, "a bump of several groups")
	require.Empty(t, lookup(t, s, k))
}

// A hit on an entry with tags costs one round trip more.
func TestRedisRoundTripsOfTags(t *testing.T) {
	client := redistest.Start(t).Client()
	count := &trips{}
	client.AddHook(count)
	s := openRedis(t, client)
	k := groupKey("Trips", "tagged", "1")
	scopes := []restflow.Scope{restflow.AnyTag, restflow.TagScope("a"), restflow.TagScope("b")}
	epochs := make([]restflow.Epoch, len(scopes))
	ctx := context.Background()
	require.NoError(t, s.Epochs(ctx, scopes, epochs, true))
	var snap restflow.Snapshot
	require.NoError(t, s.Load(ctx, k, &snap))
	_, _, err := s.Fill(ctx, k, &snap, func(*restflow.Flight) *restflow.Entry {
		e := entryOf("tagged")
		for i := range scopes {
			e.Tags = append(e.Tags, restflow.Tag{Scope: scopes[i], Epoch: epochs[i]})
		}
		return e
	})
	require.NoError(t, err)
	require.NoError(t, s.Flush(ctx))

	_, _, names := count.during(func() { require.Equal(t, "tagged", lookup(t, s, k)) })
	require.Equal(t, []string{"mget", "mget"}, names)
	_, _, names = count.during(func() { require.NoError(t, s.InvalidateTags(ctx, "a", "c")) })
	require.Equal(t, []string{"del"}, names)
	_, _, names = count.during(func() { require.Empty(t, lookup(t, s, k)) })
	require.Equal(t, []string{"mget", "mget"}, names)
}
