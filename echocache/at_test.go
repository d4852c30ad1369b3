package echocache_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

// A path has a key of its own where Echo matches it as it was written. The methods
// that have no request find the entry all the same.
func TestPlacesReachPathsHoweverTheyAreWritten(t *testing.T) {
	type key struct {
		ID string `restflow:"path,id,partition"`
	}
	cache := newCache[key](t, echocache.Config{})
	e, ctx := newEcho(), context.Background()
	e.GET("/items/:id", func(c echo.Context) error { return c.String(http.StatusOK, c.Param("id")) }, cache.Middleware)
	for path, id := range map[string]string{"it's": "it's", "it%27s": "it's", "f(x)": "f(x)", "a%2Fb": "a%2Fb", "plain": "plain"} {
		k, at := key{ID: id}, echocache.At{Route: "/items/:id", Host: "example.com"}
		require.Equal(t, id, get(e, "/items/"+path).Body.String())
		res, _, err := cache.PeekAt(ctx, k, at)
		require.NoError(t, err, path)
		require.Equal(t, id, string(res.Body))
		m, err := cache.MetadataAt(ctx, k, at)
		require.NoError(t, err, path)
		require.Equal(t, restflow.Hit, m.Status)
		require.NoError(t, cache.DeleteAt(ctx, k, at))
		require.Equal(t, "MISS", status(get(e, "/items/"+path)), path)
		require.NoError(t, cache.DeleteAt(ctx, k, at))
		_, _, err = cache.PeekAt(ctx, k, at)
		require.ErrorIs(t, err, restflow.ErrMiss)
	}
}

// KeyAt gives the key of the path as Go writes it.
func TestKeyAtIsThatOfAPathAsGoWritesIt(t *testing.T) {
	type key struct {
		ID string `restflow:"path,id"`
	}
	cache := newCache[key](t, echocache.Config{})
	e := newEcho()
	keys := map[string]string{}
	e.GET("/:id", func(c echo.Context) error {
		var err error
		keys[c.Request().URL.EscapedPath()], err = cache.Key(c)
		return err
	})
	get(e, "/it's")
	get(e, "/it%27s")
	at, err := cache.KeyAt(key{ID: "it's"}, echocache.At{Route: "/:id", Host: "example.com"})
	require.NoError(t, err)
	require.Equal(t, keys["/it%27s"], at)
	require.Equal(t, keys["/it's"], at+"7:escaped")
}
