package chaos_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

// open returns a store over a client that ends with the test.
func open(t *testing.T, client redis.UniversalClient, cfg restflow.RedisConfig) *restflow.Store {
	t.Helper()
	s, err := restflow.NewRedis(client, cfg)
	require.NoError(t, err)
	return s
}

// under plays traffic while change is made, and judges it.
func (w *world) under(name string, change func()) {
	w.t.Helper()
	l := w.start()
	w.t.Cleanup(l.stop)
	time.Sleep(window() / 3)
	change()
	recovery := w.recover()
	time.Sleep(window() / 3)
	l.stop()
	w.recover()
	w.converged()
	r := w.row(name, recovery)
	w.t.Logf("\n%s", table([]row{r}))
	w.verdict(r)
}

func onCluster(t *testing.T, cfg restflow.RedisConfig) (*redistest.Cluster, *world) {
	t.Helper()
	c := redistest.StartCluster(t, 6)
	cfg.Timeout = timeout
	return c, newWorld(t, open(t, c.Client(), cfg), open(t, c.Client(), cfg))
}

// ourKeys returns some of the keys that are stored on a cluster.
func ourKeys(t *testing.T, c *redistest.Cluster) []string {
	t.Helper()
	var mu sync.Mutex
	var all []string
	client := c.Client()
	for end := time.Now().Add(patience); len(all) == 0; time.Sleep(5 * time.Millisecond) {
		require.False(t, time.Now().After(end), "nothing is stored")
		err := client.ForEachMaster(context.Background(), func(ctx context.Context, node *redis.Client) error {
			names, err := node.Keys(ctx, "restflow:*").Result()
			mu.Lock()
			defer mu.Unlock()
			all = append(all, names...)
			return err
		})
		require.NoError(t, err)
	}
	return all
}

// Slots move with their keys, one by one, while reads and invalidations go on: they
// meet MOVED and ASK, and nothing else changes.
func TestConsistencyWhileSlotsMove(t *testing.T) {
	c, w := onCluster(t, restflow.RedisConfig{})
	w.under("slots move", func() {
		moved := map[int]bool{}
		for _, name := range ourKeys(t, c) {
			slot := c.Slot(name)
			if moved[slot] || len(moved) == 8 {
				continue
			}
			moved[slot] = true
			to := c.Nodes()[0]
			if c.Master(name) == to {
				to = c.Nodes()[1]
			}
			m := c.StartMove(slot, to)
			time.Sleep(window() / 20)
			m.Keys(0)
			time.Sleep(window() / 20)
			m.Keys(0) // what was made meanwhile
			m.Finish()
		}
	})
}

// Masters hand over to their replicas while reads and invalidations go on.
func TestConsistencyThroughHandover(t *testing.T) {
	c, w := onCluster(t, restflow.RedisConfig{})
	w.under("masters hand over", func() {
		promoted := map[*redistest.Server]bool{}
		for _, name := range ourKeys(t, c) {
			if len(promoted) < 2 && !promoted[c.Master(name)] {
				promoted[c.Failover(name)] = true
				time.Sleep(window() / 4)
			}
		}
	})
}

// A master dies, and its replica takes over with what it had been sent. Every
// invalidation that was acknowledged had been confirmed by it.
func TestConsistencyThroughCrashWithWaitReplicas(t *testing.T) {
	c, w := onCluster(t, restflow.RedisConfig{WaitReplicas: 1})
	w.under("a master dies", func() {
		name := ourKeys(t, c)[0]
		dead := c.Master(name)
		dead.Kill()
		c.Failover(name)
		dead.Restart() // as a replica: until then nothing is confirmed
	})
}

// Sentinels replace a dead master, and one that lives on as a replica.
func TestConsistencyBehindSentinels(t *testing.T) {
	s := redistest.StartSentinels(t)
	cfg := restflow.RedisConfig{Timeout: timeout, WaitReplicas: 1}
	w := newWorld(t, open(t, s.Client(), cfg), open(t, s.Client(), cfg))
	w.under("sentinels switch over", func() { s.Failover() })
}

// A client that reads from replicas behind Sentinel can not be told at once, but gets
// nothing but errors.
func TestReplicaOnlyServesNothing(t *testing.T) {
	s := redistest.StartSentinels(t)
	master := open(t, s.Client(), restflow.RedisConfig{Timeout: 5 * time.Second})
	w := newWorld(t, master)
	require.Equal(t, "MISS", w.get(w.nodes[0], 1))
	require.Equal(t, "HIT", w.get(w.nodes[0], 1))
	w.flush()
	s.Sync()
	replicas := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName: redistest.MasterName, SentinelAddrs: s.Addrs(), ReplicaOnly: true, ContextTimeoutEnabled: true, MaxRetries: -1,
	})
	t.Cleanup(func() { _ = replicas.Close() })
	var told error
	store := open(t, replicas, restflow.RedisConfig{Timeout: 5 * time.Second, OnError: func(_ string, err error) { told = err }})
	reader := newWorld(t, store)
	require.Equal(t, "BYPASS", reader.get(reader.nodes[0], 1))
	require.EqualError(t, told, "READONLY You can't write against a read only replica.")
}

// A master that lost its replicas and is told to care refuses lookups behind
// Sentinel, as it refuses writes: it may have been replaced without knowing.
func TestMasterWithoutReplicasServesNothing(t *testing.T) {
	s := redistest.StartSentinels(t, "--min-replicas-to-write", "1", "--min-replicas-max-lag", "1")
	var last atomic.Pointer[error]
	store := open(t, s.Client(), restflow.RedisConfig{Timeout: timeout, OnError: func(_ string, err error) { last.Store(&err) }})
	w := newWorld(t, store)
	w.awaitBack(w.nodes[0], 1)
	require.Equal(t, "HIT", w.get(w.nodes[0], 1))
	s.Replica().Kill()
	require.Eventually(t, func() bool {
		err := last.Load()
		return w.get(w.nodes[0], 1) == "BYPASS" && err != nil && redis.HasErrorPrefix(*err, "NOREPLICAS")
	}, patience, 10*time.Millisecond)
}
