package echocache_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/internal/redistest"
)

// Many requests for what is not cached run the handler once.
func TestStampedeRunsTheHandlerOnce(t *testing.T) {
	onStores(t, echocache.Config{}, func(s *scene) {
		const requests = 500
		leader, gate := s.hold(context.Background(), s.a)
		answers := make([]<-chan *httptest.ResponseRecorder, requests-1)
		for i := range answers {
			answers[i] = s.ask(context.Background(), s.a)
		}
		awaitWaiters(t, requests-1)
		close(gate)
		require.Equal(t, "row 1 version 1", receive(t, leader).Body.String())
		for _, c := range answers {
			require.Equal(t, "row 1 version 1", receive(t, c).Body.String())
		}
		require.EqualValues(t, 1, s.runs.Load())
	})
}

// sceneUnderLeases is a scene on two nodes that share a Redis and take leases.
func sceneUnderLeases(t *testing.T, cfg echocache.Config) *scene {
	t.Helper()
	server := redistest.Start(t)
	stores := make([]*restflow.Store, 2)
	for i := range stores {
		var err error
		stores[i], err = restflow.NewRedis(server.Client(), restflow.RedisConfig{Timeout: 10 * time.Second, Lease: time.Minute})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, stores[i].Close()) })
	}
	return newScene(t, cfg, server, stores...)
}

// With leases one run answers the requests of all nodes.
func TestStampedeOnAllNodesRunsTheHandlerOnce(t *testing.T) {
	s := sceneUnderLeases(t, echocache.Config{})
	const requests = 50
	leader, gate := s.hold(context.Background(), s.b)
	answers := make([]<-chan *httptest.ResponseRecorder, requests)
	for i := range answers {
		answers[i] = s.ask(context.Background(), s.a)
	}
	awaitWaiters(t, requests-1)
	close(gate)
	receive(t, leader)
	for _, c := range answers {
		require.Equal(t, "row 1 version 1", receive(t, c).Body.String())
		ev := s.event()
		require.Equal(t, restflow.Miss, ev.Status)
		require.True(t, ev.Shared)
	}
	require.EqualValues(t, 1, s.runs.Load())
}

// With leases one node refreshes in the background; the others say that they do not.
func TestBackgroundRefreshIsLeftToAnotherNode(t *testing.T) {
	s := sceneUnderLeases(t, echocache.Config{TTL: 10 * time.Millisecond, StaleWhileRevalidate: time.Hour})
	s.want(s.b, "MISS", 1)
	s.flush()
	s.holding.Store(true)
	require.Eventually(t, func() bool { return status(receive(t, s.ask(context.Background(), s.b))) == "STALE" }, sceneTimeout, time.Millisecond)
	gate := receive(t, s.held)
	s.want(s.a, "STALE", 1)
	ev := s.event()
	for ev.Status != restflow.Refresh {
		ev = s.event()
	}
	require.Equal(t, "another process refreshes the entry", ev.Reason)
	require.False(t, ev.Stored)
	close(gate)
	require.EqualValues(t, 2, s.runs.Load())
}

// The client that made the handler run goes away: the others get their answer.
//
//  1. the leader's handler runs, others wait
//  2. the leader's client disconnects: the handler's context does not end
//  3. the handler answers: the others are served, and the entry is stored
func TestStampedeSurvivesItsLeadersClient(t *testing.T) {
	onStores(t, echocache.Config{}, func(s *scene) {
		s.reply = func(c echo.Context) error {
			if err := c.Request().Context().Err(); err != nil {
				return err
			}
			return c.String(http.StatusOK, "row 1 version 1")
		}
		ctx, disconnect := context.WithCancel(context.Background())
		leader, gate := s.hold(ctx, s.a)
		waiters := make([]<-chan *httptest.ResponseRecorder, 20)
		for i := range waiters {
			waiters[i] = s.ask(context.Background(), s.a)
		}
		awaitWaiters(t, len(waiters))
		disconnect()
		close(gate)
		receive(t, leader)
		for _, w := range waiters {
			require.Equal(t, "row 1 version 1", receive(t, w).Body.String())
		}
		s.want(s.b, "HIT", 1)
		require.EqualValues(t, 1, s.runs.Load())
	})
}

// The handler panics: its own client hears of it, and the others run for themselves.
func TestStampedeSurvivesAPanic(t *testing.T) {
	onStores(t, echocache.Config{}, func(s *scene) {
		var first atomic.Bool
		s.reply = func(c echo.Context) error {
			if first.CompareAndSwap(false, true) {
				panic("the first run")
			}
			return c.String(http.StatusOK, "row 1 version 1")
		}
		leader, gate := s.hold(context.Background(), s.a)
		waiters := make([]<-chan *httptest.ResponseRecorder, 20)
		for i := range waiters {
			waiters[i] = s.ask(context.Background(), s.a)
		}
		awaitWaiters(t, len(waiters))
		close(gate)
		require.Equal(t, http.StatusInternalServerError, receive(t, leader).Code)
		for _, w := range waiters {
			answer := receive(t, w)
			require.Equal(t, http.StatusOK, answer.Code)
			require.Equal(t, "row 1 version 1", answer.Body.String())
		}
	})
}

// Once a key's answer has proved not to be for the cache, requests for it do not
// queue up: all their handlers run at the same time.
func TestUncacheableAnswersDoNotQueue(t *testing.T) {
	onStores(t, echocache.Config{}, func(s *scene) {
		const together = 20
		var meet sync.WaitGroup
		private := func(c echo.Context) error {
			c.Response().Header().Set("Cache-Control", "no-store")
			return c.String(http.StatusOK, "mine")
		}
		s.reply = private
		require.Equal(t, "mine", receive(t, s.ask(context.Background(), s.a)).Body.String())
		meet.Add(together)
		s.reply = func(c echo.Context) error {
			meet.Done()
			meet.Wait() // for ever, if one of them waits for another's run
			return private(c)
		}
		answers := make([]<-chan *httptest.ResponseRecorder, together)
		for i := range answers {
			answers[i] = s.ask(context.Background(), s.a)
		}
		for _, w := range answers {
			require.Equal(t, "mine", receive(t, w).Body.String())
		}
		require.EqualValues(t, together+1, s.runs.Load())
	})
}

// A refresh goes on after its request has ended, and Echo has given that one's
// context to others: the handler must not see theirs.
func TestBackgroundRefreshHasItsOwnContext(t *testing.T) {
	onStores(t, echocache.Config{TTL: 10 * time.Millisecond, StaleWhileRevalidate: time.Hour}, func(s *scene) {
		s.want(s.a, "MISS", 1)
		s.version.Store(2)
		s.holding.Store(true)
		require.Eventually(t, func() bool { return status(receive(t, s.ask(context.Background(), s.a))) == "STALE" }, sceneTimeout, time.Millisecond)
		gate := receive(t, s.held)
		for i := range 200 {
			get(s.a, fmt.Sprintf("/rows/%d", i+100))
		}
		close(gate)
		for ev := s.event(); ev.Status.String() != "REFRESH"; ev = s.event() {
		}
		s.flush()
		w := receive(t, s.ask(context.Background(), s.b))
		require.Equal(t, "row 1 version 2", w.Body.String())
		require.Contains(t, []string{"HIT", "STALE"}, status(w))
	})
}
