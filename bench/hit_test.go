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

// And when it is another item each time, so that neither the processor's caches nor
// branch predictors know it? Peers that take 10 µs for one are left out.
func BenchmarkSpread(b *testing.B) {
	n := size(10_000, 1000)
	for _, name := range []string{
		"bare-Echo", "restflow", "restflow-typed-key", "restflow-per-user", "gin-cache", "stampede", "fiber-cache", "gocache-tags", "gocache-Loadable",
	} {
		b.Run("body=1KiB/peer="+name, func(b *testing.B) {
			p, env := named(b, name), peer.Env{Entries: n, BodyBytes: kib}
			ready := always(body(kib))
			origin := func(string) []byte { return body(kib) } // each has its own
			if p.Kind == peer.Baseline {
				origin = ready
			}
			site, bare := open(b, p, env, origin), open(b, named(b, "bare-Echo"), env, ready)
			fill := inTurn(site, n)
			for range n {
				fill()
			}
			duel(b, func() []func() { return []func(){inTurn(site, n), inTurn(bare, n)} }, "x-bare")
		})
	}
}

// inTurn asks for n items in turn, each through a client of its own.
func inTurn(site *peer.Site, n int) func() {
	clients := make([]peer.Client, n)
	for item := range clients {
		clients[item] = site.Client()
		clients[item].Aim(item)
	}
	i := 0
	return func() {
		clients[i%n].Ask()
		i++
	}
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
