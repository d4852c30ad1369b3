package chaos_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

const items = 20

type itemKey struct {
	_  struct{} `restflow:"namespace,Item"`
	PK int      `restflow:"path,pk,partition"`
}

// world is a service of several nodes over one source of truth.
type world struct {
	t     *testing.T
	nodes []*node
	truth [items]item
	sums  counts

	mu      sync.Mutex
	faults  []string // the first few violations
	samples []time.Duration
	why     map[string]int // how often each error was seen
}

// item is a row: its content is its version.
type item struct {
	mu        sync.Mutex   // one writer at a time
	committed atomic.Int64 // what handlers read
	told      atomic.Int64 // the newest version whose invalidation was acknowledged
}

// node is one process of the service.
type node struct {
	handler http.Handler
	cache   *echocache.Cache[itemKey]
	tried   [items]atomic.Int64 // the newest version that it has invalidated, acknowledged or not
}

// counts is what a run adds up.
type counts struct {
	requests, hits, bypassed, runs  atomic.Int64
	failed, stale, damaged          atomic.Int64
	commits, unacknowledged, faulty atomic.Int64
}

// newWorld returns a service with a node on each store, which it closes.
func newWorld(t *testing.T, stores ...*restflow.Store) *world {
	t.Helper()
	w := &world{t: t, why: map[string]int{}}
	for _, s := range stores {
		w.nodes = append(w.nodes, w.newNode(s))
		t.Cleanup(func() { _ = s.Close() }) // with invalidations pending, if the test failed
	}
	return w
}

func (w *world) newNode(s *restflow.Store) *node {
	w.t.Helper()
	cache, err := echocache.New[itemKey](echocache.Config{Store: s, TTL: time.Minute, SetCacheHeaders: true, OnEvent: w.observe})
	require.NoError(w.t, err)
	e := echo.New()
	e.GET("/items/:pk", w.show, cache.Middleware)
	return &node{handler: e, cache: cache}
}

// flush waits until everything that was made is in the store.
func (w *world) flush() {
	w.t.Helper()
	for _, n := range w.nodes {
		require.NoError(w.t, n.cache.Store().Flush(context.Background()))
	}
}

func (w *world) observe(_ context.Context, ev restflow.Event) {
	if ev.Reason == "the stored value was unreadable" {
		w.sums.faulty.Add(1)
	}
	if ev.Err != nil {
		w.mu.Lock()
		w.why[ev.Err.Error()]++
		w.mu.Unlock()
	}
}

// show is the handler: it reads the row and takes a while with it, so that commits
// come in between.
func (w *world) show(c echo.Context) error {
	w.sums.runs.Add(1)
	var pk int
	if _, err := fmt.Sscan(c.Param("pk"), &pk); err != nil {
		return err
	}
	v := w.truth[pk].committed.Load()
	time.Sleep(time.Duration(1+v%4) * time.Millisecond)
	return c.String(http.StatusOK, render(pk, v))
}

// render makes a body that vouches for itself, of a few hundred bytes or more.
func render(pk int, version int64) string {
	head := fmt.Sprintf("%d %d ", pk, version)
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(head))
	return head + strings.Repeat(fmt.Sprintf("%016x", sum.Sum64()), 10+(pk*37+int(version))%100)
}

// commit changes a row on a node and invalidates.
func (w *world) commit(n *node, pk int) {
	it := &w.truth[pk]
	it.mu.Lock()
	defer it.mu.Unlock()
	v := it.committed.Add(1)
	err := n.cache.Invalidate(context.Background(), itemKey{PK: pk}, "pk")
	w.sums.commits.Add(1)
	n.tried[pk].Store(max(v, n.tried[pk].Load()))
	if err != nil {
		w.sums.unacknowledged.Add(1)
		return
	}
	it.told.Store(v)
}

func (w *world) fault(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.faults) < 5 {
		w.faults = append(w.faults, fmt.Sprintf(format, args...))
	}
}
