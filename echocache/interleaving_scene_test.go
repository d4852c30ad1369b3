package echocache_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/internal/redistest"
)

// A scene is two nodes of a service, a and b, over one row. Its content is its
// version. What handlers do can be held up after they have read it.
type scene struct {
	t       *testing.T
	version atomic.Int64
	runs    atomic.Int64
	holding atomic.Bool              // the next run is held
	held    chan chan struct{}       // the run that is: closing it lets it go on
	events  chan restflow.Event      // of node a
	reply   func(echo.Context) error // in place of the usual one, if not nil
	a, b    *sceneNode
	stores  []*restflow.Store
	server  *redistest.Server // nil in memory
}

type sceneNode struct {
	http.Handler
	cache *echocache.Cache[rowKey]
}

type rowKey struct {
	_  struct{} `restflow:"namespace,Row"`
	PK int      `restflow:"path,pk,partition"`
}

// onStores plays a scene on nodes that share a store in memory, and on nodes that
// have nothing in common but a Redis server.
func onStores(t *testing.T, cfg echocache.Config, play func(*scene)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		store := memoryStore(t)
		play(newScene(t, cfg, nil, store, store))
	})
	t.Run("redis", func(t *testing.T) { onRedis(t, cfg, play) })
}

func onRedis(t *testing.T, cfg echocache.Config, play func(*scene)) {
	t.Helper()
	server := redistest.Start(t)
	stores := make([]*restflow.Store, 2)
	for i := range stores {
		var err error
		stores[i], err = restflow.NewRedis(server.Client(), restflow.RedisConfig{Timeout: 10 * time.Second})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, stores[i].Close()) })
	}
	play(newScene(t, cfg, server, stores...))
}

func newScene(t *testing.T, cfg echocache.Config, server *redistest.Server, stores ...*restflow.Store) *scene {
	t.Helper()
	s := &scene{t: t, held: make(chan chan struct{}, 1), events: make(chan restflow.Event, 10_000), stores: stores, server: server}
	s.version.Store(1)
	cfg.Store, cfg.OnEvent = stores[0], func(_ context.Context, ev restflow.Event) { s.events <- ev }
	s.a = s.node(cfg)
	cfg.Store, cfg.OnEvent = stores[1], nil
	s.b = s.node(cfg)
	return s
}

func (s *scene) node(cfg echocache.Config) *sceneNode {
	s.t.Helper()
	cache := newCache[rowKey](s.t, cfg)
	e := newEcho()
	e.Use(recoverToClient)
	e.GET("/rows/:pk", s.show, cache.Middleware)
	return &sceneNode{e, cache}
}

// recoverToClient answers 500 for a panic and logs nothing.
func recoverToClient(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = echo.NewHTTPError(http.StatusInternalServerError, fmt.Sprint(p))
			}
		}()
		return next(c)
	}
}

func (s *scene) show(c echo.Context) error {
	version := s.version.Load()
	s.runs.Add(1)
	if s.holding.CompareAndSwap(true, false) {
		gate := make(chan struct{})
		s.held <- gate
		<-gate
	}
	if s.reply != nil {
		return s.reply(c)
	}
	return c.String(http.StatusOK, fmt.Sprintf("row %s version %d", c.Param("pk"), version))
}

// ask begins a request and returns where its answer will be.
func (s *scene) ask(ctx context.Context, n *sceneNode) <-chan *httptest.ResponseRecorder {
	answer := make(chan *httptest.ResponseRecorder, 1)
	go func() {
		w := httptest.NewRecorder()
		n.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/rows/1", nil).WithContext(ctx))
		answer <- w
	}()
	return answer
}

// hold begins a request on a node whose handler is held up after it has read.
func (s *scene) hold(ctx context.Context, n *sceneNode) (answer <-chan *httptest.ResponseRecorder, gate chan struct{}) {
	s.t.Helper()
	s.holding.Store(true)
	answer = s.ask(ctx, n)
	return answer, receive(s.t, s.held)
}

// commit changes the row and invalidates on a node.
func (s *scene) commit(n *sceneNode) {
	s.t.Helper()
	s.version.Add(1)
	require.NoError(s.t, n.cache.Invalidate(context.Background(), rowKey{PK: 1}, "pk"))
}

// flush waits until what each node has made has reached the other one.
func (s *scene) flush() {
	s.t.Helper()
	for _, store := range s.stores {
		require.NoError(s.t, store.Flush(context.Background()))
	}
}

// want asks and demands status and version.
func (s *scene) want(n *sceneNode, cacheStatus string, version int) {
	s.t.Helper()
	s.flush()
	w := receive(s.t, s.ask(context.Background(), n))
	require.Equal(s.t, fmt.Sprintf("row 1 version %d", version), w.Body.String())
	require.Equal(s.t, cacheStatus, status(w))
}

// event returns the next event of node a.
func (s *scene) event() restflow.Event {
	s.t.Helper()
	return receive(s.t, s.events)
}

const sceneTimeout = 30 * time.Second

func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(sceneTimeout):
		require.FailNow(t, "nothing came")
		panic("unreachable")
	}
}

// awaitWaiters returns once so many requests wait for a run. Nothing tells from
// outside, so that the goroutines are looked at.
func awaitWaiters(t *testing.T, n int) {
	t.Helper()
	stacks := make([]byte, 32<<20)
	require.Eventually(t, func() bool {
		all := string(stacks[:runtime.Stack(stacks, true)])
		return strings.Count(all, "restflow.(*Flight).wait(") >= n
	}, sceneTimeout, 5*time.Millisecond)
}
