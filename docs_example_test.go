package restflow_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	gocachestore "github.com/eko/gocache/store/go_cache/v4"
	gocache "github.com/patrickmn/go-cache"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

func ExampleNewMemory_bounded() {
	store, err := restflow.NewMemory(restflow.MemoryConfig{
		MaxBytes: 256 << 20, // entries by estimate; what is least useful goes first
	})
	fmt.Println(store.Kind(), err, store.Close())
	// Output:
	// memory <nil> <nil>
}

func ExampleNewStore_goCache() {
	store, err := restflow.NewStore(gocachestore.NewGoCache(gocache.New(time.Hour, time.Minute)), restflow.StoreConfig{
		Kind: restflow.InProcess, // or Shared, if other processes use it too
	})
	fmt.Println(store.Kind(), err)
	// Output:
	// go-cache <nil>
}

// The documents' way to open a Redis store works.
func TestDocumentedRedisStore(t *testing.T) {
	addr := miniredis.RunT(t).Addr()
	client := redis.NewClient(&redis.Options{
		Addr:                  addr,
		ContextTimeoutEnabled: true, // or a slow Redis could hold requests
	})
	store, err := restflow.NewRedis(client, restflow.RedisConfig{
		Prefix:   "shop:",
		Compress: 4 << 10, // bodies of 4 KiB and more
	})
	require.NoError(t, err)
	require.Equal(t, "redis", store.Kind())
	require.NoError(t, store.Close())
	require.NoError(t, client.Close())
}

func TestDocumentedLease(t *testing.T) {
	client := miniClient(t)
	store, err := restflow.NewRedis(client, restflow.RedisConfig{
		Lease: 5 * time.Second, // about what the slowest handler takes
	})
	require.NoError(t, err)
	put(t, store, groupKey("Documented", "k"), "x")
	require.NoError(t, store.Close())
}
