package restflow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// del deletes keys on their masters, and tells which ones were not.
func (r *redisStore) del(ctx context.Context, names []string) error {
	if r.single != nil || len(names) == 1 {
		return r.client.Del(ctx, names...).Err()
	}
	cmds, err := pipelined(ctx, r.client, func(p redis.Pipeliner) error {
		for _, name := range names {
			p.Del(ctx, name)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%d epochs: %w", len(names), err)
	}
	errs := make([]error, len(cmds))
	for i, c := range cmds {
		errs[i] = c.Err()
	}
	return partly(errs)
}

// An order is a command about one epoch.
type order func(ctx context.Context, p redis.Pipeliner, name string) redis.Cmder

func orderDel(ctx context.Context, p redis.Pipeliner, name string) redis.Cmder {
	return p.Del(ctx, name)
}

// confirmed gives an order for each name, for RedisConfig.WaitReplicas: each master is
// asked, on the connection that carried its orders, how many replicas have them. WAIT has no key,
// so that a cluster client cannot route it; we go to the masters ourselves and
// follow what moves meanwhile.
func (r *redisStore) confirmed(ctx context.Context, names []string, o order) error {
	if r.single != nil {
		moved, err := r.orderOn(ctx, &masterOrder{master: r.single, names: names}, o)
		if err == nil && len(moved) > 0 { // this client follows nothing to where it is
			err = fmt.Errorf("%d of %d epochs are on another server of a cluster; use a *redis.ClusterClient", len(moved), len(names))
		}
		return err
	}
	cluster := r.client.(*redis.ClusterClient) // see checkWait
	left := make(map[string]string, len(names))
	for _, name := range names {
		left[name] = ""
	}
	for pause := time.Millisecond; ; pause *= 2 {
		err := r.orderOnMasters(ctx, cluster, left, o)
		if len(left) == 0 && err == nil {
			return nil
		}
		cluster.ReloadState(ctx)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d epochs are on the move between masters: %w", len(left), ctx.Err())
		case <-time.After(pause):
		}
	}
}

// masterOrder is what one master is told of.
type masterOrder struct {
	master *redis.Client
	names  []string
	asking bool // the master is about to get the slot: see ASK in the cluster's specification
}

// orderOnMasters tries each of left once, and leaves in it what has moved: the key
// and the address that was given for it.
func (r *redisStore) orderOnMasters(ctx context.Context, cluster *redis.ClusterClient, left map[string]string, o order) error {
	orders, err := r.masters(ctx, cluster, left)
	if err != nil {
		return err
	}
	clear(left)
	var mu sync.Mutex // protects left and err
	var wg sync.WaitGroup
	for _, m := range orders {
		wg.Go(func() {
			moved, oerr := r.orderOn(ctx, m, o)
			mu.Lock()
			defer mu.Unlock()
			err = errors.Join(err, oerr)
			maps.Copy(left, moved)
		})
	}
	wg.Wait()
	return err
}

// masters groups keys by the master that each is on.
func (r *redisStore) masters(ctx context.Context, cluster *redis.ClusterClient, left map[string]string) ([]*masterOrder, error) {
	var orders []*masterOrder
	for name, addr := range left {
		master, err := cluster.MasterForKey(ctx, name)
		if err != nil {
			return nil, err
		}
		asking := false
		if addr != "" {
			if to := masterAt(ctx, cluster, addr); to != nil {
				master, asking = to, to != master
			}
		}
		at := slices.IndexFunc(orders, func(m *masterOrder) bool { return m.master == master && m.asking == asking })
		if at < 0 {
			at, orders = len(orders), append(orders, &masterOrder{master: master, asking: asking})
		}
		orders[at].names = append(orders[at].names, name)
	}
	return orders, nil
}

// masterAt returns the client of the master at addr, or nil if none is known.
func masterAt(ctx context.Context, cluster *redis.ClusterClient, addr string) (found *redis.Client) {
	var mu sync.Mutex
	err := cluster.ForEachMaster(ctx, func(_ context.Context, c *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		if c.Options().Addr == addr {
			found = c
		}
		return nil
	})
	if err != nil {
		return nil
	}
	return found
}

// orderOn gives the orders of one master, waits for its replicas, and returns what the master
// says is elsewhere.
func (r *redisStore) orderOn(ctx context.Context, m *masterOrder, o order) (moved map[string]string, err error) {
	cmds := make([]redis.Cmder, len(m.names))
	wait := redis.NewIntCmd(ctx, "wait", r.wait, confirmWithin(ctx).Milliseconds())
	_, err = pipelined(ctx, m.master, func(p redis.Pipeliner) error {
		for i, name := range m.names {
			if m.asking {
				p.Do(ctx, "asking")
			}
			cmds[i] = o(ctx, p, name)
		}
		return p.Process(ctx, wait)
	})
	if err != nil {
		return nil, fmt.Errorf("%d epochs: %w", len(m.names), err)
	}
	moved = make(map[string]string)
	for i, c := range cmds {
		switch addr, elsewhere := redirect(c.Err()); {
		case elsewhere:
			moved[m.names[i]] = addr
		case c.Err() != nil:
			return nil, fmt.Errorf("%d epochs: %w", len(m.names), c.Err())
		}
	}
	if len(moved) == len(m.names) {
		return moved, nil
	}
	// The server counts replicas that have all that it had done when this
	// connection's last command ran. So a second try is not confirmed by its own
	// DEL having found nothing to delete, or a script nothing to replace.
	n, err := wait.Result()
	if err == nil && n < int64(r.wait) {
		err = fmt.Errorf("%w: %d of %d", ErrUnconfirmed, n, r.wait)
	}
	return moved, err
}

// redirect reports whether err says that a key is on another master, and where.
func redirect(err error) (addr string, elsewhere bool) {
	if err == nil {
		return "", false
	}
	if addr, ok := redis.IsAskError(err); ok {
		return addr, true
	}
	// The master that MOVED names is asked for again once the topology was read anew.
	_, moved := redis.IsMovedError(err)
	return "", moved || redis.IsTryAgainError(err)
}

// confirmWithin leaves half of the time that a call has for its way: were it to end
// first, a replica that is away would look like a master that is.
func confirmWithin(ctx context.Context) time.Duration {
	left := defaultTimeout
	if end, ok := ctx.Deadline(); ok {
		left = time.Until(end)
	}
	return max(left/2, time.Millisecond) // zero would be for ever
}

// checkWait refuses a number of replicas that cannot be waited for.
func checkWait(client redis.UniversalClient, replicas int) error {
	if replicas < 0 {
		return fmt.Errorf("restflow: RedisConfig.WaitReplicas: %d is negative; give the number of replicas of a master, or 0 for none", replicas)
	}
	switch client.(type) {
	case *redis.Client, *redis.ClusterClient:
		return nil
	}
	if replicas > 0 {
		return fmt.Errorf("restflow: RedisConfig.WaitReplicas: a %T may send WAIT on another connection than the DEL before it; use a *redis.Client or *redis.ClusterClient", client)
	}
	return nil
}
