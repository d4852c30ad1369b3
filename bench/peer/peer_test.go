package peer_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/bench/peer"
	"github.com/restflow-go/restflow/internal/redistest"
)

// open sets a peer up over an origin that tells its runs apart by a number.
func open(t *testing.T, p peer.Peer, runs *atomic.Int64) *peer.Site {
	t.Helper()
	env := peer.Env{Entries: 100, BodyBytes: 1024}
	if p.Redis {
		env.Redis = redistest.Start(t).Client()
	}
	site, err := p.Open(env, func(item string) []byte {
		return []byte(item + " " + strings.Repeat("x", int(runs.Add(1))))
	})
	require.NoError(t, err)
	t.Cleanup(site.Shut)
	return site
}

func ask(site *peer.Site, item int) peer.Answer {
	c := site.Client()
	c.Aim(item)
	return c.Answer()
}

// All do the same work: the first of equal requests runs the handler, later ones are
// answered with the same status, header fields and body, and items are kept apart.
func TestPeersDoTheSameWork(t *testing.T) {
	for _, p := range peer.All() {
		t.Run(p.Name, func(t *testing.T) {
			var runs atomic.Int64
			site := open(t, p, &runs)
			first, again := ask(site, 0), ask(site, 0)
			for _, a := range []peer.Answer{first, again} {
				require.Equal(t, 200, a.Status)
				require.Equal(t, "application/json", a.Header["Content-Type"])
				require.Equal(t, "1", a.Header["X-One"])
				require.Equal(t, "2", a.Header["X-Two"])
			}
			require.Equal(t, "0 x", first.Body)
			if p.Kind == peer.Baseline {
				require.Equal(t, "0 xx", again.Body)
				return
			}
			require.Equal(t, first.Body, again.Body)
			if p.Kind == peer.Floor {
				return
			}
			require.Equal(t, "1 xx", ask(site, 1).Body)
			require.Equal(t, "0 x", ask(site, 0).Body)
			require.Equal(t, int64(2), runs.Load())
		})
	}
}

// What the table of late fills calls an invalidation is one: without a race the
// next request runs the handler, and other items stay.
func TestDropDrops(t *testing.T) {
	for _, p := range peer.Caches() {
		t.Run(p.Name, func(t *testing.T) {
			var runs atomic.Int64
			site := open(t, p, &runs)
			if site.Drop == nil {
				require.Equal(t, "stampede", p.Name)
				return
			}
			first, other := ask(site, 0), ask(site, 1)
			var next peer.Answer
			require.Eventually(t, func() bool { // a Loadable stores in the background
				require.NoError(t, site.Drop(0))
				next = ask(site, 0)
				return next.Body != first.Body
			}, 10*time.Second, time.Millisecond)
			require.Equal(t, next.Body, ask(site, 0).Body)
			require.Equal(t, other.Body, ask(site, 1).Body)
		})
	}
}
