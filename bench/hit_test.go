package bench_test

import (
	"fmt"
	"testing"

	"github.com/restflow-go/restflow/bench/peer"
)

// How long does a hit take, beside bare Echo and beside the peer's own framework
// without a cache? On several cores, as many goroutines ask for the same item, each
// through a request and a writer of its own.
func BenchmarkHit(b *testing.B) {
	for _, kb := range []int{1, 16} {
		for _, p := range peer.All() {
			if p.Redis {
				continue // BenchmarkRedisHit
			}
			b.Run(fmt.Sprintf("body=%dKiB/peer=%s", kb, p.Name), func(b *testing.B) {
				env, origin := peer.Env{Entries: 100, BodyBytes: kb * kib}, always(body(kb*kib))
				race(b, open(b, p, env, origin), open(b, named(b, "bare-Echo"), env, origin), open(b, named(b, p.Stack), env, origin))
			})
		}
	}
}

// race asks three sites for item 0.
func race(b *testing.B, site, bare, own *peer.Site) {
	b.Helper()
	site.Client().Ask() // fills the entry
	duel(b, func() []func() {
		return []func(){site.Client().Ask, bare.Client().Ask, own.Client().Ask}
	}, "x-bare", "x-own")
}

// How does a hit grow with the body? Memory hands out the bytes that it keeps, so
// that it should not.
func BenchmarkBody(b *testing.B) {
	for _, kb := range []int{1, 16, 64, 256, 1024} {
		b.Run(fmt.Sprintf("body=%dKiB", kb), func(b *testing.B) {
			env, origin := peer.Env{Entries: 10, BodyBytes: kb * kib}, always(body(kb*kib))
			bare := open(b, named(b, "bare-Echo"), env, origin)
			race(b, open(b, named(b, "restflow"), env, origin), bare, bare)
		})
	}
}
