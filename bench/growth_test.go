package bench_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/bench/peer"
	"github.com/restflow-go/restflow/echocache"
)

// How does a hit grow with the routes that one cache stands on? All of them in turn,
// beside the same routes without a cache.
func BenchmarkGrowthRoutes(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("routes=%d", n), func(b *testing.B) {
			cached, bare, cache := echo.New(), echo.New(), newCache[echocache.DefaultKey](b, 64*mib)
			requests := make([]*http.Request, n)
			for i := range n {
				route := fmt.Sprintf("/r%d/items/:id", i)
				cached.GET(route, blob, cache.Middleware)
				bare.GET(route, blob)
				requests[i] = request(b, fmt.Sprintf("/r%d/items/42?%s", i, peer.Query))
			}
			ring(b, cached, bare, requests)
		})
	}
}

// How does a hit grow with the partitions that have entries? All of them in turn, so
// that processor caches help less and less.
func BenchmarkGrowthPartitions(b *testing.B) {
	for _, n := range []int{1, 1000, size(50_000, 5000)} {
		b.Run(fmt.Sprintf("partitions=%d", n), func(b *testing.B) {
			cached, bare, cache := echo.New(), echo.New(), newCache[echocache.DefaultKey](b, 1<<30)
			cached.GET("/items/:id", blob, cache.Middleware)
			bare.GET("/items/:id", blob)
			requests := make([]*http.Request, n)
			for i := range n {
				requests[i] = request(b, peer.URI(i))
			}
			ring(b, cached, bare, requests)
		})
	}
}

// How does a hit grow with the fields of the key? The request has eight parameters.
func BenchmarkGrowthFields(b *testing.B) {
	type one struct {
		A string `restflow:"query,a"`
	}
	type two struct {
		one
		B string `restflow:"query,b"`
	}
	type four struct {
		two
		C string `restflow:"query,c"`
		D string `restflow:"query,d"`
	}
	type eight struct {
		four
		E string `restflow:"query,e"`
		F string `restflow:"query,f"`
		G string `restflow:"query,g"`
		H string `restflow:"query,h"`
	}
	growthFields[one](b, 1)
	growthFields[two](b, 2)
	growthFields[four](b, 4)
	growthFields[eight](b, 8)
}

func growthFields[K any](b *testing.B, n int) {
	b.Helper()
	b.Run(fmt.Sprintf("fields=%d", n), func(b *testing.B) {
		cached, bare, cache := echo.New(), echo.New(), newCache[K](b, 64*mib)
		cached.GET("/items", blob, cache.Middleware)
		bare.GET("/items", blob)
		ring(b, cached, bare, []*http.Request{request(b, "/items?a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8")})
	})
}

func newCache[K any](b *testing.B, maxBytes int64) *echocache.Cache[K] {
	b.Helper()
	store, err := restflow.NewMemory(restflow.MemoryConfig{MaxBytes: maxBytes})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, store.Close()) })
	cache, err := echocache.New[K](echocache.Config{Store: store, NoExpiration: true})
	require.NoError(b, err)
	return cache
}

var blobBody = body(kib)

func blob(c echo.Context) error {
	h := c.Response().Header()
	h.Set("X-One", "1")
	h.Set("X-Two", "2")
	return c.Blob(http.StatusOK, "application/json", blobBody)
}

func request(b *testing.B, uri string) *http.Request {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, uri, http.NoBody)
	require.NoError(b, err)
	r.Host = "example.com"
	return r
}

// ring sends all requests once, and then in turn.
func ring(b *testing.B, cached, bare http.Handler, requests []*http.Request) {
	b.Helper()
	around := func(h http.Handler) func() {
		w, i := &discard{http.Header{}}, 0
		return func() {
			clear(w.header)
			h.ServeHTTP(w, requests[i%len(requests)])
			i++
		}
	}
	fill := around(cached)
	for range requests {
		fill()
	}
	duel(b, func() []func() { return []func(){around(cached), around(bare)} }, "x-bare")
}
