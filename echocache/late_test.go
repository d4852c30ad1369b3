package echocache_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
)

// A goroutine that outlives its handler and flushes says nothing of the request
// that is under way by then.
func TestLateFlushTellsNothingOfAnotherRequest(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{})
	e := newEcho()
	var late http.ResponseWriter
	e.GET("/first", func(c echo.Context) error {
		late = c.Response().Writer
		return errors.New("down")
	}, cache.Middleware)
	e.GET("/second", func(c echo.Context) error {
		_ = http.NewResponseController(late).Flush()
		return c.NoContent(http.StatusOK)
	}, cache.Middleware)
	get(e, "/first")
	log.take()
	get(e, "/second")
	require.True(t, log.one(t).Stored)
	require.Equal(t, "HIT", status(get(e, "/second")))
	log.take()
	require.Equal(t, "MISS", status(get(e, "/first")))
}
