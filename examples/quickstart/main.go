// Command quickstart is an API whose answers are cached for each item and each user.
//
// GET /users/:pk is answered from the cache, and what ada sees is never shown to bob. A
// committed change of a user or of an order drops what everybody has seen of that user, and of
// nobody else; a change that is rolled back drops nothing.
//
//	go run ./examples/quickstart -check                 ask itself, print a table, and end
//	go run ./examples/quickstart                        serve, with the cache in memory
//	go run ./examples/quickstart -redis localhost:6379  serve, with the cache in Redis
//
// Two processes share data and cache with -db FILE and -redis ADDR. Ask them as one host, as a
// balancer does (curl -H 'Host: shop.example'): hosts, and ports with them, share no answers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/restflow-go/restflow"
)

type options struct {
	addr  string
	redis string
	db    string
	check bool
}

func main() {
	var o options
	flag.StringVar(&o.addr, "addr", "localhost:8080", "address to serve on")
	flag.StringVar(&o.redis, "redis", "", "address of a Redis to keep the cache in (default: in memory)")
	flag.StringVar(&o.db, "db", "", "SQLite file to keep the data in (default: in memory)")
	flag.BoolVar(&o.check, "check", false, "send requests to itself on a free port, print what came back, and end")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends or, with -check, until the check is done.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	if o.check && o.db != "" {
		return errors.New("-check needs data as seeded, and the file of -db may have other; leave -db out")
	}
	store, err := openStore(ctx, o.redis)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	api, err := newAPI(store, o.db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, api.close()) }()

	if o.check {
		o.addr = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: api.echo(), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	defer func() { err = errors.Join(err, server.Close()) }()

	url := "http://" + listener.Addr().String()
	if o.check {
		return check(ctx, url, out)
	}
	printHints(out, url, store.Kind())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// openStore opens a store in memory, or in the Redis at addr.
func openStore(ctx context.Context, addr string) (*restflow.Store, error) {
	if addr == "" {
		return restflow.NewMemory(restflow.MemoryConfig{})
	}
	client := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true, DialerRetries: 1, MaxRetries: 1})
	if err := client.Ping(ctx).Err(); err != nil {
		return nil, fmt.Errorf("no Redis answers at %s: %w", addr, err)
	}
	return restflow.NewRedis(client, restflow.RedisConfig{Prefix: "quickstart:"})
}

func printHints(out io.Writer, url, kind string) {
	_, _ = fmt.Fprintf(out, `Serving on %[1]s, with the cache in %[2]s. Try:

  curl -i -H 'Authorization: Bearer ada' %[1]s/users/1    # X-Cache-Status: MISS
  curl -i -H 'Authorization: Bearer ada' %[1]s/users/1    # X-Cache-Status: HIT
  curl -i -H 'Authorization: Bearer bob' %[1]s/users/1    # MISS: another user

Then change the user, and look again:

  curl -X PATCH -H 'Authorization: Bearer ada' -d name=Lovelace %[1]s/users/1
`, url, kind)
}
