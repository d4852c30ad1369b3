package restflow_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

// listener answers a client in the place of Redis that there is nothing, and tells the
// context of each command.
type listener struct{ heard func(context.Context) }

func (l listener) DialHook(next redis.DialHook) redis.DialHook { return next }

func (l listener) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		l.heard(ctx)
		cmd.(*redis.SliceCmd).SetVal(make([]any, len(cmd.Args())-1))
		return nil
	}
}

func (l listener) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// Lookups that begin shortly after each other share an end, which is never later than
// the timeout of each, and hardly earlier. All else is the caller's.
func TestLookupsShareAnEnd(t *testing.T) {
	const timeout = 160 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		var heard context.Context
		client := redis.NewClient(&redis.Options{ContextTimeoutEnabled: true})
		defer func() { require.NoError(t, client.Close()) }()
		client.AddHook(listener{func(ctx context.Context) { heard = ctx }})
		s, err := restflow.NewRedis(client, restflow.RedisConfig{Timeout: timeout})
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		look := func(ctx context.Context, s *restflow.Store) (left time.Duration) {
			var snap restflow.Snapshot
			require.NoError(t, s.Load(ctx, groupKey("Window", "k"), &snap))
			until, ok := heard.Deadline()
			require.True(t, ok)
			return time.Until(until)
		}
		type name struct{}
		ctx := context.WithValue(t.Context(), name{}, "ada")

		require.Equal(t, timeout, look(ctx, s))
		require.Equal(t, "ada", heard.Value(name{}))
		require.NoError(t, heard.Err())
		time.Sleep(10*time.Millisecond - 1)
		require.Equal(t, timeout-10*time.Millisecond+1, look(context.Background(), s))
		require.Nil(t, heard.Value(name{}))
		shared := heard
		time.Sleep(time.Nanosecond)
		require.Equal(t, timeout, look(ctx, s), "the next window")

		hurried, cancel := context.WithTimeout(ctx, timeout-1)
		require.Equal(t, timeout-1, look(hurried, s))
		cancel()
		require.Equal(t, time.Hour, look(ctx, s.WithTimeout(time.Hour)), "a view has its own")

		time.Sleep(timeout)
		<-shared.Done()
		require.Equal(t, context.DeadlineExceeded, shared.Err())
		require.Equal(t, timeout, look(ctx, s), "after a pause")

		heard = nil
		gone, leave := context.WithCancel(ctx)
		leave()
		var snap restflow.Snapshot
		require.ErrorIs(t, s.Load(gone, groupKey("Window", "k"), &snap), context.Canceled)
		require.Nil(t, heard, "nobody is asked for a caller who has left")
		time.Sleep(time.Hour) // for what ends by itself
	})
}
