package restflow

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// softBump replaces one epoch by another that is followed by the old one and the
// end of the window. The new epoch is derived from what the script finds and a nonce:
// were the client to choose it, a script that the network delivers late or twice could
// bring back an epoch that had been in use and bumped since. So each delivery makes
// an epoch that never was, and one that comes late can only end a life sooner. What
// is absent or no epoch stays as it is, being dead. A derived epoch of zero reads as
// none and is replaced like one.
var softBump = redis.NewScript(`
local was = redis.call('GET', KEYS[1])
if was and (#was == 8 or #was == 24) then
  local hash = string.sub(redis.sha1hex(was .. ARGV[1]), 1, 16)
  local new = string.gsub(hash, '..', function(x) return string.char(tonumber(x, 16)) end)
  redis.call('SET', KEYS[1], new .. string.sub(was, 1, 8) .. ARGV[2], 'KEEPTTL')
end
return 0
`)

// bumpSoft runs the script once for each scope, since the keys of a cluster lie
// apart. What it cannot do is done as a hard bump: where Redis is full a SET is
// refused and a DEL is not.
func (r *redisStore) bumpSoft(ctx context.Context, scopes []Scope, until int64) error {
	names := make([]string, len(scopes))
	for i, sc := range scopes {
		names[i] = r.shape.epochKey(sc)
	}
	end := binary.LittleEndian.AppendUint64(nil, uint64(until))
	run := func(ctx context.Context, p redis.Pipeliner, name string) redis.Cmder {
		return softBump.Eval(ctx, p, []string{name}, freshEpoch{}, end)
	}
	var err error
	if r.wait > 0 {
		err = r.confirmed(ctx, names, run)
	} else {
		err = r.each(ctx, names, func(ctx context.Context, p redis.Pipeliner, name string) redis.Cmder {
			return softBump.EvalSha(ctx, p, []string{name}, freshEpoch{}, end)
		}, run)
	}
	if err == nil || errors.Is(err, ErrUnconfirmed) {
		return err
	}
	return r.bump(ctx, scopes)
}

// each gives an order for every name, in one round trip, and another to those that
// do not know the script.
func (r *redisStore) each(ctx context.Context, names []string, orders ...order) error {
	for _, o := range orders {
		cmds := make([]redis.Cmder, 0, len(names))
		_, err := pipelined(ctx, r.client, func(p redis.Pipeliner) error {
			for _, name := range names {
				cmds = append(cmds, o(ctx, p, name))
			}
			return nil
		})
		var unknown []string
		for i, c := range cmds {
			if redis.HasErrorPrefix(c.Err(), "NOSCRIPT") {
				unknown = append(unknown, names[i])
			} else {
				err = errors.Join(err, c.Err())
			}
		}
		if err != nil {
			return fmt.Errorf("%d epochs: %w", len(names), err)
		}
		if names = unknown; len(names) == 0 {
			return nil
		}
	}
	return fmt.Errorf("%d epochs: the script was not kept", len(names))
}

func (r *redisStore) predecessors([]Scope, *Snapshot) {} // load has read them
