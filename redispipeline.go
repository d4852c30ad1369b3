package restflow

import (
	"context"
	"errors"
	"slices"

	"github.com/redis/go-redis/v9"
)

// pipelined sends what fn queues. The error is that of the pipeline, and nil where
// one of the commands has it: a client that could not log in, say, or a hook of the
// user's may send nothing at all and leave every command without an error.
func pipelined(ctx context.Context, client pipeliner, fn func(redis.Pipeliner) error) ([]redis.Cmder, error) {
	cmds, err := client.Pipelined(ctx, fn)
	if err == nil || slices.ContainsFunc(cmds, func(c redis.Cmder) bool { return errors.Is(c.Err(), err) }) {
		return cmds, nil
	}
	return cmds, err
}

// pipeliner is what clients of one server and of many have in common here.
type pipeliner interface {
	Pipelined(ctx context.Context, fn func(redis.Pipeliner) error) ([]redis.Cmder, error)
}
