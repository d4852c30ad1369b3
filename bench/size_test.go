package bench_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/bench/peer"
	"github.com/restflow-go/restflow/internal/redistest"
)

// full is whether set-ups have the size that is published. Otherwise they are small
// enough for a run of every benchmark once.
var full = os.Getenv("BENCH_FULL") == "1"

// size returns the published size, or the small one.
func size(published, small int) int {
	if full {
		return published
	}
	return small
}

const (
	kib = 1 << 10
	mib = 1 << 20
)

// body is what origins answer with: nothing that could be compressed, and the same
// bytes in every run.
func body(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b) // never fails
	return b
}

// always is the origin of a body that is made already.
func always(b []byte) peer.Origin { return func(string) []byte { return b } }

// open sets a peer up for as long as the benchmark and its parts run.
func open(b *testing.B, p peer.Peer, env peer.Env, origin peer.Origin) *peer.Site {
	b.Helper()
	if p.Redis && env.Redis == nil {
		env.Redis = redistest.Start(b).Client()
	}
	site, err := p.Open(env, origin)
	require.NoError(b, err)
	b.Cleanup(site.Shut)
	return site
}

// named returns a peer by its name.
func named(b *testing.B, name string) peer.Peer {
	b.Helper()
	all := peer.All()
	i := slices.IndexFunc(all, func(p peer.Peer) bool { return p.Name == name })
	require.GreaterOrEqual(b, i, 0, name)
	return all[i]
}
