package echocache_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

func doubly(m echo.MiddlewareFunc) []echo.MiddlewareFunc { return []echo.MiddlewareFunc{m, m} }

// A cache that stands twice on a route, or two of one key struct and store, would
// wait for itself.
func TestCacheInsideItselfRunsTheHandler(t *testing.T) {
	const why = "the request is inside a run for the same key"
	store := memoryStore(t)
	cache, log := defaultCache(t, echocache.Config{Store: store})
	twin := newCache[echocache.DefaultKey](t, echocache.Config{Store: store, TTL: time.Minute})
	other := newCache[timelineKey](t, echocache.Config{Store: store})
	e, runs := newEcho(), 0
	e.Use(cache.Middleware)
	e.GET("/twice/:id", counter(&runs), cache.Middleware)
	e.GET("/twins/:id", counter(&runs), twin.Middleware)
	e.GET("/apart/:id", counter(&runs), other.Middleware, twin.Middleware)
	for _, target := range []string{"/twice/1", "/twins/1", "/apart/1"} {
		runs = 0
		w := get(e, target)
		require.Equal(t, "x", w.Body.String())
		require.Equal(t, "MISS", status(w), "the outermost has the last word")
		events := log.take()
		require.True(t, events[len(events)-1].Stored)
		if target == "/twice/1" {
			require.Equal(t, restflow.Bypass, events[0].Status)
			require.Equal(t, why, events[0].Reason)
		}
		require.Equal(t, "HIT", status(get(e, target)))
		log.take()
	}
}

// What a refresh runs must not be answered from what it is to replace.
func TestRefreshOfACacheInsideItselfRunsTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		e, cache, end := staleEcho(t, echocache.Config{StaleWhileRevalidate: time.Hour}, func(echo.Context) error { return nil })
		defer end()
		e.GET("/twice/:id", counting(&runs), doubly(cache.Middleware)...)
		get(e, "/twice/a")
		time.Sleep(11 * time.Second)
		require.Equal(t, "STALE", status(get(e, "/twice/a")))
		synctest.Wait()
		w := get(e, "/twice/a")
		require.Equal(t, "HIT", status(w))
		require.Equal(t, "a 2", w.Body.String())
	})
}

// Nor may a forced one be, which leaves the entry in place, and fresh, while the handler runs.
func TestForcedRefreshOfACacheInsideItselfRunsTheHandler(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{})
	e, runs := newEcho(), 0
	e.GET("/:id", counter(&runs), func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if c.Request().Header.Get("X-Refresh") != "" {
				return cache.Refresh(c, next)
			}
			return next(c)
		}
	}, cache.Middleware)
	get(e, "/a")
	require.Equal(t, "HIT", status(get(e, "/a")))
	log.take()
	w := get(e, "/a", "X-Refresh", "1")
	require.Equal(t, "REFRESH", status(w))
	require.Equal(t, "xx", w.Body.String())
	events := log.take()
	require.Len(t, events, 2)
	require.Equal(t, restflow.Bypass, events[0].Status)
	require.Equal(t, "the request is inside a run for the same key", events[0].Reason)
	w = get(e, "/a")
	require.Equal(t, "HIT", status(w))
	require.Equal(t, "xx", w.Body.String())
}

// An audit runs the handler while the flight of its key is under way.
func TestAuditOfACacheInsideItself(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{Audit: true})
	e, runs := newEcho(), 0
	e.GET("/", func(c echo.Context) error { runs++; return c.NoContent(http.StatusOK) }, doubly(cache.Middleware)...)
	began := time.Now()
	get(e, "/")
	require.Less(t, time.Since(began), 10*time.Second)
	require.Equal(t, "HIT", status(get(e, "/")))
	require.Greater(t, runs, 1)
}

// What inner middleware leaves in the context must not end with the run of a cache,
// nor with that of one around it.
func TestRequestsLeftBehindInNestedCachesLiveOn(t *testing.T) {
	type outerKey struct {
		_ struct{} `restflow:"namespace,Outer"`
		A string   `restflow:"path,a"`
	}
	type valueKey struct{}
	inner := newCache[echocache.DefaultKey](t, echocache.Config{})
	outer := newCache[outerKey](t, echocache.Config{})
	for name, leave := range map[string]func(echo.Context, context.Context){
		"another request": func(c echo.Context, ctx context.Context) { c.SetRequest(c.Request().WithContext(ctx)) },
		"the same":        func(c echo.Context, ctx context.Context) { *c.Request() = *c.Request().WithContext(ctx) },
	} {
		e := newEcho()
		var ended error
		var value any
		e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				err := next(c)
				ended, value = c.Request().Context().Err(), c.Request().Context().Value(valueKey{})
				return err
			}
		})
		e.GET("/:a", func(c echo.Context) error {
			leave(c, context.WithValue(c.Request().Context(), valueKey{}, name))
			return c.NoContent(http.StatusOK)
		}, outer.Middleware, inner.Middleware)
		require.Equal(t, "MISS", status(get(e, "/"+name[:3])))
		require.NoError(t, ended, name)
		require.Equal(t, name, value)
	}
}

// Each cache adds its member to Cache-Status, the outer one behind the inner, and
// the outer one's X-Cache-Status stands.
func TestTheOutermostCacheHasTheLastWord(t *testing.T) {
	type outerKey struct {
		_ struct{} `restflow:"namespace,Outer"`
		A string   `restflow:"path,a"`
	}
	inner := newCache[echocache.DefaultKey](t, echocache.Config{CacheStatusHeader: true})
	outer := newCache[outerKey](t, echocache.Config{CacheStatusHeader: true, MaxBodyBytes: 3})
	e := newEcho()
	e.GET("/:a", func(c echo.Context) error { return c.String(http.StatusOK, c.Param("a")) }, outer.Middleware, inner.Middleware)
	e.GET("/error/:a", func(c echo.Context) error { return echo.ErrTeapot }, outer.Middleware, inner.Middleware)
	for target, detail := range map[string]string{"/held": `; detail="the body exceeds MaxBodyBytes"`, "/abc": "; stored", "/error/1": `; detail="the handler returned an error"`} {
		get(e, target)
		require.NoError(t, outer.InvalidateAll(t.Context()))
		w := get(e, target)
		require.Equal(t, "MISS", status(w), target)
		require.Len(t, w.Header()["Cache-Status"], 2, target)
		require.Equal(t, "restflow; fwd=uri-miss"+detail, w.Header()["Cache-Status"][1], target)
	}
}
