package redistest

import (
	"context"
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"
)

// slots is the number of hash slots of every Redis Cluster.
const slots = 16384

// Cluster is a Redis Cluster of real processes that belongs to one test: half
// of them masters, each with one replica.
type Cluster struct {
	t     testing.TB
	nodes []*Server
	ids   map[*Server]string // node ids, the same over restarts
}

// StartCluster starts a cluster of so many processes, an even number of at
// least 6, and returns once every node sees all slots covered and every replica is in
// step. The slots are spread evenly over the masters. The arguments are added to the command line of each node.
//
// A node that stops answering is held for dead after 5 seconds, as
// cluster-node-timeout says; [Cluster.Failover] does not wait for that.
func StartCluster(t testing.TB, nodes int, args ...string) *Cluster {
	t.Helper()
	if nodes < 6 || nodes%2 != 0 {
		t.Fatalf("redistest: a cluster of %d nodes: want an even number of at least 6 (3 masters, each with a replica)", nodes)
	}
	c := &Cluster{t: t, ids: map[*Server]string{}}
	for range nodes {
		c.nodes = append(c.nodes, launch(t, spec{args: append(clustered(), args...), cluster: true}))
	}
	c.form()
	return c
}

// clustered is what makes a server a node of a cluster that changes only when
// a test asks for it.
func clustered() []string {
	return append(inMemory(),
		"--cluster-enabled", "yes",
		"--cluster-config-file", "nodes.conf",
		"--cluster-node-timeout", "5000",
		"--cluster-replica-validity-factor", "0",
		"--cluster-allow-replica-migration", "no",
		// A replica counts as available once it has been sent something, which
		// for an empty master is this ping; the default is every 10 seconds.
		"--repl-ping-replica-period", "1",
	)
}

// form makes one cluster of the separate nodes: the first half become masters.
func (c *Cluster) form() {
	c.t.Helper()
	masters := len(c.nodes) / 2
	for i, node := range c.nodes {
		// Distinct epochs from the start spare the nodes the slow settling of
		// collisions among themselves.
		node.do("CLUSTER", "SET-CONFIG-EPOCH", i+1)
		c.ids[node] = c.nodeID(node)
	}
	for i, node := range c.nodes[:masters] {
		node.do("CLUSTER", "ADDSLOTSRANGE", i*slots/masters, (i+1)*slots/masters-1)
	}
	for i, node := range c.nodes {
		for _, other := range c.nodes[:i] {
			node.do("CLUSTER", "MEET", "127.0.0.1", other.port, other.bus)
		}
	}
	for i, node := range c.nodes[masters:] {
		c.attach(node, c.nodes[i])
	}
	c.awaitHealthy()
}

// attach makes node a replica of master as soon as it has heard of it.
func (c *Cluster) attach(node, master *Server) {
	c.t.Helper()
	await(c.t, node.Addr()+" becomes a replica of "+master.Addr(), func(ctx context.Context) error {
		return node.admin.ClusterReplicate(ctx, c.ids[master]).Err()
	})
}

func (c *Cluster) nodeID(node *Server) string {
	c.t.Helper()
	id, err := node.admin.Do(context.Background(), "CLUSTER", "MYID").Text()
	if err != nil {
		c.t.Fatalf("redistest: %s: CLUSTER MYID: %v", node.Addr(), err)
	}
	return id
}

// Addrs returns the addresses of all nodes, masters first.
func (c *Cluster) Addrs() []string {
	addrs := make([]string, len(c.nodes))
	for i, node := range c.nodes {
		addrs[i] = node.Addr()
	}
	return addrs
}

// Nodes returns all nodes, those that were masters at the start first.
func (c *Cluster) Nodes() []*Server {
	return append([]*Server(nil), c.nodes...)
}

// Options returns fresh client options that name every node; see [Server.Options].
func (c *Cluster) Options() *redis.ClusterOptions {
	one := c.nodes[0].Options()
	return &redis.ClusterOptions{
		Addrs:                    c.Addrs(),
		ContextTimeoutEnabled:    one.ContextTimeoutEnabled,
		DialerRetries:            one.DialerRetries,
		DialTimeout:              one.DialTimeout,
		MaintNotificationsConfig: one.MaintNotificationsConfig,
	}
}

// Client returns a new cluster client with [Cluster.Options]. It is closed when the test ends.
func (c *Cluster) Client() *redis.ClusterClient {
	client := redis.NewClusterClient(c.Options())
	c.t.Cleanup(func() { _ = client.Close() }) // closed already, if the test did so
	return client
}

// FlushAll empties every master.
func (c *Cluster) FlushAll() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := c.Client().ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
		return master.FlushAll(ctx).Err()
	})
	if err != nil {
		c.t.Fatalf("redistest: flush the cluster: %v", err)
	}
}

// Slot returns the hash slot of a key.
func (c *Cluster) Slot(key string) int {
	c.t.Helper()
	slot, err := c.living().admin.ClusterKeySlot(context.Background(), key).Result()
	if err != nil {
		c.t.Fatalf("redistest: slot of %q: %v", key, err)
	}
	return int(slot)
}

// Master returns the node that serves a key now.
func (c *Cluster) Master(key string) *Server {
	c.t.Helper()
	return c.owner(c.Slot(key))
}

// Replica returns the node that follows the master of a key now.
func (c *Cluster) Replica(key string) *Server {
	c.t.Helper()
	slot := c.Slot(key)
	group, err := c.group(context.Background(), c.living(), slot)
	if err == nil && len(group) < 2 {
		err = fmt.Errorf("its master has no replica")
	}
	if err != nil {
		c.t.Fatalf("redistest: replica of slot %d: %v", slot, err)
	}
	return group[1]
}

// living returns a node that answers.
func (c *Cluster) living() *Server {
	c.t.Helper()
	for _, node := range c.nodes {
		if node.Running() {
			return node
		}
	}
	c.t.Fatalf("redistest: no node of the cluster is running")
	return nil
}
