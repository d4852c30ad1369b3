package redistest

import (
	"context"
	"fmt"
	"time"
)

// migrateTimeout bounds the hand-over of one batch of keys between two nodes.
const migrateTimeout = 10 * time.Second

// Move is a hash slot on its way from one master to another. While it is under
// way, a key that has moved is answered with ASK by its old master, and a
// command with keys on both sides with TRYAGAIN.
type Move struct {
	c        *Cluster
	slot     int
	from, to *Server
}

// MoveSlot moves a slot with all its keys to another master and waits until
// every running node knows.
func (c *Cluster) MoveSlot(slot int, to *Server) {
	c.t.Helper()
	m := c.StartMove(slot, to)
	m.Keys(0)
	m.Finish()
}

// StartMove begins to move a slot to another master, without moving a key yet.
func (c *Cluster) StartMove(slot int, to *Server) *Move {
	c.t.Helper()
	m := &Move{c: c, slot: slot, from: c.owner(slot), to: to}
	if m.from == to {
		c.t.Fatalf("redistest: slot %d is on %s already", slot, to.Addr())
	}
	to.do("CLUSTER", "SETSLOT", slot, "IMPORTING", c.ids[m.from])
	m.from.do("CLUSTER", "SETSLOT", slot, "MIGRATING", c.ids[to])
	return m
}

// Keys moves up to n keys of the slot, all of them when n is zero, and returns
// how many it moved. Which keys go first is up to the server.
func (m *Move) Keys(n int) int {
	m.c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	moved := 0
	for n == 0 || moved < n {
		batch := 100
		if n > 0 {
			batch = min(batch, n-moved)
		}
		keys, err := m.from.admin.ClusterGetKeysInSlot(ctx, m.slot, batch).Result()
		if err == nil && len(keys) > 0 {
			err = m.migrate(ctx, keys)
		}
		if err != nil {
			m.c.t.Fatalf("redistest: move keys of slot %d from %s to %s: %v", m.slot, m.from.Addr(), m.to.Addr(), err)
		}
		if len(keys) == 0 {
			break
		}
		moved += len(keys)
	}
	return moved
}

func (m *Move) migrate(ctx context.Context, keys []string) error {
	args := []any{"MIGRATE", "127.0.0.1", m.to.port, "", 0, migrateTimeout.Milliseconds(), "KEYS"}
	for _, key := range keys {
		args = append(args, key)
	}
	if err := m.from.admin.Do(ctx, args...).Err(); err != nil {
		return fmt.Errorf("MIGRATE: %w", err)
	}
	return nil
}

// Finish gives the slot to its new master and waits until every running node
// knows. All keys must have been moved.
func (m *Move) Finish() {
	m.c.t.Helper()
	// The new master first: it must never happen that nobody owns the slot.
	m.to.do("CLUSTER", "SETSLOT", m.slot, "NODE", m.c.ids[m.to])
	m.from.do("CLUSTER", "SETSLOT", m.slot, "NODE", m.c.ids[m.to])
	m.c.awaitOwner(m.slot, m.to)
}
