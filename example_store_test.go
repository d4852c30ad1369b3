package restflow_test

import (
	"context"
	"fmt"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/restflow-go/restflow"
)

// A client that could hold requests is refused, with what to change.
func ExampleNewRedis() {
	server, err := miniredis.Run() // in a program: the address of a Redis
	if err != nil {
		panic(err)
	}
	defer server.Close()

	careless := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer careless.Close()
	_, err = restflow.NewRedis(careless, restflow.RedisConfig{})
	fmt.Println(err)

	client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true})
	defer client.Close()
	store, err := restflow.NewRedis(client, restflow.RedisConfig{
		Prefix:   "shop:",
		Compress: 4 << 10,
		OnError:  func(op string, err error) { fmt.Println("redis:", op, err) },
	})
	if err != nil {
		panic(err)
	}
	defer store.Close()
	fmt.Println(store.Kind())
	// Output:
	// restflow: NewRedis: the client ignores deadlines; set ContextTimeoutEnabled: true in its options, so that a slow Redis cannot hold requests
	// redis
}

// A store that cannot be reached keeps what it was told to invalidate, and does
// not answer from those groups meanwhile.
func ExampleStore_Bump() {
	server, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	defer server.Close()
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true, MaxRetries: -1})
	defer client.Close()
	store, err := restflow.NewRedis(client, restflow.RedisConfig{})
	if err != nil {
		panic(err)
	}
	defer store.Close()

	all := restflow.CacheScope("Page")
	page := &restflow.Key{Bytes: []byte("page 1"), Space: "Page:v1", Scopes: []restflow.Scope{all}}
	server.SetError("LOADING the server is not ready")
	err = store.Bump(context.Background(), all, all)
	fmt.Println(err)
	fmt.Println(store.Load(context.Background(), page, new(restflow.Snapshot)))
	server.SetError("")
	// Output:
	// restflow: invalidation failed, it is retried until it succeeds: restflow: redis: bump: LOADING the server is not ready
	// restflow: an invalidation is pending
}
