package echocache_test

import (
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
)

// vandal edits every header value in place, appends to every field, and does so
// before and after the header goes out.
func vandal(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		spoil := func() {
			for name, values := range h {
				for i := range values {
					values[i] = "spoilt"
				}
				if cap(values) > len(values) {
					values[:cap(values)][len(values)] = "spoilt behind"
				}
				h[name] = append(values, "more")
			}
		}
		c.Response().Before(func() { c.Set("header", h.Clone()) })
		c.Response().After(spoil)
		err := next(c)
		spoil()
		return err
	}
}

func TestEntriesSurviveVandals(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{ETag: true, CacheStatusHeader: true})
	e := newEcho()
	keep := map[string][]string{}
	e.Use(vandal)
	e.GET("/", func(c echo.Context) error {
		h := c.Response().Header()
		h["X-Many"] = append(make([]string, 0, 8), "1", "2")
		h.Set("X-One", "1")
		keep["X-Many"] = h["X-Many"]
		body := []byte("the body")
		err := c.Blob(http.StatusOK, "text/plain", body)
		copy(body, "SPOILT!!") // the handler reuses its buffer
		h["X-Many"][0] = "spoilt by the handler"
		return err
	}, cache.Middleware)
	for i := range 4 {
		var seen http.Header
		look := func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				err := next(c)
				seen = c.Get("header").(http.Header)
				return err
			}
		}
		if i == 0 {
			e.Pre(look)
		}
		w := get(e, "/")
		res := w.Result()
		require.NoError(t, res.Body.Close())
		require.Equal(t, []string{"1", "2"}, res.Header["X-Many"], "request %d", i)
		require.Equal(t, []string{"1"}, res.Header["X-One"])
		require.Equal(t, []string{"text/plain"}, res.Header["Content-Type"])
		require.Len(t, res.Header["Etag"], 1)
		require.NotEqual(t, "spoilt", res.Header.Get("Etag"))
		want := "HIT"
		if i == 0 {
			want = "MISS"
		}
		require.Equal(t, []string{want}, res.Header["X-Cache-Status"])
		require.Len(t, res.Header["Cache-Status"], 1)
		require.NotContains(t, res.Header.Get("Age"), "spoilt")
		require.Equal(t, "the body", w.Body.String())
		_ = seen
	}
	keep["X-Many"][1] = "spoilt later"
	require.Equal(t, []string{"1", "2"}, get(e, "/").Result().Header["X-Many"])
}

// Outer middleware sets a field that the handler adds to, replaces, deletes or
// leaves alone, with other values for each request.
func TestFieldsOfOuterMiddlewareAreEachRequestsOwn(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{})
	e := newEcho()
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			id := c.Request().Header.Get("X-Id")
			for _, name := range []string{"X-Add", "X-Replace", "X-Same", "X-Delete", "X-Leave", "X-Shrink"} {
				c.Response().Header()[name] = []string{id, id + id}
			}
			return next(c)
		}
	})
	e.GET("/", func(c echo.Context) error {
		h := c.Response().Header()
		h.Add("X-Add", "handler")
		h.Set("X-Replace", "handler")
		h["X-Same"] = []string{"1", "11"} // what outer middleware set, by chance
		h.Del("X-Delete")
		h["X-Shrink"] = h["X-Shrink"][:1]
		return c.NoContent(http.StatusOK)
	}, cache.Middleware)
	for _, id := range []string{"1", "2", "3"} {
		h := get(e, "/", "X-Id", id).Header()
		require.Equal(t, []string{id, id + id, "handler"}, h["X-Add"])
		require.Equal(t, []string{"handler"}, h["X-Replace"])
		require.Equal(t, []string{"1", "11"}, h["X-Same"])
		require.NotContains(t, h, "X-Delete")
		require.Equal(t, []string{id, id + id}, h["X-Leave"])
		require.Equal(t, []string{"1"}, h["X-Shrink"], "a field that the handler changed is the handler's")
	}
}
