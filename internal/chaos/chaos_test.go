package chaos_test

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/consistency"
	"github.com/restflow-go/restflow/internal/redistest"
)

// window is how long a fault lasts.
func window() time.Duration {
	d := 900 * time.Millisecond
	if testing.Short() {
		d = 400 * time.Millisecond
	}
	return max(d, *consistency.Duration/time.Duration(len(scenarios)))
}

// TestConsistencyUnderFaults breaks Redis in every way under load.
func TestConsistencyUnderFaults(t *testing.T) {
	var rows []row
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			s := newSite(t, sc)
			rows = append(rows, s.play(sc))
		})
	}
	t.Logf("%d clients, %d writers, %d nodes; a fault lasts %v\n%s", clients(), writers, nodes, window(), table(rows))
}

const nodes = 3

func newSite(t *testing.T, sc scenario) *site {
	t.Helper()
	s := &site{t: t, server: redistest.Start(t, sc.args...), lasts: window(), bites: sc.bites}
	s.admin = s.server.Client()
	var stores []*restflow.Store
	for range nodes {
		p := redistest.StartProxy(t, s.server.Addr())
		s.proxies = append(s.proxies, p)
		stores = append(stores, openVia(t, s.server, p, sc.lease))
	}
	s.w = newWorld(t, stores...)
	return s
}

// timeout is what a call of the store may take. On a machine that is shared with
// other tests it should be generous; one fault is a delay of more than it.
const timeout = 400 * time.Millisecond

// openVia returns the store of a node that reaches the server through a proxy.
func openVia(t *testing.T, server *redistest.Server, p *redistest.Proxy, lease time.Duration) *restflow.Store {
	t.Helper()
	options := server.Options()
	options.Addr = p.Addr()
	options.PoolSize = 8 // a herd of dials is not what is tested
	store, err := restflow.NewRedis(clientOf(t, options), restflow.RedisConfig{Timeout: timeout, Lease: lease})
	require.NoError(t, err)
	return store
}

// play runs the traffic before, during and after the fault.
func (s *site) play(sc scenario) row {
	s.t.Helper()
	l := s.w.start()
	s.t.Cleanup(l.stop) // also if the test fails
	time.Sleep(s.lasts / 3)
	s.began, s.before = time.Now(), s.w.sums.bypassed.Load()
	if sc.begin != nil {
		sc.begin(s)
	}
	s.during(func() { time.Sleep(5 * time.Millisecond) })
	if sc.end != nil {
		sc.end(s)
	}
	recovery := s.w.recover()
	time.Sleep(s.lasts / 6)
	l.stop()
	s.w.recover()
	s.w.converged()
	r := s.w.row(sc.name, recovery)
	s.t.Logf("errors that the caches told of: %v", s.w.reasons())
	s.w.verdict(r)
	if sc.check != nil {
		sc.check(s)
	}
	return r
}

// patience is how long the cache may take to be back: the breaker tries once a
// second, and the retries of invalidations are at most 5 seconds apart.
const patience = 20 * time.Second

// recover returns how long it took until every node answered for every row
// without a bypass.
func (w *world) recover() time.Duration {
	began := time.Now()
	for _, n := range w.nodes {
		for pk := range items {
			w.awaitBack(n, pk)
		}
	}
	return time.Since(began)
}

func (w *world) awaitBack(n *node, pk int) {
	for end := time.Now().Add(patience); w.get(n, pk) == "BYPASS"; time.Sleep(5 * time.Millisecond) {
		require.False(w.t, time.Now().After(end), "item %d is still bypassed: %v", pk, w.reasons())
	}
}

// reasons is how often the caches told of each error.
func (w *world) reasons() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.why)
}

// converged checks that in the end every node knows everything.
func (w *world) converged() {
	for _, n := range w.nodes {
		for pk := range items {
			w.truth[pk].told.Store(w.truth[pk].committed.Load())
			w.get(n, pk)
		}
	}
}

// verdict demands what is promised under any fault.
func (w *world) verdict(r row) {
	require.Empty(w.t, w.faults)
	require.Zero(w.t, r.failed)
	require.Zero(w.t, r.stale)
	require.Zero(w.t, r.damaged)
	require.Positive(w.t, r.hits, "nothing was put to the test")
	require.Positive(w.t, r.commits-r.unacknowledged, "nothing was put to the test")
}

// The judge itself: nodes that share nothing are found out.
func TestFaultsFindNodesThatShareNothing(t *testing.T) {
	stores := make([]*restflow.Store, 2)
	for i := range stores {
		var err error
		stores[i], err = restflow.NewMemory(restflow.MemoryConfig{})
		require.NoError(t, err)
	}
	w := newWorld(t, stores...)
	l := w.start()
	require.Eventually(t, func() bool { return w.sums.stale.Load() > 0 }, patience, time.Millisecond)
	l.stop()
	require.Regexp(t, `^HIT for item \d+ has version \d+ after \d+ was told$`, w.faults[0])
}
