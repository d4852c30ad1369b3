package bench_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	gocachestore "github.com/eko/gocache/store/go_cache/v4"
	"github.com/labstack/echo/v4"
	gocache "github.com/patrickmn/go-cache"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

// How long does it take to invalidate a group of n entries in memory, beside an empty
// group? The first invalidation finds the entries alive; an epoch knows nothing of
// its entries, so that the others do the same work.
func BenchmarkInvalidateMemory(b *testing.B) {
	for _, n := range groups(1_000_000) {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
			mem, err := restflow.NewMemory(restflow.MemoryConfig{MaxBytes: 4 << 30})
			require.NoError(b, err)
			b.Cleanup(func() { require.NoError(b, mem.Close()) })
			g := &group{e: echo.New()}
			g.cache = echocache.MustNew[PageKey](echocache.Config{Store: mem, NoExpiration: true})
			g.e.GET("/teams/:team", func(c echo.Context) error {
				g.runs.Add(1)
				return c.String(http.StatusOK, "a page")
			}, g.cache.Middleware)
			for i := range n {
				g.ask(i + 1)
			}
			require.True(b, g.alive(1) && g.alive(n))
			b.Run("restflow", func(b *testing.B) {
				drop := func(team int) func() {
					return func() {
						if err := g.cache.Invalidate(b.Context(), PageKey{Team: team}); err != nil {
							b.Error(err)
						}
					}
				}
				duel(b, func() []func() { return []func(){drop(1), drop(2)} }, "x-empty")
				require.False(b, g.alive(n))
			})
		})
	}
}

// The same by the tag sets that gocache keeps beside go-cache.
func BenchmarkInvalidateMemoryTags(b *testing.B) {
	for _, n := range groups(100_000) {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
			tagged := gocachestore.NewGoCache(gocache.New(time.Hour, 0))
			tags := []string{"team:1"}
			b.Run("gocache-tags", func(b *testing.B) {
				var drop spans
				for b.Loop() {
					for i := range n {
						require.NoError(b, tagged.Set(b.Context(), fmt.Sprint("page:", i), "a page", store.WithExpiration(time.Hour), store.WithTags(tags)))
					}
					drop.try(b, func() error { return tagged.Invalidate(b.Context(), store.WithInvalidateTags(tags)) })
				}
				_, err := tagged.Get(b.Context(), "page:0")
				require.Error(b, err)
				drop.report(b, "ns/op")
			})
		})
	}
}
