package echocache_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
)

// The timeout middleware puts a writer before the handler that cannot be looked
// through.
func TestControlIsFoundBelowAnyWriter(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{})
	e := newEcho()
	timeout := middleware.TimeoutWithConfig(middleware.TimeoutConfig{Timeout: time.Minute}) //nolint:staticcheck // many still use it
	e.GET("/no-store", func(c echo.Context) error {
		echocache.From(c).NoStore("it is secret")
		return c.NoContent(http.StatusOK)
	}, cache.Middleware, timeout)
	e.GET("/tag", func(c echo.Context) error {
		if err := echocache.From(c).Tag(c.Request().Context(), "order:1"); err != nil {
			return err
		}
		return c.NoContent(http.StatusOK)
	}, cache.Middleware, timeout)
	for range 2 {
		require.Equal(t, "MISS", status(get(e, "/no-store")))
		require.Equal(t, "it is secret", log.one(t).Reason)
	}
	get(e, "/tag")
	require.Equal(t, "HIT", status(get(e, "/tag")))
	require.NoError(t, cache.InvalidateTags(t.Context(), "order:1"))
	require.Equal(t, "MISS", status(get(e, "/tag")))
}

func TestTheLastTTLCounts(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{})
	e := newEcho()
	e.GET("/longer", func(c echo.Context) error {
		echocache.From(c).SetTTL(0)
		echocache.From(c).SetTTL(time.Minute)
		return c.NoContent(http.StatusOK)
	}, cache.Middleware)
	e.GET("/no-store", func(c echo.Context) error {
		echocache.From(c).NoStore("")
		echocache.From(c).SetTTL(time.Minute)
		return c.NoContent(http.StatusOK)
	}, cache.Middleware)
	get(e, "/longer")
	require.Equal(t, "HIT", status(get(e, "/longer")))
	get(e, "/no-store")
	require.Equal(t, "MISS", status(get(e, "/no-store")))
}
