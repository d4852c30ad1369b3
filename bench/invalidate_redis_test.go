package bench_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	redisstore "github.com/eko/gocache/store/redis/v4"
	"github.com/labstack/echo/v4"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/internal/redistest"
)

// groups are the sizes of the group that is dropped.
func groups(most int) (sizes []int) {
	for _, n := range []int{10, 1000, 100_000, 1_000_000} {
		if n <= size(most, 1000) {
			sizes = append(sizes, n)
		}
	}
	return sizes
}

// foreign fills the server with keys of others, and returns a client.
func foreign(b *testing.B) *redis.Client {
	b.Helper()
	client := redistest.Start(b).Client()
	pipelined(b, client, size(200_000, 2000), func(p redis.Pipeliner, i int) {
		p.Set(b.Context(), fmt.Sprint("foreign:", i), "of somebody else", 0)
	})
	return client
}

// pipelined sends n commands, a thousand at a time.
func pipelined(b *testing.B, client *redis.Client, n int, send func(p redis.Pipeliner, i int)) {
	b.Helper()
	for at := 0; at < n; at += 1000 {
		_, err := client.Pipelined(b.Context(), func(p redis.Pipeliner) error {
			for i := at; i < min(at+1000, n); i++ {
				send(p, i)
			}
			return nil
		})
		require.NoError(b, err)
	}
}

// PageKey makes a group of the pages of one team.
type PageKey struct {
	Team int `restflow:"path,team,partition"`
	Page int `restflow:"query,page"`
}

// group is one partition with n entries on Redis, filled by requests.
type group struct {
	cache  *echocache.Cache[PageKey]
	e      *echo.Echo
	client *redis.Client
	runs   atomic.Int64      // of the handler
	epochs map[string]string // by key, while the entries are alive
}

func fill(b *testing.B, n int) *group {
	b.Helper()
	g := &group{client: foreign(b), e: echo.New(), epochs: map[string]string{}}
	store, err := restflow.NewRedis(g.client, restflow.RedisConfig{Timeout: time.Minute, SyncSaves: true})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, store.Close()) })
	g.cache = echocache.MustNew[PageKey](echocache.Config{Store: store, NoExpiration: true})
	g.e.GET("/teams/:team", func(c echo.Context) error {
		g.runs.Add(1)
		return c.String(http.StatusOK, "a page")
	}, g.cache.Middleware)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				g.ask(int(i))
			}
		})
	}
	wg.Wait()
	require.Equal(b, int64(n), g.runs.Load())
	for _, name := range matching(b, g.client, "restflow:s:*") {
		g.epochs[name], err = g.client.Get(b.Context(), name).Result()
		require.NoError(b, err)
	}
	return g
}

func (g *group) ask(page int) {
	r, _ := http.NewRequest(http.MethodGet, fmt.Sprint("/teams/1?page=", page), http.NoBody) // a constant method
	g.e.ServeHTTP(&discard{http.Header{}}, r)
}

// revive brings all entries back to life, by putting the epochs back that they were
// made under: only a benchmark does that.
func (g *group) revive(ctx context.Context) error {
	_, err := g.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for name, epoch := range g.epochs {
			p.Set(ctx, name, epoch, time.Hour)
		}
		return nil
	})
	return err
}

// alive tells whether an entry answers.
func (g *group) alive(page int) bool {
	before := g.runs.Load()
	g.ask(page)
	return g.runs.Load() == before
}

// How long does it take to invalidate a group of n live entries beside keys of
// others? Each round brings the group back to life, and then times the
// invalidation, a SET and a DEL of one key by the same client.
func BenchmarkInvalidateRedis(b *testing.B) {
	for _, n := range groups(1_000_000) {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
			g := fill(b, n)
			b.Run("restflow", func(b *testing.B) {
				require.NoError(b, g.revive(b.Context()))
				require.True(b, g.alive(1) && g.alive(n))
				var drop, set, del spans
				for b.Loop() {
					require.NoError(b, g.revive(b.Context()))
					drop.try(b, func() error { return g.cache.Invalidate(b.Context(), PageKey{Team: 1}) })
					set.try(b, func() error { return g.client.Set(b.Context(), "raw", "12345678", time.Hour).Err() })
					del.try(b, func() error { return g.client.Del(b.Context(), "raw").Err() })
				}
				require.False(b, g.alive(n))
				require.NoError(b, g.revive(b.Context()))
				g.ask(n) // it was filled under the new epochs
				drop.report(b, "ns/op")
				set.report(b, "set-ns/op")
				del.report(b, "del-ns/op")
			})
		})
	}
}

// The same by the tag sets of gocache: the keys are those that its store would make.
func BenchmarkInvalidateRedisTags(b *testing.B) {
	for _, n := range groups(100_000) {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
			client := foreign(b)
			tagged := redisstore.NewRedis(client)
			b.Run("gocache-tags", func(b *testing.B) {
				var drop spans
				for b.Loop() {
					pipelined(b, client, n, func(p redis.Pipeliner, i int) {
						name := fmt.Sprint("page:", i)
						p.Set(b.Context(), name, "a page", time.Hour)
						p.SAdd(b.Context(), fmt.Sprintf(redisstore.RedisTagPattern, "team:1"), name)
					})
					drop.try(b, func() error {
						return tagged.Invalidate(b.Context(), store.WithInvalidateTags([]string{"team:1"}))
					})
				}
				require.Zero(b, client.Exists(b.Context(), "page:0").Val())
				drop.report(b, "ns/op")
			})
		})
	}
}

// The same by a SCAN for the group's prefix and a DEL of what it finds.
func BenchmarkInvalidateRedisScan(b *testing.B) {
	for _, n := range groups(100_000) {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
			client := foreign(b)
			b.Run("scan-del", func(b *testing.B) {
				var drop spans
				for b.Loop() {
					pipelined(b, client, n, func(p redis.Pipeliner, i int) {
						p.Set(b.Context(), fmt.Sprint("team:1:page:", i), "a page", time.Hour)
					})
					drop.try(b, func() error { return scanDel(b.Context(), client, "team:1:*") })
				}
				require.Zero(b, client.Exists(b.Context(), "team:1:page:0").Val())
				drop.report(b, "ns/op")
			})
		})
	}
}

// scanDel deletes what matches, a page of the scan at a time.
func scanDel(ctx context.Context, client *redis.Client, pattern string) error {
	var cursor uint64
	for first := true; first || cursor != 0; first = false {
		keys, next, err := client.Scan(ctx, cursor, pattern, 1000).Result()
		if err != nil {
			return err
		}
		if len(keys) > 0 {
			if err := client.Del(ctx, keys...).Err(); err != nil {
				return err
			}
		}
		cursor = next
	}
	return nil
}

// discard is a writer that nobody reads from.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
