package bench_test

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/bench/peer"
	"github.com/restflow-go/restflow/internal/redistest"
)

// How much more than the network does a hit on Redis cost? Each round times a
// request and, right after it, a GET of the very value that the request was
// answered from, by the same client. A client that is alone waits for Redis most of
// the time, and the cores sleep; with eight at once they do not, and the difference
// weighs more.
func BenchmarkRedisHit(b *testing.B) {
	for _, kb := range []int{1, 16, 256, 1024} {
		b.Run(fmt.Sprintf("body=%dKiB", kb), func(b *testing.B) {
			client := redistest.Start(b).Client()
			site := open(b, named(b, "restflow-Redis"), peer.Env{Redis: client}, always(body(kb*kib)))
			site.Client().Ask()
			raw := only(b, client, "restflow:e:*")
			for _, n := range []int{1, 8} {
				b.Run(fmt.Sprintf("clients=%d", n), func(b *testing.B) { besideGet(b, site, client, raw, n) })
			}
		})
	}
}

// besideGet lets n clients ask, and GET the value named raw.
func besideGet(b *testing.B, site *peer.Site, client *redis.Client, raw string, n int) {
	b.Helper()
	var mu sync.Mutex // protects hits and gets
	var hits, gets spans
	rounds := func(more func() bool) {
		var hit, get spans
		for c := site.Client(); more(); {
			hit.time(c.Ask)
			get.time(func() {
				if err := client.Get(b.Context(), raw).Err(); err != nil {
					b.Error(err)
				}
			})
		}
		mu.Lock()
		defer mu.Unlock()
		hits, gets = append(hits, hit...), append(gets, get...)
	}
	if n == 1 {
		rounds(b.Loop)
	} else {
		b.SetParallelism(max(1, n/runtime.GOMAXPROCS(0)))
		b.RunParallel(func(pb *testing.PB) { rounds(pb.Next) })
	}
	hits.report(b, "ns/op")
	gets.report(b, "get-ns/op")
}

// A middleware by hand over gocache and gob, for comparison.
func BenchmarkRedisHitByHand(b *testing.B) {
	for _, kb := range []int{1, 16} {
		b.Run(fmt.Sprintf("body=%dKiB", kb), func(b *testing.B) {
			client := redistest.Start(b).Client()
			site := open(b, named(b, "gocache-tags-Redis"), peer.Env{Redis: client}, always(body(kb*kib)))
			c := site.Client()
			c.Ask()
			b.Run("gocache-tags-Redis", func(b *testing.B) {
				var hit spans
				b.ReportAllocs()
				for b.Loop() {
					hit.time(c.Ask)
				}
				hit.report(b, "ns/op")
			})
		})
	}
}

// How many bytes of Redis does an entry take, with its epochs? Each has a partition
// of its own, which is the most that it can take.
func BenchmarkRedisBytes(b *testing.B) {
	n := size(5000, 500)
	for _, name := range []string{"restflow-Redis", "gocache-tags-Redis"} {
		b.Run("body=1KiB/peer="+name, func(b *testing.B) {
			client := redistest.Start(b).Client()
			site := open(b, named(b, name), peer.Env{Redis: client}, always(body(kib)))
			c := site.Client()
			before := used(b, client)
			for item := range n {
				c.Aim(item)
				c.Ask()
			}
			bytes := float64(used(b, client)-before) / float64(n)
			for b.Loop() { // the set-up is what is measured
			}
			b.ReportMetric(bytes, "redis-B/entry")
		})
	}
}

// only returns the one key that matches a pattern.
func only(b *testing.B, client *redis.Client, pattern string) string {
	b.Helper()
	keys := matching(b, client, pattern)
	require.Len(b, keys, 1)
	return keys[0]
}

func matching(b *testing.B, client *redis.Client, pattern string) (keys []string) {
	b.Helper()
	it := client.Scan(b.Context(), 0, pattern, 10_000).Iterator()
	for it.Next(b.Context()) {
		keys = append(keys, it.Val())
	}
	require.NoError(b, it.Err())
	return keys
}

// used is the memory that Redis uses for data, in bytes.
func used(b *testing.B, client *redis.Client) int {
	b.Helper()
	info, err := client.InfoMap(b.Context(), "memory").Result()
	require.NoError(b, err)
	n, err := strconv.Atoi(strings.TrimSpace(info["Memory"]["used_memory_dataset"]))
	require.NoError(b, err)
	return n
}
