package restflow

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// get reads all names into dst in one round trip, "" for absent. What is no string of
// Redis counts as absent.
func (r *redisStore) get(ctx context.Context, names, dst []string) error {
	if r.single == nil || r.watched {
		return r.getEach(ctx, names, dst)
	}
	return r.mget(ctx, mgetOf(names), dst)
}

// mgetOf is the command that reads names.
func mgetOf(names []string) []any {
	args := make([]any, 1, 1+len(names))
	args[0] = "mget"
	for _, name := range names {
		args = append(args, name)
	}
	return args
}

// mget sends a command of mgetOf, which it does not change.
func (r *redisStore) mget(ctx context.Context, args []any, dst []string) error {
	cmd := redis.NewSliceCmd(ctx, args...)
	_ = r.single.Process(ctx, cmd) // the command has its error
	values, err := cmd.Result()
	if err != nil {
		return err
	}
	if len(values) != len(args)-1 { // something between us and Redis is broken
		return fmt.Errorf("%d values for %d keys", len(values), len(args)-1)
	}
	for i, v := range values {
		dst[i], _ = v.(string)
	}
	return nil
}

// getEach reads names by a command each. Behind Sentinel that is GETEX, which
// changes nothing here but counts as a write: a replica refuses it, as does a
// master that has lost its replicas and is told to care (min-replicas-to-write). A
// connection to a master that was demoted would otherwise go on to show epochs
// that were bumped on its successor. The client takes the refusal for a reason to
// ask Sentinel again.
func (r *redisStore) getEach(ctx context.Context, names, dst []string) error {
	cmds, err := pipelined(ctx, r.client, func(p redis.Pipeliner) error {
		for _, name := range names {
			if r.watched {
				p.GetEx(ctx, name, redis.KeepTTL)
			} else {
				p.Get(ctx, name)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, c := range cmds {
		v, err := c.(*redis.StringCmd).Result()
		if err != nil && !noString(err) {
			return err
		}
		dst[i] = v
	}
	return nil
}

// failoverAddr is what a client that asks Sentinel has in place of an address.
const failoverAddr = "FailoverClient"

// watched reports whether the client asks Sentinel where the master is.
func watched(client redis.UniversalClient) bool {
	switch c := client.(type) {
	case *redis.Client:
		return c.Options().Addr == failoverAddr
	case *redis.ClusterClient:
		return c.Options().ClusterSlots != nil
	}
	return false
}
