// Command functions is an API over a report that takes long to make and is cached as a function.
//
// GET /reports/:shop/:month is answered by a function whose results are kept for each shop and
// month. A committed sale renews the one report that it belongs to; a sale that is rolled back
// renews nothing. The routes under /admin look at results, drop them and make them again.
//
//	go run ./examples/functions -check                 ask itself, print a table, and end
//	go run ./examples/functions                        serve, with results in memory
//	go run ./examples/functions -redis localhost:6379  serve, with results in Redis
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
	check bool
}

func main() {
	var o options
	flag.StringVar(&o.addr, "addr", "localhost:8080", "address to serve on")
	flag.StringVar(&o.redis, "redis", "", "address of a Redis to keep results in (default: in memory)")
	flag.BoolVar(&o.check, "check", false, "send requests to itself on a free port, print what came back, and end")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "functions:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends or, with -check, until the check is done.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	store, err := openStore(ctx, o.redis)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	shop, err := openShop(store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shop.close()) }()

	if o.check {
		o.addr = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: shop.echo(), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	defer func() { err = errors.Join(err, server.Close()) }()

	url := "http://" + listener.Addr().String()
	if o.check {
		return check(ctx, url, out)
	}
	_, _ = fmt.Fprintf(out, hints, url, store.Kind())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

const hints = `Serving on %[1]s, with results in %[2]s. Try:

  curl -i %[1]s/reports/1/2026-03                                    # X-Cache-Status: MISS
  curl -i %[1]s/reports/1/2026-03                                    # HIT
  curl -d shop=1 -d month=2026-03 -d cents=500 %[1]s/sales           # a commit
  curl -i %[1]s/reports/1/2026-03                                    # HIT, and it counts the sale
  curl -i -X DELETE %[1]s/admin/reports/1                            # all months of a shop
`

// openStore opens a store in memory, or in the Redis at addr.
func openStore(ctx context.Context, addr string) (*restflow.Store, error) {
	if addr == "" {
		return restflow.NewMemory(restflow.MemoryConfig{})
	}
	client := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true, DialerRetries: 1, MaxRetries: 1})
	if err := client.Ping(ctx).Err(); err != nil {
		return nil, fmt.Errorf("no Redis answers at %s: %w", addr, err)
	}
	return restflow.NewRedis(client, restflow.RedisConfig{Prefix: "functions:"})
}
