package redistest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// errNoOwner says that a node knows of no master for a slot.
var errNoOwner = errors.New("no node serves it")

// owner returns the master of a slot, as a living node sees it.
func (c *Cluster) owner(slot int) *Server {
	c.t.Helper()
	group, err := c.group(context.Background(), c.living(), slot)
	if err != nil {
		c.t.Fatalf("redistest: owner of slot %d: %v", slot, err)
	}
	return group[0]
}

// group returns the master and then the replicas of a slot, as one node sees them.
func (c *Cluster) group(ctx context.Context, node *Server, slot int) ([]*Server, error) {
	ranges, err := slotRanges(ctx, node)
	if err != nil {
		return nil, err
	}
	for _, r := range ranges {
		if r.Start <= slot && slot <= r.End {
			return c.servers(r.Nodes)
		}
	}
	return nil, errNoOwner
}

// slotRanges returns which nodes serve which slots, as one node sees it. It asks
// CLUSTER SLOTS because that leaves out replicas without data, where its
// successor CLUSTER SHARDS lists them.
func slotRanges(ctx context.Context, node *Server) ([]redis.ClusterSlot, error) {
	return node.admin.ClusterSlots(ctx).Result() //nolint:staticcheck // see above
}

func (c *Cluster) servers(nodes []redis.ClusterNode) ([]*Server, error) {
	group := make([]*Server, len(nodes))
	for i, n := range nodes {
		for _, s := range c.nodes {
			if c.ids[s] == n.ID {
				group[i] = s
			}
		}
		if group[i] == nil {
			return nil, fmt.Errorf("node %s at %s is not of this cluster", n.ID, n.Addr)
		}
	}
	return group, nil
}

// awaitOwner waits until every living node sees the same master of a slot.
func (c *Cluster) awaitOwner(slot int, want *Server) {
	c.t.Helper()
	for _, node := range c.nodes {
		if !node.Running() {
			continue
		}
		what := fmt.Sprintf("%s sees %s as the owner of slot %d", node.Addr(), want.Addr(), slot)
		await(c.t, what, func(ctx context.Context) error {
			group, err := c.group(ctx, node, slot)
			if err != nil {
				return err
			}
			if group[0] != want {
				return fmt.Errorf("it sees %s", group[0].Addr())
			}
			return healthy(ctx, node)
		})
	}
}

// awaitHealthy waits until every node knows all the others, serves, and sees a
// replica in step behind every master.
func (c *Cluster) awaitHealthy() {
	c.t.Helper()
	for _, node := range c.nodes {
		await(c.t, node.Addr()+" sees the cluster formed", func(ctx context.Context) error {
			if err := healthy(ctx, node); err != nil {
				return err
			}
			if err := inStep(ctx, node); err != nil {
				return err
			}
			return c.complete(ctx, node)
		})
	}
}

// healthy returns nil when a node serves commands.
func healthy(ctx context.Context, node *Server) error {
	info, err := node.admin.ClusterInfo(ctx).Result()
	if err == nil && !strings.Contains(info, "cluster_state:ok") {
		err = errors.New("its cluster_state is not ok")
	}
	return err
}

// complete returns nil when a node sees a master and a replica for every slot.
func (c *Cluster) complete(ctx context.Context, node *Server) error {
	ranges, err := slotRanges(ctx, node)
	if err != nil {
		return err
	}
	covered := 0
	for _, r := range ranges {
		if len(r.Nodes) < 2 {
			return fmt.Errorf("slots %d-%d have no replica", r.Start, r.End)
		}
		covered += r.End - r.Start + 1
	}
	if covered != slots {
		return fmt.Errorf("%d of %d slots are covered", covered, slots)
	}
	return nil
}

// inStep returns nil for a master, and for a replica that has loaded its
// master's data and follows it.
func inStep(ctx context.Context, node *Server) error {
	info, err := node.info(ctx, "replication", "Replication")
	if err != nil {
		return err
	}
	if info["role"] == "slave" && info["master_link_status"] != "up" {
		return fmt.Errorf("its link to its master is %s", info["master_link_status"])
	}
	return nil
}
