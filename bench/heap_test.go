package bench_test

import (
	"runtime"
	"testing"

	"github.com/restflow-go/restflow/bench/peer"
)

// How many bytes of heap does an entry take? Bodies of 1 KiB, each item once. What the
// cache takes up before its second entry is told apart from what each entry adds.
func BenchmarkHeap(b *testing.B) {
	n := size(5000, 500)
	for _, p := range peer.Caches() {
		if p.Redis {
			continue // BenchmarkRedisBytes
		}
		b.Run("body=1KiB/peer="+p.Name, func(b *testing.B) {
			empty := live()
			site := open(b, p, peer.Env{Entries: n, BodyBytes: kib}, func(string) []byte { return body(kib) })
			c := site.Client()
			c.Ask()
			one := live()
			for item := range n {
				c.Aim(item)
				c.Ask()
			}
			all := live()
			for b.Loop() { // what is measured is alive until here
				c.Ask()
			}
			b.ReportMetric(float64(one-empty)/kib, "fixed-KiB")
			b.ReportMetric(float64(all-one)/float64(n-1), "heap-B/entry")
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
