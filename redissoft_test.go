package restflow_test

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

// scripts notes the EVALs that a client sends.
type scripts struct {
	mu   sync.Mutex
	sent [][]any
}

func (*scripts) DialHook(next redis.DialHook) redis.DialHook { return next }

func (*scripts) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (s *scripts) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		s.mu.Lock()
		for _, c := range cmds {
			if c.Name() == "eval" {
				s.sent = append(s.sent, c.Args())
			}
		}
		s.mu.Unlock()
		return next(ctx, cmds) // which may connect, by a pipeline
	}
}

// softEpoch returns the only epoch that a soft bump has made, and the end of its window.
func softEpoch(t *testing.T, client *redis.Client) (epoch string, until time.Time) {
	t.Helper()
	for _, name := range keysOf(t, client, "s") {
		if v := client.Get(context.Background(), name).Val(); len(v) == 24 {
			require.Empty(t, epoch)
			epoch, until = v[:8], time.Unix(0, int64(binary.LittleEndian.Uint64([]byte(v[16:]))))
		}
	}
	require.NotEmpty(t, epoch)
	return epoch, until
}

// The script that the network delivers late and again: after a second fill, a hard
// bump, a third fill. What was dead stays dead, no epoch comes back, and windows end
// when the caller said.
func TestRedisSoftBumpDeliveredLate(t *testing.T) {
	client := redistest.Start(t).Client()
	log := &scripts{}
	client.AddHook(log)
	s := openRedis(t, client)
	k := groupKey("Late", "k", "1")
	put(t, s, k, "old")
	bumpSoft(t, s, k, 1, time.Hour)
	require.Equal(t, "old", softly(t, s, k))
	require.Len(t, log.sent, 1)
	_, until := softEpoch(t, client)
	late := log.sent[0]
	require.Equal(t, "eval", late[0])
	late[4] = "a nonce" // the same in each delivery
	deliver := func() { require.NoError(t, client.Do(context.Background(), late...).Err()) }

	deliver()
	require.Empty(t, softly(t, s, k), "two generations old")
	put(t, s, k, "new")
	bumpHard(t, s, k, 1)
	deliver()
	require.Empty(t, softly(t, s, k))
	require.Len(t, keysOf(t, client, "s"), 1, "nothing is made of what is absent")
	put(t, s, k, "newer")
	deliver()
	require.Equal(t, "newer", softly(t, s, k), "a life that it ends too soon has the window")

	seen := map[string]bool{}
	for range 100 {
		epoch, end := softEpoch(t, client)
		require.False(t, seen[epoch], "an epoch stands again")
		require.Equal(t, until, end)
		seen[epoch] = true
		deliver()
	}
}

// A client that sees no reply sends the script again, and then the hard bump; all of
// them reach the server.
func TestRedisSoftBumpWithoutReply(t *testing.T) {
	server := redistest.Start(t)
	proxy := redistest.StartProxy(t, server.Addr())
	o := server.Options()
	o.Addr, o.MaxRetries, o.ReadTimeout = proxy.Addr(), -1, 100*time.Millisecond
	client := redis.NewClient(o)
	t.Cleanup(func() { _ = client.Close() })
	s, err := restflow.NewRedis(client, restflow.RedisConfig{Timeout: 300 * time.Millisecond})
	opened(t, s, err)
	other := openRedis(t, server.Client())
	k := groupKey("Lost", "k", "1")
	put(t, other, k, "old")
	require.Equal(t, "old", lookup(t, s, k))

	proxy.Blackhole()
	err = s.BumpSoft(context.Background(), k.Scopes[0], time.Hour, k.Scopes[1])
	require.ErrorContains(t, err, "restflow: invalidation failed, it is retried until it succeeds: restflow: redis: bump: ")
	require.ErrorIs(t, loadErr(s, k), restflow.ErrPending)
	proxy.Heal()
	await(t, "it is retried as a hard one", func() bool { return loadErr(s, k) == nil })
	await(t, "what was held up has arrived", func() bool { return softly(t, other, k) == "" && lookup(t, other, k) == "" })
	require.Empty(t, softly(t, s, k))
}

func TestRedisSoftBumpKeepsTheLifeOfItsEpoch(t *testing.T) {
	client := redistest.Start(t).Client()
	s := openRedis(t, client)
	k := groupKey("Life", "k", "1")
	put(t, s, k, "old")
	for range 2 {
		bumpSoft(t, s, k, 0, time.Hour)
		for _, name := range keysOf(t, client, "s") {
			require.InDelta(t, 30*24*time.Hour, client.TTL(t.Context(), name).Val(), float64(time.Minute))
		}
	}
}

// A soft bump is one round trip, and two where the server does not know the script yet.
// A lookup is one afterwards as before.
func TestRedisSoftBumpTrips(t *testing.T) {
	client := redistest.Start(t).Client()
	count := &trips{}
	client.AddHook(count)
	s := openRedis(t, client)
	k := groupKey("Trips", "k", "1")
	put(t, s, k, "old")
	both := func() {
		require.NoError(t, s.BumpSoft(t.Context(), k.Scopes[0], time.Hour, k.Scopes...))
	}
	commands, pipelines, names := count.during(both)
	require.EqualValues(t, 2, commands+pipelines)
	require.Equal(t, []string{"evalsha", "evalsha", "eval", "eval"}, names)
	commands, pipelines, names = count.during(both)
	require.EqualValues(t, 1, commands+pipelines)
	require.Equal(t, []string{"evalsha", "evalsha"}, names)
	put(t, s, k, "new")
	both()
	commands, pipelines, names = count.during(func() { require.Equal(t, "new", softly(t, s, k)) })
	require.EqualValues(t, 1, commands+pipelines)
	require.Equal(t, []string{"mget"}, names)
}

// Where the script is refused, the group is dropped hard: Redis is full, a user may
// not run scripts, or something else than an epoch stands there.
func TestRedisSoftBumpRefused(t *testing.T) {
	for name, refuse := range map[string]func(c *redis.Client) error{
		"full": func(c *redis.Client) error { return c.ConfigSet(context.Background(), "maxmemory", "1").Err() },
		"no scripts": func(c *redis.Client) error {
			return c.Do(context.Background(), "acl", "setuser", "default", "-@scripting").Err()
		},
		"another type": func(c *redis.Client) error {
			names, err := c.Keys(context.Background(), "restflow:s:*").Result()
			for _, name := range names {
				err = errors.Join(err, c.Del(context.Background(), name).Err(), c.LPush(context.Background(), name, "x").Err())
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := redistest.Start(t).Client()
			s := openRedis(t, client)
			k := groupKey("Refused", "k", "1")
			put(t, s, k, "old")
			require.NoError(t, refuse(client))
			bumpSoft(t, s, k, 1, time.Hour)
			require.Empty(t, softly(t, s, k))
			require.Empty(t, lookup(t, s, k))
			require.Len(t, keysOf(t, client, "s"), 1)
		})
	}
}

// With WaitReplicas a soft bump is confirmed as a hard one is.
func TestWaitReplicasOfSoftBumps(t *testing.T) {
	r := redistest.StartReplicated(t)
	client := r.Master().Client()
	count := &trips{}
	client.AddHook(count)
	s := openWaiting(t, client, unhurried)
	k := groupKey("Wait", "k", "1")
	put(t, s, k, "old")
	r.Sync()
	_, pipelines, names := count.during(func() { bumpSoft(t, s, k, 1, time.Hour) })
	require.Equal(t, []string{"eval", "wait"}, names)
	require.EqualValues(t, 1, pipelines)
	r.Master().Kill()
	promoted := openRedis(t, r.Promote().Client())
	require.Empty(t, lookup(t, promoted, k))
	require.Equal(t, "old", softly(t, promoted, k), "the window goes with it")
}

func TestWaitReplicasOfSoftBumpsUnconfirmed(t *testing.T) {
	r := redistest.StartReplicated(t)
	s := openWaiting(t, r.Master().Client(), 400*time.Millisecond)
	k := groupKey("Wait", "k", "1")
	put(t, s, k, "old")
	r.Sync()
	r.Replica().Pause()
	err := s.BumpSoft(t.Context(), k.Scopes[0], time.Hour, k.Scopes[1])
	require.ErrorIs(t, err, restflow.ErrUnconfirmed)
	require.ErrorIs(t, loadErr(s, k), restflow.ErrPending)
	r.Replica().Resume()
	await(t, "it is confirmed as a hard one", func() bool { return loadErr(s, k) == nil })
	require.Empty(t, softly(t, s, k))
}
