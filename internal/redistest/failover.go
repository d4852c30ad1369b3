package redistest

import (
	"context"
	"fmt"
)

// Failover promotes the replica of the master that serves a key, waits until
// every running node knows, and returns the promoted node.
//
// A running master hands over without losing a write (CLUSTER FAILOVER). One
// that was killed or paused before is replaced by a vote of the others (CLUSTER
// FAILOVER FORCE), and loses what it had not sent to its replica, as in a real
// crash; resumed or restarted, it joins again as a replica.
func (c *Cluster) Failover(key string) *Server {
	c.t.Helper()
	slot := c.Slot(key)
	old, next := c.Master(key), c.Replica(key)
	command := []any{"CLUSTER", "FAILOVER"}
	if old.Running() {
		await(c.t, next.Addr()+" is in step", func(ctx context.Context) error { return inStep(ctx, next) })
	} else {
		command = append(command, "FORCE")
	}
	next.do(command...)
	c.awaitOwner(slot, next)
	c.awaitMastership(next)
	return next
}

// awaitMastership waits until the promoted node itself acts as a master.
func (c *Cluster) awaitMastership(node *Server) {
	c.t.Helper()
	await(c.t, node.Addr()+" acts as a master", func(ctx context.Context) error {
		info, err := node.info(ctx, "replication", "Replication")
		if err == nil && info["role"] != "master" {
			err = fmt.Errorf("its role is %s", info["role"])
		}
		return err
	})
}
