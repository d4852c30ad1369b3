package bench_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/restflow-go/restflow/bench/peer"
	"github.com/restflow-go/restflow/echocache"
)

// What does a partition cost that is invalidated over and over while every core asks
// for one item of it? The handler runs once after each invalidation, never more.
func BenchmarkContention(b *testing.B) {
	for _, every := range []time.Duration{0, 10 * time.Millisecond, time.Millisecond} {
		b.Run(fmt.Sprintf("invalidated-every=%v", every), func(b *testing.B) {
			e, bare, cache := echo.New(), echo.New(), newCache[peer.ItemKey](b, 64*mib)
			bare.GET("/items/:id", blob)
			var runs atomic.Int64
			e.GET("/items/:id", func(c echo.Context) error {
				runs.Add(1)
				return blob(c)
			}, cache.Middleware)
			request := request(b, peer.URI(42))
			e.ServeHTTP(&discard{http.Header{}}, request)
			bumps, stop := bumping(b, cache, every)
			asker := func(h http.Handler) func() {
				w, r := &discard{http.Header{}}, request.Clone(request.Context())
				return func() {
					clear(w.header)
					h.ServeHTTP(w, r)
				}
			}
			duel(b, func() []func() { return []func(){asker(e), asker(bare)} }, "x-bare")
			stop()
			b.ReportMetric(float64(runs.Load())/float64(1+bumps.Load()), "runs/invalidation")
		})
	}
}

// bumping invalidates item 42 at intervals until it is stopped; zero means never.
func bumping(b *testing.B, cache *echocache.Cache[peer.ItemKey], every time.Duration) (bumps *atomic.Int64, stop func()) {
	b.Helper()
	bumps = new(atomic.Int64)
	if every == 0 {
		return bumps, func() {}
	}
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				bumps.Add(1)
				if err := cache.Invalidate(b.Context(), peer.ItemKey{ID: 42}); err != nil {
					b.Error(err)
				}
			}
		}
	})
	return bumps, func() {
		close(done)
		wg.Wait()
	}
}
