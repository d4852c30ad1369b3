package bench_test

import (
	"runtime"
	"testing"

	"github.com/restflow-go/restflow/bench/peer"
)

// How many bytes of heap does an entry take? Bodies of 1 KiB, each item once; what
// the cache takes up in advance is shared out among them.
func BenchmarkHeap(b *testing.B) {
	n := size(10_000, 1000)
	for _, p := range peer.Caches() {
		if p.Redis {
			continue // BenchmarkRedisBytes
		}
		b.Run("body=1KiB/peer="+p.Name, func(b *testing.B) {
			before := live()
			site := open(b, p, peer.Env{Entries: n, BodyBytes: kib}, func(string) []byte { return body(kib) })
			c := site.Client()
			for item := range n {
				c.Aim(item)
				c.Ask()
			}
			bytes := float64(live()-before) / float64(n)
			for b.Loop() { // what is measured is alive until here
				c.Ask()
			}
			b.ReportMetric(bytes, "heap-B/entry")
		})
	}
}

// live returns the bytes of the heap that are in use after a collection.
func live() int64 {
	runtime.GC()
	runtime.GC() // sweeps, and lets finalizers of the first go
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
