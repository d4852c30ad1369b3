package bench_test

import (
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/bench/peer"
	"github.com/restflow-go/restflow/echocache"
)

// million is the cache with as many entries as partitions, and what it took.
type million struct {
	n     int
	cache *echocache.Cache[peer.ItemKey]
	e     *echo.Echo
	runs  atomic.Int64
	w     discard
	r     *http.Request
	heap  int64 // live bytes before the first entry
}

// newMillion fills a memory store of so many bytes with n items of so many bytes.
func newMillion(b *testing.B, n, bodyBytes int, maxBytes int64) *million {
	b.Helper()
	answer := body(bodyBytes)
	m := &million{n: n, e: echo.New(), w: discard{http.Header{}}, r: request(b, peer.URI(0)), heap: live()}
	m.cache = newCache[peer.ItemKey](b, maxBytes)
	m.e.GET("/items/:id", func(c echo.Context) error {
		m.runs.Add(1)
		return c.Blob(http.StatusOK, "application/json", answer)
	}, m.cache.Middleware)
	for item := range n {
		m.ask(item)
	}
	return m
}

func (m *million) ask(item int) {
	m.r.URL.Path = peer.Path(item)
	clear(m.w.header)
	m.e.ServeHTTP(&m.w, m.r)
}

// What do a million entries in a million partitions cost? Bodies of 64 bytes, so that
// what is measured is the keeping of them, and room for all.
func BenchmarkMillion(b *testing.B) {
	n := size(1_000_000, 20_000)
	began := time.Now()
	m := newMillion(b, n, 64, 4<<30)
	filled := time.Since(began)
	b.Run(fmt.Sprintf("entries=%d/hit", n), func(b *testing.B) {
		// A stride that is prime to n visits all in an order that no processor cache foresees.
		var took spans
		for b.Loop() {
			took.time(func() {
				for i := range n {
					m.ask(i * 7919 % n)
				}
			})
		}
		b.ReportMetric(took.median()/float64(n), "ns/op")
	})
	b.Run(fmt.Sprintf("entries=%d/collect", n), func(b *testing.B) {
		for b.Loop() {
			runtime.GC()
		}
		b.ReportMetric(float64(worstPause().Nanoseconds()), "max-pause-ns")
		b.ReportMetric(float64(live()-m.heap)/float64(n), "heap-B/entry")
		b.ReportMetric(float64(filled.Nanoseconds())/float64(n), "fill-ns/entry")
	})
	b.Run(fmt.Sprintf("entries=%d/neighbours", n), func(b *testing.B) {
		// Partitions share the slots of the epoch table. How many entries of others
		// does an invalidation cost?
		const drops = 100
		for b.Loop() {
			m.runs.Store(0)
			for item := range drops {
				require.NoError(b, m.cache.Invalidate(b.Context(), peer.ItemKey{ID: item}))
			}
			for item := range n {
				m.ask(item)
			}
		}
		b.ReportMetric(float64(m.runs.Load()-drops)/drops, "neighbours/op")
	})
}

// Is memory bounded when a million entries of 1 KiB come to a store of 64 MiB?
func BenchmarkMillionBounded(b *testing.B) {
	n := size(1_000_000, 100_000)
	b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
		for b.Loop() {
			m := newMillion(b, n, kib, 64*mib)
			b.ReportMetric(float64(live()-m.heap)/mib, "heap-MiB")
			runtime.KeepAlive(m)
		}
	})
}

// worstPause is the longest stop of the world for collection among the recent ones.
func worstPause() time.Duration {
	var stats debug.GCStats
	debug.ReadGCStats(&stats)
	return slices.Max(stats.Pause)
}
