package echocache_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
)

// The rows of the table of parameters of the seed's cache_response, one test each.

type timelineKey struct {
	echocache.DefaultKey
	_    struct{} `restflow:"namespace,UserTimeline"`
	_    struct{} `restflow:"version,1"`
	User int      `restflow:"request,user.id,partition"`
}

func TestParameterKeyConstructor(t *testing.T) {
	cache := newCache[timelineKey](t, echocache.Config{})
	require.Equal(t, "UserTimeline v1 {path=path:* partition, user.id=request:user.id partition, query=query:* hash}", cache.Plan().String())
	e := newEcho()
	e.Use(login)
	e.GET("/timeline/:kind", func(c echo.Context) error {
		return c.String(http.StatusOK, fmt.Sprint(c.Param("kind"), c.QueryParams(), c.Get("user").(*user).ID))
	}, cache.Middleware)
	for _, want := range []string{"MISS", "HIT"} {
		for _, u := range []string{"1", "2"} {
			for _, target := range []string{"/timeline/a", "/timeline/b", "/timeline/a?page=2", "/timeline/a?page=2&page=3"} {
				require.Equal(t, want, status(get(e, target, "X-User", u)), target)
			}
		}
	}
}

// By default the whole query string is a variant, and the path is the partition.
func TestParameterKeyConstructorByDefault(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{})
	e := newEcho()
	e.GET("/items/:id", echoing, cache.Middleware)
	targets := []string{"/items/1", "/items/1?a=1", "/items/1?a=", "/items/1?a=1&a=2", "/items/1?a=2&a=1", "/items/2", "/items/2?a=1"}
	twice(t, e, targets...)
	require.Equal(t, "MISS", status(get(e, "/items/1?b=1&a=1")))
	require.Equal(t, "HIT", status(get(e, "/items/1?a=1&b=1")), "the order of names never matters")

	require.NoError(t, cache.Invalidate(t.Context(), echocache.DefaultKey{Path: map[string][]string{"id": {"1"}}}))
	for _, target := range targets {
		want := "HIT"
		if target[len("/items/")] == '1' {
			want = "MISS"
		}
		require.Equal(t, want, status(get(e, target)), target)
	}
}

func TestParameterTTL(t *testing.T) {
	for name, c := range map[string]struct {
		cfg     echocache.Config
		handler echo.HandlerFunc
		live    time.Duration
	}{
		"by default an hour":       {echocache.Config{}, responding(200), time.Hour},
		"of the config":            {echocache.Config{TTL: 90 * time.Second}, responding(200), 90 * time.Second},
		"less by max-age":          {echocache.Config{}, responding(200, "Cache-Control", "max-age=5"), 5 * time.Second},
		"not more by max-age":      {echocache.Config{TTL: time.Second}, responding(200, "Cache-Control", "max-age=500"), time.Second},
		"by s-maxage first":        {echocache.Config{}, responding(200, "Cache-Control", "max-age=5, s-maxage=7"), 7 * time.Second},
		"bounded though unbounded": {echocache.Config{NoExpiration: true}, responding(200, "Cache-Control", "max-age=5"), 5 * time.Second},
		"by Expires": {echocache.Config{}, func(c echo.Context) error {
			c.Response().Header().Set("Expires", time.Now().Add(9*time.Second).UTC().Format(http.TimeFormat))
			return c.NoContent(200)
		}, 9 * time.Second},
		"by max-age before Expires": {echocache.Config{}, func(c echo.Context) error {
			c.Response().Header().Set("Expires", "0")
			c.Response().Header().Set("Cache-Control", "max-age=5")
			return c.NoContent(200)
		}, 5 * time.Second},
		"by the handler": {echocache.Config{}, func(c echo.Context) error {
			echocache.From(c).SetTTL(3 * time.Hour)
			return c.NoContent(200)
		}, 3 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cache := newCache[echocache.DefaultKey](t, c.cfg)
				e := newEcho()
				e.GET("/", c.handler, cache.Middleware)
				require.Equal(t, "MISS", status(get(e, "/")))
				time.Sleep(c.live - time.Millisecond)
				require.Equal(t, "HIT", status(get(e, "/")))
				time.Sleep(time.Millisecond)
				require.Equal(t, "MISS", status(get(e, "/")))
				require.Equal(t, "HIT", status(get(e, "/")))
			})
		})
	}
}

func TestParameterTTLNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := newCache[echocache.DefaultKey](t, echocache.Config{NoExpiration: true})
		e := newEcho()
		e.GET("/", responding(200), cache.Middleware)
		w := get(e, "/")
		require.Equal(t, "MISS", status(w))
		require.NotContains(t, w.Header(), "X-Cache-Reset-At")
		time.Sleep(24 * time.Hour)
		require.Equal(t, "HIT", status(get(e, "/")))
		require.NoError(t, cache.InvalidateAll(t.Context()))
		require.Equal(t, "MISS", status(get(e, "/")))
	})
}

func TestJitterShortensTheTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := newCache[echocache.DefaultKey](t, echocache.Config{TTL: time.Hour, Jitter: .5})
		e := newEcho()
		e.GET("/:id", responding(200), cache.Middleware)
		ends := map[string]bool{}
		for i := range 50 {
			at := get(e, fmt.Sprint("/", i)).Header().Get("X-Cache-Reset-At")
			end, err := time.Parse(time.RFC3339, at)
			require.NoError(t, err)
			require.LessOrEqual(t, time.Until(end), time.Hour)
			require.Greater(t, time.Until(end), 30*time.Minute-time.Millisecond)
			ends[at] = true
		}
		require.Greater(t, len(ends), 10, "they do not expire together")
	})
}

func TestParameterCacheIf(t *testing.T) {
	var seen *echocache.Response
	cache, log := defaultCache(t, echocache.Config{
		CacheIf: func(ctx context.Context, res *echocache.Response) (bool, error) {
			if ctx.Value(wareKey{}) != nil {
				return false, errors.New("cannot tell")
			}
			seen = res
			return res.Status < 405 && string(res.Body) != "[]", nil
		},
	})
	e := newEcho()
	e.Use(setting("X-Outer", "1")())
	e.GET("/full", func(c echo.Context) error {
		c.Response().Header().Set("X-Inner", "1")
		return c.String(200, "[1]")
	}, cache.Middleware)
	e.GET("/empty", func(c echo.Context) error { return c.String(200, "[]") }, cache.Middleware)
	e.GET("/gone", func(c echo.Context) error { return c.String(404, "none") }, cache.Middleware)

	require.Equal(t, "MISS", status(get(e, "/full")))
	require.True(t, log.one(t).Stored)
	require.Equal(t, 200, seen.Status)
	require.Equal(t, "[1]", string(seen.Body))
	require.Equal(t, "1", seen.Header.Get("X-Inner"))
	require.Empty(t, seen.Header.Get("X-Outer"), "it judges what would be stored")
	require.Equal(t, "HIT", status(get(e, "/full")))
	log.take()
	require.Equal(t, "MISS", status(get(e, "/empty")))
	require.Equal(t, "CacheIf", log.one(t).Reason)
	require.Equal(t, "MISS", status(get(e, "/empty")))
	require.Equal(t, "MISS", status(get(e, "/gone")))
	require.Equal(t, "HIT", status(get(e, "/gone")), "a predicate makes 4xx eligible")
	log.take()

	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.SetRequest(c.Request().WithContext(context.WithValue(c.Request().Context(), wareKey{}, 1)))
			return next(c)
		}
	})
	w := get(e, "/full?again")
	require.Equal(t, "[1]", w.Body.String())
	ev := log.one(t)
	require.Equal(t, "CacheIf failed", ev.Reason)
	require.EqualError(t, ev.Err, "cannot tell")
	require.False(t, ev.Stored)
}

func TestParameterCacheUnless(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{
		CacheUnless: func(_ context.Context, res *echocache.Response) (bool, error) {
			if res.Status == 203 {
				return false, errors.New("cannot tell")
			}
			return len(res.Body) == 0, nil
		},
	})
	e := newEcho()
	e.GET("/full", func(c echo.Context) error { return c.String(200, "x") }, cache.Middleware)
	e.GET("/empty", responding(200), cache.Middleware)
	e.GET("/error", responding(203), cache.Middleware)
	get(e, "/full")
	require.True(t, log.one(t).Stored)
	get(e, "/empty")
	require.Equal(t, "CacheUnless", log.one(t).Reason)
	get(e, "/error")
	require.Equal(t, "CacheUnless failed", log.one(t).Reason)
}

func TestPanicOfAPredicateLosesNoAnswer(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{
		CacheIf: func(context.Context, *echocache.Response) (bool, error) { panic("oh") },
	})
	e := newEcho()
	e.GET("/", func(c echo.Context) error { return c.String(200, "x") }, cache.Middleware)
	s := serve(t, e)
	r := fetch(t, http.MethodGet, s.URL)
	require.True(t, r.Broken || r.Body == "x")
	require.False(t, log.one(t).Stored)
}

func TestParameterSetCacheHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := newCache[echocache.DefaultKey](t, echocache.Config{TTL: time.Minute})
		e := newEcho()
		e.Match([]string{http.MethodGet, http.MethodPost}, "/", responding(200), cache.Middleware)
		// The clock of synctest begins at midnight UTC of 2000-01-01.
		for _, want := range []string{"MISS", "HIT", "HIT"} {
			h := get(e, "/").Header()
			require.Equal(t, want, h.Get("X-Cache-Status"))
			require.Equal(t, "2000-01-01T00:00:00.000Z", h.Get("X-Cached-At"))
			require.Equal(t, "2000-01-01T00:01:00.000Z", h.Get("X-Cache-Reset-At"))
			time.Sleep(1500 * time.Millisecond)
		}
		h := do(e, http.MethodPost, "/").Header()
		require.Equal(t, "BYPASS", h.Get("X-Cache-Status"))
		require.NotContains(t, h, "X-Cached-At")
		require.NotContains(t, h, "X-Cache-Reset-At")
	})
}
