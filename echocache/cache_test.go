package echocache_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

type user struct{ ID int }

type userKey struct {
	_     struct{} `restflow:"namespace,UserDetail"`
	PK    int      `restflow:"path,pk,partition"`
	User  int      `restflow:"request,user.id,partition"`
	Extra string   `restflow:"query,extra"`
}

// login puts the user that X-User names into the context.
func login(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		var id int
		if _, err := fmt.Sscan(c.Request().Header.Get("X-User"), &id); err == nil {
			c.Set("user", &user{ID: id})
		}
		return next(c)
	}
}

func TestUsersHaveTheirOwnEntries(t *testing.T) {
	cache := newCache[userKey](t, echocache.Config{})
	e := echo.New()
	e.Use(login)
	var runs atomic.Int32
	e.GET("/users/:pk", func(c echo.Context) error {
		return c.String(http.StatusOK, fmt.Sprint(c.Param("pk"), c.Get("user"), runs.Add(1)))
	}, cache.Middleware)

	require.Equal(t, "MISS", status(get(e, "/users/1", "X-User", "7")))
	require.Equal(t, "HIT", status(get(e, "/users/1", "X-User", "7")))
	require.Equal(t, "HIT", status(get(e, "/users/01", "X-User", "7")))
	require.Equal(t, "MISS", status(get(e, "/users/1", "X-User", "8")))
	require.Equal(t, "BYPASS", status(get(e, "/users/1")))
	require.Equal(t, "BYPASS", status(get(e, "/users/x", "X-User", "7")))

	ctx := context.Background()
	require.NoError(t, cache.Invalidate(ctx, userKey{PK: 1}, "pk"))
	require.Equal(t, "MISS", status(get(e, "/users/1", "X-User", "7")))
	require.Equal(t, "MISS", status(get(e, "/users/1", "X-User", "8")))
	require.NoError(t, cache.Invalidate(ctx, userKey{PK: 1, User: 7}))
	require.Equal(t, "MISS", status(get(e, "/users/1", "X-User", "7")))
	require.Equal(t, "HIT", status(get(e, "/users/1", "X-User", "8")))
	require.NoError(t, cache.Invalidate(ctx, userKey{User: 8}, "user.id"))
	require.Equal(t, "HIT", status(get(e, "/users/1", "X-User", "7")))
	require.Equal(t, "MISS", status(get(e, "/users/1", "X-User", "8")))
	require.NoError(t, cache.InvalidateAll(ctx))
	require.Equal(t, "MISS", status(get(e, "/users/1", "X-User", "7")))
}

func TestOuterMiddlewareIsNotStored(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{})
	e := echo.New()
	e.Use(middleware.RequestID(), middleware.Gzip(), middleware.CORS(), middleware.Secure(), middleware.Recover())
	e.GET("/", func(c echo.Context) error {
		c.Response().Header().Set("X-Seen", c.Response().Header().Get(echo.HeaderXRequestID))
		c.Response().Header().Add("Vary", "X-Lang")
		return c.String(http.StatusOK, "hello")
	}, cache.Middleware)
	a := get(e, "/", "Accept-Encoding", "gzip")
	require.Equal(t, "MISS", status(a), a.Header())
	require.Equal(t, "MISS", status(get(e, "/"))) // Vary
	e.GET("/b", func(c echo.Context) error { return c.String(http.StatusOK, "hello") }, cache.Middleware)
	a = get(e, "/b", "Accept-Encoding", "gzip", "Origin", "http://a")
	require.Equal(t, "gzip", a.Header().Get("Content-Encoding"))
	b := get(e, "/b")
	require.Equal(t, "HIT", status(b))
	require.Equal(t, "hello", b.Body.String())
	require.Empty(t, b.Header().Get("Content-Encoding"))
	require.NotEqual(t, a.Header().Get(echo.HeaderXRequestID), b.Header().Get(echo.HeaderXRequestID))
	require.Len(t, b.Header()[echo.HeaderXRequestID], 1)
	c := get(e, "/b", "Accept-Encoding", "gzip")
	require.Equal(t, "HIT", status(c))
	require.Equal(t, "gzip", c.Header().Get("Content-Encoding"))
}

func TestErrorsReachTheErrorHandler(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{})
	e := echo.New()
	boom := errors.New("boom")
	e.Use(middleware.Recover())
	e.GET("/e", func(c echo.Context) error {
		c.Response().Header().Set("X-A", "1")
		return echo.NewHTTPError(http.StatusTeapot, "short and stout")
	}, cache.Middleware)
	e.GET("/p", func(echo.Context) error { panic(boom) }, cache.Middleware)
	for range 2 {
		w := get(e, "/e")
		require.Equal(t, http.StatusTeapot, w.Code)
		require.Equal(t, "1", w.Header().Get("X-A"))
		require.Equal(t, "MISS", status(w))
		require.JSONEq(t, `{"message":"short and stout"}`, w.Body.String())
		require.Equal(t, 500, get(e, "/p").Code)
	}
}

func TestRefusals(t *testing.T) {
	var last restflow.Event
	cache := newCache[echocache.DefaultKey](t, echocache.Config{OnEvent: func(_ context.Context, ev restflow.Event) { last = ev }})
	for name, h := range map[string]echo.HandlerFunc{
		"cookie": func(c echo.Context) error {
			c.SetCookie(&http.Cookie{Name: "a", Value: "b"})
			return c.NoContent(200)
		},
		"no-store": func(c echo.Context) error {
			c.Response().Header().Set("Cache-Control", "public, No-Store")
			return c.NoContent(200)
		},
		"private": func(c echo.Context) error {
			c.Response().Header().Set("Cache-Control", "private")
			return c.NoContent(200)
		},
		"404":   func(c echo.Context) error { return c.NoContent(404) },
		"500":   func(c echo.Context) error { return c.NoContent(500) },
		"flush": func(c echo.Context) error { c.Response().Write([]byte("x")); c.Response().Flush(); return nil },
		"big":   func(c echo.Context) error { return c.Blob(200, "x/y", make([]byte, 1<<20+1)) },
		"none":  func(echo.Context) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			e := echo.New()
			e.GET("/"+name, h, cache.Middleware)
			for range 2 {
				w := get(e, "/"+name)
				require.Equal(t, "MISS", status(w))
				require.False(t, last.Stored)
				require.NotEmpty(t, last.Reason)
				if name == "big" {
					require.Equal(t, 1<<20+1, w.Body.Len())
				}
			}
		})
	}
}
