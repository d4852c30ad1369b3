package restflow_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

// openWaiting returns a store whose invalidations wait for one replica.
func openWaiting(t testing.TB, client redis.UniversalClient, timeout time.Duration) *restflow.Store {
	t.Helper()
	s, err := restflow.NewRedis(client, restflow.RedisConfig{Timeout: timeout, WaitReplicas: 1})
	return opened(t, s, err)
}

func bumpAll(s *restflow.Store, k *restflow.Key) error {
	return s.Bump(context.Background(), k.Scopes[0], k.Scopes...)
}

func TestWaitReplicasConfig(t *testing.T) {
	_, err := restflow.NewRedis(miniClient(t), restflow.RedisConfig{WaitReplicas: -1})
	require.EqualError(t, err, "restflow: RedisConfig.WaitReplicas: -1 is negative; give the number of replicas of a master, or 0 for none")
	type wrapper struct{ redis.UniversalClient }
	_, err = restflow.NewRedis(wrapper{miniClient(t)}, restflow.RedisConfig{WaitReplicas: 1})
	require.EqualError(t, err, "restflow: RedisConfig.WaitReplicas: a restflow_test.wrapper may send WAIT on another connection than the DEL before it; use a *redis.Client or *redis.ClusterClient")
}

// An invalidation that a replica has confirmed survives the loss of the master.
func TestWaitReplicasSurvivesPromotion(t *testing.T) {
	r := redistest.StartReplicated(t)
	s := openWaiting(t, r.Master().Client(), unhurried)
	k := groupKey("Wait", "k", "1")
	put(t, s, k, "old")
	r.Sync()
	count := &trips{}
	client := r.Master().Client()
	client.AddHook(count)
	counted := openWaiting(t, client, unhurried)
	require.NoError(t, counted.Bump(context.Background(), k.Scopes[0], k.Scopes[1]))
	_, pipelines, names := count.during(func() { require.NoError(t, bumpAll(counted, k)) })
	require.Equal(t, []string{"del", "del", "wait"}, names)
	require.EqualValues(t, 1, pipelines, "one round trip")
	r.Master().Kill()
	require.Empty(t, lookup(t, openRedis(t, r.Promote().Client()), k))
}

// Without a confirmation the invalidation has taken effect and is an error all the
// same: it could be lost. Whoever tries again must not take a DEL that finds nothing
// any more for a confirmed one.
func TestWaitReplicasUnconfirmed(t *testing.T) {
	r := redistest.StartReplicated(t)
	s := openWaiting(t, r.Master().Client(), 800*time.Millisecond)
	k, other := groupKey("Wait", "k", "1"), groupKey("Wait", "other", "2")
	put(t, s, k, "old")
	put(t, s, other, "other")
	r.Sync()
	r.Replica().Pause()

	const unconfirmed = "restflow: invalidation failed, it is retried until it succeeds: restflow: redis: bump: restflow: too few replicas have confirmed: 0 of 1"
	one := k.Scopes[1]
	for range 7 { // more than open the breaker
		err := s.Bump(context.Background(), k.Scopes[0], one)
		require.ErrorIs(t, err, restflow.ErrUnconfirmed)
		require.EqualError(t, err, unconfirmed)
	}
	require.ErrorIs(t, loadErr(s, k), restflow.ErrPending)
	require.Equal(t, "other", lookup(t, s, other), "a replica that is away closes the cache to nobody else")
	require.Empty(t, lookup(t, openRedis(t, r.Master().Client()), k), "it has taken effect")

	r.Replica().Resume()
	await(t, "the invalidation is confirmed", func() bool { return loadErr(s, k) == nil })
	r.Master().Kill()
	require.Empty(t, lookup(t, openRedis(t, r.Promote().Client()), k))
}

// Bumps of a cluster go to the masters of their keys also while a slot moves.
func TestWaitReplicasOnCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 6)
	s := openWaiting(t, cluster.Client(), unhurried)
	k := groupKey("Wait", "k", "1", "2", "3")
	put(t, s, k, "old")
	require.NoError(t, bumpAll(s, k))
	require.Empty(t, lookup(t, s, k))

	put(t, s, k, "old")
	name := keysOfCluster(t, cluster)[0]
	slot := cluster.Slot(name)
	to := cluster.Nodes()[0]
	if cluster.Master(name) == to {
		to = cluster.Nodes()[1]
	}
	move := cluster.StartMove(slot, to)
	require.NoError(t, bumpAll(s, k), "still there")
	put(t, s, k, "old")
	move.Keys(0)
	require.NoError(t, bumpAll(s, k), "ASK")
	require.Empty(t, lookup(t, s, k))
	put(t, s, k, "old")
	move.Keys(0)
	move.Finish()
	require.NoError(t, bumpAll(s, k), "MOVED")
	require.Empty(t, lookup(t, s, k))

	put(t, s, k, "old")
	cluster.Master(name).Kill()
	cluster.Failover(name)
	await(t, "bumps reach the new master", func() bool {
		_ = bumpAll(s, k) // its replica is dead: it takes effect unconfirmed
		return lookup(t, openRedis(t, cluster.Client()), k) == ""
	})
}

// keysOfCluster returns the names of the epochs on a cluster.
func keysOfCluster(t *testing.T, c *redistest.Cluster) []string {
	t.Helper()
	var names []string
	for _, node := range c.Nodes()[:3] {
		names = append(names, keysOf(t, node.Client(), "s")...)
	}
	require.NotEmpty(t, names)
	return names
}

// elsewhere lets a server say that it does not have the epochs.
type elsewhere struct{}

func (elsewhere) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (elsewhere) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (elsewhere) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(_ context.Context, cmds []redis.Cmder) error {
		for _, cmd := range cmds {
			if cmd.Name() != "wait" {
				cmd.SetErr(errors.New("MOVED 3999 127.0.0.1:6381"))
			}
		}
		return cmds[0].Err()
	}
}

// The client of one server of a cluster does not follow what is on another one.
func TestWaitReplicasOnAnotherServer(t *testing.T) {
	client := miniClient(t)
	s := openWaiting(t, client, unhurried)
	k := groupKey("Wait", "k", "1")
	client.AddHook(elsewhere{})
	for name, bump := range map[string]func() error{
		"bump":      func() error { return bumpAll(s, k) },
		"soft bump": func() error { return s.BumpSoft(t.Context(), k.Scopes[0], time.Minute, k.Scopes...) },
	} {
		err := bump()
		require.ErrorContains(t, err, "2 of 2 epochs are on another server of a cluster; use a *redis.ClusterClient", name)
		require.ErrorIs(t, loadErr(s, k), restflow.ErrPending, name)
	}
}
