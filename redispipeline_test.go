package restflow_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

// A client that cannot log in any more leaves the commands of a pipeline without an
// error. What it did not send is an error all the same, and an invalidation pending.
func TestRedisPipelinesThatAreNotSent(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  restflow.RedisConfig
		bump func(s *restflow.Store, k *restflow.Key) error
	}{
		"bump": {bump: bumpAll},
		"soft bump": {bump: func(s *restflow.Store, k *restflow.Key) error {
			return s.BumpSoft(t.Context(), k.Scopes[0], time.Minute, k.Scopes...)
		}},
		"bump with replicas": {cfg: restflow.RedisConfig{WaitReplicas: 1}, bump: bumpAll},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			admin := server.Client()
			rotate := func(password string) {
				require.NoError(t, admin.ConfigSet(t.Context(), "requirepass", password).Err())
				require.NoError(t, admin.Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err())
			}
			rotate("one")
			o := server.Options()
			o.Password = "one"
			client := redis.NewClient(o)
			t.Cleanup(func() { require.NoError(t, client.Close()) })
			s, err := restflow.NewRedis(client, c.cfg)
			require.NoError(t, err)
			k := groupKey("Login", "k", "1")
			put(t, s, k, "old")

			rotate("two")
			err = c.bump(s, k)
			require.ErrorContains(t, err, "WRONGPASS")
			require.NotErrorIs(t, err, restflow.ErrUnconfirmed)
			require.ErrorIs(t, loadErr(s, k), restflow.ErrPending)

			rotate("one")
			if c.cfg.WaitReplicas == 0 {
				await(t, "the invalidation arrives", func() bool { return loadErr(s, k) == nil })
				require.Empty(t, lookup(t, s, k))
				require.NoError(t, s.Close())
			} else {
				require.Error(t, s.Close(), "there is no replica")
			}
		})
	}
}
