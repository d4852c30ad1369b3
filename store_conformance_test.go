package restflow_test

import (
	"context"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/allegro/bigcache/v3"
	"github.com/eko/gocache/lib/v4/store"
	bigcachestore "github.com/eko/gocache/store/bigcache/v4"
	gocachestore "github.com/eko/gocache/store/go_cache/v4"
	redisstore "github.com/eko/gocache/store/redis/v4"
	gocache "github.com/patrickmn/go-cache"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
	"github.com/restflow-go/restflow/testutil"
)

// unhurried is the timeout of stores whose speed is not what a test is about.
const unhurried = 10 * time.Second

// opened returns s and closes it when the test ends, unless the test has.
func opened(t testing.TB, s *restflow.Store, err error) *restflow.Store {
	t.Helper()
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func openMemory(t *testing.T) *restflow.Store {
	s, err := restflow.NewMemory(restflow.MemoryConfig{})
	return opened(t, s, err)
}

func openRedis(t testing.TB, client redis.UniversalClient) *restflow.Store {
	t.Helper()
	s, err := restflow.NewRedis(client, restflow.RedisConfig{Timeout: unhurried})
	return opened(t, s, err)
}

func openGocache(t *testing.T, s store.StoreInterface, kind restflow.StoreKind) *restflow.Store {
	t.Helper()
	rs, err := restflow.NewStore(s, restflow.StoreConfig{Kind: kind, Timeout: unhurried})
	return opened(t, rs, err)
}

func miniClient(t *testing.T) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{
		Addr: miniredis.RunT(t).Addr(), ContextTimeoutEnabled: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestMemoryStore(t *testing.T) { testutil.TestStore(t, openMemory) }

func TestMemoryStoreOfFewSlots(t *testing.T) {
	testutil.TestStore(t, func(t *testing.T) *restflow.Store {
		s, err := restflow.NewMemory(restflow.MemoryConfig{EpochSlots: 1 << 12})
		return opened(t, s, err)
	})
}

func TestMiniredisStore(t *testing.T) {
	testutil.TestStore(t, func(t *testing.T) *restflow.Store { return openRedis(t, miniClient(t)) })
}

func TestRedisStore(t *testing.T) {
	client := redistest.Start(t).Client()
	testutil.TestStore(t, func(t *testing.T) *restflow.Store { return openRedis(t, client) })
	testutil.TestSharedStore(t, func(t *testing.T) (a, b *restflow.Store) {
		return openRedis(t, client), openRedis(t, client)
	})
}

func TestCompressingRedisStore(t *testing.T) {
	client := redistest.Start(t).Client()
	testutil.TestStore(t, func(t *testing.T) *restflow.Store {
		s, err := restflow.NewRedis(client, restflow.RedisConfig{Timeout: unhurried, Compress: 64, Prefix: "small:"})
		return opened(t, s, err)
	})
}

func TestRedisClusterStore(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 6)
	client, other := cluster.Client(), cluster.Client()
	testutil.TestStore(t, func(t *testing.T) *restflow.Store { return openRedis(t, client) })
	testutil.TestSharedStore(t, func(t *testing.T) (a, b *restflow.Store) {
		return openRedis(t, client), openRedis(t, other)
	})
}

func TestGocacheGoCacheStore(t *testing.T) {
	testutil.TestStore(t, func(t *testing.T) *restflow.Store {
		return openGocache(t, gocachestore.NewGoCache(gocache.New(time.Hour, 0)), restflow.InProcess)
	})
}

func TestGocacheBigcacheStore(t *testing.T) {
	testutil.TestStore(t, func(t *testing.T) *restflow.Store {
		config := bigcache.DefaultConfig(time.Hour)
		config.Shards, config.MaxEntrySize, config.HardMaxCacheSize, config.Verbose = 16, 2<<20, 256, false
		client, err := bigcache.New(context.Background(), config)
		require.NoError(t, err)
		t.Cleanup(func() { _ = client.Close() })
		return openGocache(t, bigcachestore.NewBigcache(client), restflow.InProcess)
	})
}

func TestGocacheRedisStore(t *testing.T) {
	client := redistest.Start(t).Client()
	open := func(t *testing.T) *restflow.Store {
		return openGocache(t, redisstore.NewRedis(client), restflow.Shared)
	}
	testutil.TestStore(t, open)
	testutil.TestSharedStore(t, func(t *testing.T) (a, b *restflow.Store) { return open(t), open(t) })
}

func TestGocacheMiniredisStore(t *testing.T) {
	testutil.TestStore(t, func(t *testing.T) *restflow.Store {
		return openGocache(t, redisstore.NewRedis(miniClient(t)), restflow.Shared)
	})
}
