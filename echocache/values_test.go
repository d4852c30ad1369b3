package echocache_test

import (
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
)

// The values of an answer are its own: outer middleware that appends to a field, or
// changes one in place, reaches no other field, no entry and no later answer.
func TestValuesOfAnAnswerAreItsOwn(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{})
	e := newEcho()
	fields := []string{"X-One", "X-Two", "X-Three"}
	edit := false
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			h := c.Response().Header()
			c.Response().Before(func() {
				for _, name := range fields {
					if edit {
						h.Add(name, "added")
						h[name][0] = "edited"
					}
				}
			})
			return next(c)
		}
	})
	e.GET("/", func(c echo.Context) error {
		for _, name := range fields {
			c.Response().Header().Set(name, name)
		}
		c.Response().Header().Add("X-Three", "more")
		return c.NoContent(http.StatusOK)
	}, cache.Middleware)
	get(e, "/")
	for range 100 { // of which several share a piece of memory
		edit = true
		w := get(e, "/")
		require.Equal(t, "HIT", status(w))
		require.Equal(t, []string{"edited", "added"}, w.Header()["X-One"])
		require.Equal(t, []string{"edited", "added"}, w.Header()["X-Two"])
		require.Equal(t, []string{"edited", "more", "added"}, w.Header()["X-Three"])
		require.Len(t, w.Header()["Age"], 1)
		edit = false
		w = get(e, "/")
		require.Equal(t, []string{"X-One"}, w.Header()["X-One"])
		require.Equal(t, []string{"X-Two"}, w.Header()["X-Two"])
		require.Equal(t, []string{"X-Three", "more"}, w.Header()["X-Three"])
		require.Len(t, w.Header()["Age"], 1)
	}
}
