package restflow

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/restflow-go/restflow/internal/hint"
	"github.com/restflow-go/restflow/internal/lifetime"
)

// leaseMark stands in place of a token, and is none.
const leaseMark = "-"

// claim reads what stands then in the same round trip. That tells more than SET's
// reply: a client that sends it again finds its own token.
func (r *redisStore) claim(ctx context.Context, name, token string, d time.Duration) (claimed, error) {
	name = r.shape.leaseKey(name)
	var stands *redis.StringCmd
	cmds, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.SetNX(ctx, name, token, max(d, time.Millisecond))
		stands = p.Get(ctx, name)
		return nil
	})
	for _, c := range cmds { // that there is nothing (any more) is no error
		if cerr := c.Err(); cerr != nil && !errors.Is(cerr, redis.Nil) {
			return lent, cerr
		}
	}
	if err != nil && !errors.Is(err, redis.Nil) {
		return lent, err
	}
	switch stands.Val() {
	case token:
		return ours, nil
	case leaseMark:
		return marked, nil
	}
	return lent, nil
}

// endLease does nothing to a lease that somebody else has: one that was delivered
// late takes nothing away. A mark stays for as long as an answer that cannot be stored
// is remembered elsewhere, and no longer than the lease: the next answer may be stored.
var endLease = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
if ARGV[2] == '' then
  return redis.call('DEL', KEYS[1])
end
local left = math.min(redis.call('PTTL', KEYS[1]), tonumber(ARGV[3]))
redis.call('SET', KEYS[1], ARGV[2], 'PX', math.max(left, 1))
return 1
`)

func (r *redisStore) release(ctx context.Context, name, token string, mark bool) error {
	sign := ""
	if mark {
		sign = leaseMark
	}
	return endLease.Run(ctx, r.client, []string{r.shape.leaseKey(name)}, token, sign, hint.Life.Milliseconds()).Err()
}

// leaseKey names a lease in the store.
func (s *sharedShape) leaseKey(name string) string { return s.prefix + "l:" + name }

// checkLease refuses a lease that is over before anybody can have one.
func checkLease(d time.Duration) error {
	return lifetime.Check("restflow: RedisConfig.Lease", d, "none, or give about what the slowest handler takes")
}
