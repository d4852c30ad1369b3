package restflow_test

import (
	"context"
	"math"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	gocachestore "github.com/eko/gocache/store/go_cache/v4"
	gocache "github.com/patrickmn/go-cache"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

func TestMemoryConfigFaults(t *testing.T) {
	for _, c := range []struct {
		config restflow.MemoryConfig
		want   string
	}{
		{restflow.MemoryConfig{MaxBytes: -1}, "restflow: MemoryConfig.MaxBytes: -1 is negative; give a number of bytes, or 0 for 64 MiB"},
		{restflow.MemoryConfig{EpochSlots: -2}, "restflow: MemoryConfig.EpochSlots: -2 is not within 0 and 268435456; 0 means 131072"},
		{restflow.MemoryConfig{EpochSlots: 1<<28 + 1}, "restflow: MemoryConfig.EpochSlots: 268435457 is not within 0 and 268435456; 0 means 131072"},
		{
			restflow.MemoryConfig{MaxBytes: -1, EpochSlots: -1},
			"restflow: MemoryConfig.MaxBytes: -1 is negative; give a number of bytes, or 0 for 64 MiB\n" +
				"restflow: MemoryConfig.EpochSlots: -1 is not within 0 and 268435456; 0 means 131072",
		},
	} {
		s, err := restflow.NewMemory(c.config)
		require.EqualError(t, err, c.want)
		require.Nil(t, s)
	}
}

// A bound may be as large as a number gets: little of it is taken at once.
func TestMemoryWithoutABound(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s, err := restflow.NewMemory(restflow.MemoryConfig{MaxBytes: math.MaxInt64})
	opened(t, s, err)
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(100<<20))
	k := groupKey("Huge", "k", "1")
	refill(t, s, k, "here")
	warm(t, s, "texts", k)
	require.Equal(t, "here", lookup(t, s, k))
	require.Empty(t, s.CheckKnown())

	f, err := restflow.NewFunc(restflow.FuncConfig[int]{Store: s, Weigh: func(int) int { return math.MaxInt }}, runsFor[scalars])
	require.NoError(t, err)
	_, m, err := f.CallWithMetadata(t.Context(), scalars{})
	require.NoError(t, err)
	require.Equal(t, strconv.IntSize == 64, m.Status == restflow.Bypass, "no entry has more than 4 GiB")
}

func TestStoreConfigFaults(t *testing.T) {
	valid := gocachestore.NewGoCache(gocache.New(time.Hour, 0))
	const kind = "restflow: StoreConfig.Kind is not set; say InProcess if only this process uses the store, or Shared"
	for _, c := range []struct {
		store  store.StoreInterface
		config restflow.StoreConfig
		want   string
	}{
		{nil, restflow.StoreConfig{Kind: restflow.Shared}, "restflow: NewStore: the store is nil; give a gocache store, or use NewMemory"},
		{(*gocachestore.GoCacheStore)(nil), restflow.StoreConfig{Kind: restflow.Shared}, "restflow: NewStore: the store is nil; give a gocache store, or use NewMemory"},
		{valid, restflow.StoreConfig{}, kind},
		{valid, restflow.StoreConfig{Kind: 3}, kind},
		{valid, restflow.StoreConfig{Kind: restflow.Shared, EpochTTL: -time.Second}, "restflow: StoreConfig.EpochTTL: -1s is negative; leave it 0 for 720h0m0s"},
		{valid, restflow.StoreConfig{Kind: restflow.Shared, Timeout: -time.Second}, "restflow: StoreConfig.Timeout: -1s is negative; leave it 0 for 250ms"},
		{valid, restflow.StoreConfig{Kind: restflow.Shared, Compress: -1}, "restflow: StoreConfig.Compress: -1 is negative; give a number of bytes, or 0 for never"},
		{
			valid,
			restflow.StoreConfig{Kind: restflow.InProcess, EpochSlots: -1},
			"restflow: StoreConfig.EpochSlots: -1 is not within 0 and 268435456; 0 means 131072",
		},
		{
			valid,
			restflow.StoreConfig{Kind: restflow.InProcess, Prefix: "{shop}:"},
			`restflow: StoreConfig.Prefix: "{shop}:" holds a brace, a glob character or white space; use letters, digits and colons`,
		},
		{
			nil,
			restflow.StoreConfig{EpochTTL: -1, Timeout: -1, Compress: -1, EpochSlots: -1, Prefix: "*"},
			"restflow: NewStore: the store is nil; give a gocache store, or use NewMemory\n" + kind + "\n" +
				"restflow: StoreConfig.EpochSlots: -1 is not within 0 and 268435456; 0 means 131072\n" +
				"restflow: StoreConfig.EpochTTL: -1ns is negative; leave it 0 for 720h0m0s\n" +
				"restflow: StoreConfig.Timeout: -1ns is negative; leave it 0 for 250ms\n" +
				"restflow: StoreConfig.Compress: -1 is negative; give a number of bytes, or 0 for never\n" +
				`restflow: StoreConfig.Prefix: "*" holds a brace, a glob character or white space; use letters, digits and colons`,
		},
	} {
		s, err := restflow.NewStore(c.store, c.config)
		require.EqualError(t, err, c.want)
		require.Nil(t, s)
	}
}

func TestRedisConfigFaults(t *testing.T) {
	const (
		isNil    = "restflow: NewRedis: the client is nil; give redis.NewClient(&redis.Options{Addr: …, ContextTimeoutEnabled: true})"
		timeouts = "restflow: NewRedis: the client ignores deadlines; set ContextTimeoutEnabled: true in its options, so that a slow Redis cannot hold requests"
		replicas = "restflow: NewRedis: the client reads from replicas, which may show what was invalidated already; leave ReadOnly, RouteByLatency and RouteRandomly unset"
		cached   = "restflow: NewRedis: the client has a client-side cache, which may show what was invalidated already; leave ClientSideCache unset"
		ring     = "restflow: NewRedis: the client is a ring, which moves keys to other servers while one is away, and back to what was invalidated meanwhile; use a single server or a cluster"
	)
	single := func(o redis.Options) *redis.Client {
		o.Addr = "127.0.0.1:1" // nothing is sent
		return redis.NewClient(&o)
	}
	cluster := func(o redis.ClusterOptions) *redis.ClusterClient {
		o.Addrs = []string{"127.0.0.1:1"}
		return redis.NewClusterClient(&o)
	}
	valid := single(redis.Options{ContextTimeoutEnabled: true})
	for _, c := range []struct {
		name   string
		client redis.UniversalClient
		config restflow.RedisConfig
		want   string
	}{
		{"nil", nil, restflow.RedisConfig{}, isNil},
		{"a nil client", (*redis.Client)(nil), restflow.RedisConfig{}, isNil},
		{"a nil cluster", (*redis.ClusterClient)(nil), restflow.RedisConfig{}, isNil},
		{"no deadlines", single(redis.Options{}), restflow.RedisConfig{}, timeouts},
		{"a cluster without deadlines", cluster(redis.ClusterOptions{}), restflow.RedisConfig{}, timeouts},
		{"replicas", cluster(redis.ClusterOptions{ContextTimeoutEnabled: true, ReadOnly: true}), restflow.RedisConfig{}, replicas},
		{"the nearest", cluster(redis.ClusterOptions{ContextTimeoutEnabled: true, RouteByLatency: true}), restflow.RedisConfig{}, replicas},
		{"any", cluster(redis.ClusterOptions{RouteRandomly: true}), restflow.RedisConfig{}, timeouts + "\n" + replicas},
		{"client-side cache", single(redis.Options{ContextTimeoutEnabled: true, Protocol: 3, ClientSideCacheConfig: &redis.ClientSideCacheConfig{}}), restflow.RedisConfig{}, cached},
		{"ring", redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": "127.0.0.1:1"}}), restflow.RedisConfig{}, ring},
		{"EpochTTL", valid, restflow.RedisConfig{EpochTTL: -time.Second}, "restflow: RedisConfig.EpochTTL: -1s is negative; leave it 0 for 720h0m0s"},
		{"Timeout", valid, restflow.RedisConfig{Timeout: 250}, "restflow: RedisConfig.Timeout: 250ns is less than a millisecond; a number alone counts nanoseconds, write 250 * time.Second for seconds"},
		{"Timeout", valid, restflow.RedisConfig{Timeout: -time.Second}, "restflow: RedisConfig.Timeout: -1s is negative; leave it 0 for 250ms"},
		{"Compress", valid, restflow.RedisConfig{Compress: -3}, "restflow: RedisConfig.Compress: -3 is negative; give a number of bytes, or 0 for never"},
		{"Prefix", valid, restflow.RedisConfig{Prefix: "a b"}, `restflow: RedisConfig.Prefix: "a b" holds a brace, a glob character or white space; use letters, digits and colons`},
		{
			"client and config", nil,
			restflow.RedisConfig{Compress: -1},
			isNil + "\nrestflow: RedisConfig.Compress: -1 is negative; give a number of bytes, or 0 for never",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := restflow.NewRedis(c.client, c.config)
			require.EqualError(t, err, c.want)
			require.Nil(t, s)
		})
	}
}

// hooked is a client that a program wraps for its own ends.
type hooked struct{ redis.UniversalClient }

func TestRedisTakesWrappedClients(t *testing.T) {
	s := openRedis(t, hooked{miniClient(t)})
	k := groupKey("Wrapped", "k", "1")
	put(t, s, k, "here")
	require.Equal(t, "here", lookup(t, s, k))
	require.NoError(t, s.Bump(context.Background(), k.Scopes[0], k.Scopes...))
	require.Empty(t, lookup(t, s, k))
}

func TestKinds(t *testing.T) {
	require.Equal(t, "memory", openMemory(t).Kind())
	require.True(t, openMemory(t).Decoded())
	require.Equal(t, "redis", openRedis(t, miniClient(t)).Kind())
	require.False(t, openRedis(t, miniClient(t)).Decoded())
	g := openGocache(t, gocachestore.NewGoCache(gocache.New(time.Hour, 0)), restflow.InProcess)
	require.Equal(t, "go-cache", g.Kind())
	require.False(t, g.Decoded())
}

func TestMemoryRefusesWhatIsLargerThanItself(t *testing.T) {
	s, err := restflow.NewMemory(restflow.MemoryConfig{MaxBytes: 10_000})
	opened(t, s, err)
	small, large := groupKey("Size", "small"), groupKey("Size", "large")
	put(t, s, small, "small")
	var snap restflow.Snapshot
	require.NoError(t, s.Load(context.Background(), large, &snap))
	e, led, err := s.Fill(context.Background(), large, &snap, func(*restflow.Flight) *restflow.Entry {
		return entryOf(string(make([]byte, 10_000)))
	})
	require.ErrorIs(t, err, restflow.ErrTooLarge)
	require.EqualError(t, err, "restflow: the entry is larger than the store")
	require.True(t, led)
	require.NotNil(t, e)
	require.Empty(t, lookup(t, s, large))
	require.Equal(t, "small", lookup(t, s, small), "nothing was pushed out")
}

// A store that drops epochs is found out instead of filled in vain.
func TestStoreThatDropsEpochs(t *testing.T) {
	rs, err := restflow.NewStore(dropping{gocachestore.NewGoCache(gocache.New(time.Hour, 0))}, restflow.StoreConfig{Kind: restflow.Shared})
	s := opened(t, rs, err)
	k := groupKey("Drop", "k", "1")
	var snap restflow.Snapshot
	require.NoError(t, s.Load(context.Background(), k, &snap))
	_, led, err := s.Fill(context.Background(), k, &snap, func(*restflow.Flight) *restflow.Entry { return entryOf("x") })
	require.False(t, led)
	require.ErrorIs(t, err, restflow.ErrNoEpoch)
	require.EqualError(t, err, "restflow: go-cache: ensure: restflow: the store did not keep an epoch")
}

type dropping struct{ *gocachestore.GoCacheStore }

func (dropping) Set(context.Context, any, any, ...store.Option) error { return nil }

// noted notes how long the store is to keep what it is given.
type noted struct {
	*gocachestore.GoCacheStore
	kept []time.Duration
}

func (n *noted) Set(ctx context.Context, key, value any, options ...store.Option) error {
	n.kept = append(n.kept, store.ApplyOptions(options...).Expiration)
	return n.GoCacheStore.Set(ctx, key, value, options...)
}

// No entry is kept longer than its epochs in a shared store: memcached, for one, takes
// more than 30 days for a date.
func TestEntriesEndWithTheirEpochs(t *testing.T) {
	for kind, want := range map[restflow.StoreKind][]time.Duration{
		restflow.Shared:    {time.Minute, time.Minute, time.Minute}, // two epochs and the entry
		restflow.InProcess: {time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := &noted{GoCacheStore: gocachestore.NewGoCache(gocache.New(time.Hour, 0))}
			s, err := restflow.NewStore(n, restflow.StoreConfig{Kind: kind, EpochTTL: time.Minute, SyncSaves: true})
			opened(t, s, err)
			k := groupKey("TTL", "k", "1")
			_, _, err = s.Fill(t.Context(), k, snapshot(t, s, k), func(*restflow.Flight) *restflow.Entry {
				e := entryOf("x")
				e.Expires = time.Now().Add(time.Hour).UnixNano()
				e.StaleUntil = e.Expires
				return e
			})
			require.NoError(t, err)
			require.Equal(t, want, n.kept)
		})
	}
}
