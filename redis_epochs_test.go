package restflow_test

import (
	"context"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

// T3: any epoch is deleted, evicted or expired at any point, a bump comes after
// that or not, and no entry from before the bump is served. Without a bump the
// loss costs a miss and nothing else.
func TestRedisT3LostEpochs(t *testing.T) {
	client := redistest.Start(t).Client()
	s := openRedis(t, client)
	ctx := context.Background()
	losses := map[string]func(name string) error{
		"deleted": func(name string) error { return client.Del(ctx, name).Err() },
		"expired": func(name string) error {
			if err := client.PExpire(ctx, name, time.Millisecond).Err(); err != nil {
				return err
			}
			await(t, "it expires", func() bool { return client.Exists(ctx, name).Val() == 0 })
			return nil
		},
		"replaced by another's": func(name string) error { return client.Set(ctx, name, "12345678", time.Hour).Err() },
	}
	for how, lose := range losses {
		for _, point := range []string{"before the lookup", "before the fill", "during the run", "after the save"} {
			for i := range 3 {
				for _, bumped := range []bool{false, true} {
					client.FlushDB(ctx)
					k := groupKey("T3", "k", "1", "u")
					require.NoError(t, s.Epochs(ctx, k.Scopes, make([]restflow.Epoch, 3), true))
					name := epochNames(t, client, s, k)[i]
					happen := func(at string) {
						if at != point {
							return
						}
						require.NoError(t, lose(name))
						if bumped {
							require.NoError(t, s.Bump(ctx, k.Scopes[0], k.Scopes[(i+1)%3]))
						}
					}
					happen("before the lookup")
					var snap restflow.Snapshot
					require.NoError(t, s.Load(ctx, k, &snap))
					require.Nil(t, snap.Entry)
					happen("before the fill")
					_, led, err := s.Fill(ctx, k, &snap, func(*restflow.Flight) *restflow.Entry {
						happen("during the run")
						return entryOf("made")
					})
					require.NoError(t, err)
					require.True(t, led)
					require.NoError(t, s.Flush(ctx))
					happen("after the save")
					want := "" // an epoch that was read is gone
					if point == "before the lookup" {
						want = "made"
					}
					require.Equal(t, want, lookup(t, s, k), "%s %s, epoch %d, bumped %t", how, point, i, bumped)
				}
			}
		}
	}
}

// epochNames returns the names of k's epochs in Redis in the order of its scopes:
// a bump of one deletes one.
func epochNames(t *testing.T, client *redis.Client, s *restflow.Store, k *restflow.Key) []string {
	t.Helper()
	ctx := context.Background()
	names := make([]string, len(k.Scopes))
	for i, sc := range k.Scopes {
		before := keysOf(t, client, "s")
		require.Len(t, before, len(k.Scopes))
		require.NoError(t, s.Bump(ctx, k.Scopes[0], sc))
		for _, n := range before {
			if client.Exists(ctx, n).Val() == 0 {
				names[i] = n
			}
		}
		require.NotEmpty(t, names[i])
		require.NoError(t, s.Epochs(ctx, k.Scopes, make([]restflow.Epoch, len(k.Scopes)), true))
	}
	return names
}

// A server that restarts empty has lost entries and epochs alike: a fill under
// way when it did is dead.
func TestRedisT3Restart(t *testing.T) {
	server := redistest.Start(t)
	s := openRedis(t, server.Client())
	k := groupKey("T3", "k", "1")
	put(t, s, k, "old")
	var snap restflow.Snapshot
	require.NoError(t, s.Bump(context.Background(), k.Scopes[0], k.Scopes[1]))
	require.NoError(t, s.Load(context.Background(), k, &snap))
	_, led, err := s.Fill(context.Background(), k, &snap, func(*restflow.Flight) *restflow.Entry {
		server.Restart()
		return entryOf("made under epochs that are gone")
	})
	require.NoError(t, err)
	require.True(t, led)
	require.Empty(t, lookup(t, s, k))
	put(t, s, k, "new")
	require.Equal(t, "new", lookup(t, s, k))
}

// An attempt to set an epoch that the network delivers late. In order: an
// attempt is sent and held up; the client sends it again on another connection;
// a fill is made under that; a bump; the first attempt arrives. Had both
// attempts carried one epoch, the fill would be alive again.
func TestRedisT3LateAttempt(t *testing.T) {
	server := redistest.Start(t)
	slow := redistest.StartProxy(t, server.Addr())
	var detour atomic.Bool
	o := server.Options()
	o.PoolSize, o.ReadTimeout, o.MaxRetries = 1, 100*time.Millisecond, 3
	o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if detour.Load() {
			addr = slow.Addr()
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
	client := redis.NewClient(o)
	t.Cleanup(func() { _ = client.Close() })
	s := openRedis(t, client)
	admin := server.Client()
	ctx := context.Background()
	k := groupKey("Late", "k")

	detour.Store(true)
	put(t, s, groupKey("Other", "k"), "connects through the proxy")
	var snap restflow.Snapshot
	require.NoError(t, s.Load(ctx, k, &snap))
	detour.Store(false)
	slow.Blackhole()

	_, led, err := s.Fill(ctx, k, &snap, func(*restflow.Flight) *restflow.Entry { return entryOf("old") })
	require.NoError(t, err)
	require.True(t, led)
	require.Equal(t, "old", lookup(t, s, k))
	before := len(keysOf(t, admin, "s"))
	require.NoError(t, s.Bump(ctx, k.Scopes[0], k.Scopes[0]))
	require.Len(t, keysOf(t, admin, "s"), before-1)

	slow.Heal()
	await(t, "the first attempt arrives", func() bool { return len(keysOf(t, admin, "s")) == before })
	require.NotZero(t, client.PoolStats().Timeouts+client.PoolStats().Misses)
	require.Empty(t, lookup(t, s, k), "an epoch that was bumped is back")
}

// Redis throws out what it likes while readers, fillers and bumps go on.
func TestRedisEviction(t *testing.T) {
	server := redistest.Start(t, "--maxmemory", "3mb", "--maxmemory-policy", "allkeys-lru", "--maxmemory-samples", "1")
	client := server.Client()
	s := openRedis(t, client)
	ctx := context.Background()
	body := make([]byte, 20<<10)
	var hits, version int
	for i := range 3000 {
		k := groupKey("Evict", strconv.Itoa((i/50*25+i%25)%300), "1") // each twice between bumps
		if i%50 == 0 {
			version = i
			require.NoError(t, s.Bump(ctx, k.Scopes[0], k.Scopes[1]))
		}
		var snap restflow.Snapshot
		require.NoError(t, s.Load(ctx, k, &snap))
		require.NoError(t, snap.Fault)
		if e := snap.Entry; e != nil {
			hits++
			require.Equal(t, version, e.Status, "an entry from before a bump")
			continue
		}
		_, _, err := s.Fill(ctx, k, &snap, func(*restflow.Flight) *restflow.Entry {
			return &restflow.Entry{Status: version, Body: body}
		})
		if err != nil {
			require.ErrorIs(t, err, restflow.ErrNoEpoch) // thrown out before it was read
		}
	}
	info, err := client.InfoMap(ctx, "stats").Result()
	require.NoError(t, err)
	require.NotEqual(t, "0", info["Stats"]["evicted_keys"], "the test has to evict")
	require.NotZero(t, hits)
}
