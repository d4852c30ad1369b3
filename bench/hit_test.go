package bench_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/restflow-go/restflow/bench/peer"
)

// How long does a hit take? On several cores, as many goroutines ask for the same
// item, each through a request and a writer of its own.
func BenchmarkHit(b *testing.B) {
	for _, kb := range []int{1, 16} {
		for _, p := range peer.All() {
			if p.Redis {
				continue // BenchmarkRedisHit
			}
			b.Run(fmt.Sprintf("body=%dKiB/peer=%s", kb, p.Name), func(b *testing.B) {
				site := open(b, p, peer.Env{Entries: 100, BodyBytes: kb * kib}, always(body(kb*kib)))
				site.Client().Ask()
				loop(b, site)
			})
		}
	}
}

// loop asks for item 0 on all cores.
func loop(b *testing.B, site *peer.Site) {
	b.Helper()
	b.ReportAllocs()
	if runtime.GOMAXPROCS(0) == 1 {
		c := site.Client()
		for b.Loop() {
			c.Ask()
		}
		return
	}
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		c := site.Client()
		for pb.Next() {
			c.Ask()
		}
	})
}

// How does a hit grow with the body? Memory hands out the bytes that it keeps, so
// that it should not; to be set beside the same body without a cache.
func BenchmarkBody(b *testing.B) {
	for _, kb := range []int{1, 16, 64, 256, 1024} {
		for _, name := range []string{"bare-Echo", "restflow"} {
			b.Run(fmt.Sprintf("body=%dKiB/peer=%s", kb, name), func(b *testing.B) {
				site := open(b, named(b, name), peer.Env{Entries: 10, BodyBytes: kb * kib}, always(body(kb*kib)))
				c := site.Client()
				c.Ask()
				b.ReportAllocs()
				for b.Loop() {
					c.Ask()
				}
			})
		}
	}
}
