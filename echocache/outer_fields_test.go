package echocache_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
)

// asking sets a response field to what the query says, for some requests only, as
// outer middleware does.
func asking(param, field string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Set("name", "bob")
			if v := c.QueryParam(param); v != "" {
				c.Response().Header().Add(field, v)
			}
			return next(c)
		}
	}
}

// The private that the cache adds is for answers of which nobody says anything: it
// neither replaces what outer middleware says of this one, nor stays away because
// of what it said of that which was stored.
func TestPrivateYieldsToOuterMiddleware(t *testing.T) {
	onBoth(t, func(t *testing.T, cfg echocache.Config) {
		for _, first := range []string{"/", "/?say=no-store"} {
			cfg.ETag, cfg.Namespace = true, "after "+first
			cache := newCache[personKey](t, cfg)
			e, runs := newEcho(), 0
			e.Use(asking("say", "Cache-Control"))
			e.GET("/", whoami(&runs), cache.Middleware)
			get(e, first)
			for target, want := range map[string][]string{"/": {"private"}, "/?say=no-store": {"no-store"}, "/?say=max-age%3D5": {"max-age=5"}} {
				w := get(e, target)
				require.Equal(t, "HIT", status(w))
				require.Equal(t, want, w.Header()["Cache-Control"], "%s after %s", target, first)
				require.NotEmpty(t, w.Header()["Etag"])
			}
			require.Equal(t, 1, runs)
		}
	})
}

func TestPrivateOfAMissYieldsToOuterMiddleware(t *testing.T) {
	for target, want := range map[string][]string{"/": {"private"}, "/?say=no-store": {"no-store"}} {
		cache := newCache[personKey](t, echocache.Config{})
		e, runs := newEcho(), 0
		e.Use(asking("say", "Cache-Control"))
		e.GET("/", whoami(&runs), cache.Middleware)
		w := get(e, target)
		require.Equal(t, "MISS", status(w))
		require.Equal(t, want, w.Header()["Cache-Control"])
	}
}

// What the handler says itself stands over what outer middleware says, on hits as
// on misses, and so does that it says nothing.
func TestCacheControlOfTheHandlerStands(t *testing.T) {
	for what, want := range map[string][]string{"private": {"private"}, "add": {"max-age=5"}, "nil": {"private"}, "del": {"private"}} {
		cache := newCache[personKey](t, echocache.Config{})
		e := newEcho()
		e.Use(asking("say", "Cache-Control"))
		e.GET("/", func(c echo.Context) error {
			switch h := c.Response().Header(); what {
			case "private":
				h.Set("Cache-Control", "private")
			case "add":
				h.Set("Cache-Control", "max-age=5")
			case "nil":
				h["Cache-Control"] = nil
			case "del":
				h.Del("Cache-Control")
			}
			return c.NoContent(http.StatusOK)
		}, cache.Middleware)
		for _, status := range []string{"MISS", "HIT"} {
			w := get(e, "/?say=public")
			require.Equal(t, status, w.Header().Get("X-Cache-Status"), what)
			require.Equal(t, want, w.Header()["Cache-Control"], "%s of %s", status, what)
		}
	}
}

func TestPeekShowsThePrivateThatWasAdded(t *testing.T) {
	cache := newCache[personKey](t, echocache.Config{})
	e, runs := newEcho(), 0
	e.Use(asking("say", "Cache-Control"))
	e.GET("/", whoami(&runs), cache.Middleware)
	get(e, "/?say=no-store")
	res, _, err := cache.PeekAt(context.Background(), personKey{Name: "bob"}, echocache.At{Route: "/", Host: "example.com"})
	require.NoError(t, err)
	require.Equal(t, []string{"private"}, res.Header["Cache-Control"])
}

// What an answer varies on is what the handler and what outer middleware says.
func TestVaryOfHitsIsThatOfBoth(t *testing.T) {
	type key struct {
		Region string `restflow:"header,X-Region"`
	}
	for _, first := range []string{"/", "/?vary=Origin", "/?vary=X-Region,%20Origin"} {
		cache := newCache[key](t, echocache.Config{})
		e := newEcho()
		e.Use(asking("vary", "Vary"))
		e.GET("/", func(c echo.Context) error {
			c.Response().Header().Add("Vary", "X-Region")
			return c.NoContent(http.StatusOK)
		}, cache.Middleware)
		get(e, first)
		for target, want := range map[string]string{"/": "X-Region", "/?vary=Origin": "Origin, X-Region", "/?vary=origin,x-region": "origin,x-region"} {
			w := get(e, target)
			require.Equal(t, "HIT", status(w))
			require.Equal(t, want, strings.Join(w.Header()["Vary"], ", "), "%s after %s", target, first)
		}
	}
}

// What outer middleware registers with Response.Before and then does through the
// context goes to its own response, also where the answer passes through.
func TestOuterHooksReachTheClientThroughTheContext(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{MaxBodyBytes: 10, InvalidateOnUnsafe: true})
	e := newEcho()
	hooks := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Response().Before(func() { c.SetCookie(&http.Cookie{Name: "session", Value: "1"}) })
			return next(c)
		}
	}
	large := func(c echo.Context) error {
		if err := c.String(http.StatusOK, strings.Repeat("x", 11)); err != nil {
			return err
		}
		require.EqualValues(t, 11, c.Response().Size, "the handler has its own response again")
		return nil
	}
	e.GET("/large", large, hooks, cache.Middleware)
	e.POST("/large", large, hooks, cache.Middleware)
	e.GET("/small", func(c echo.Context) error { return c.String(http.StatusOK, "x") }, hooks, cache.Middleware)
	e.GET("/flush", func(c echo.Context) error {
		c.Response().WriteHeader(http.StatusOK)
		c.Response().Flush()
		return nil
	}, hooks, cache.Middleware)
	for _, request := range []string{"GET /large", "POST /large", "GET /flush", "GET /small", "GET /small"} {
		method, target, _ := strings.Cut(request, " ")
		require.Equal(t, "session=1", do(e, method, target).Header().Get("Set-Cookie"), request)
	}
}
