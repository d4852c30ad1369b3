package echocache_test

import (
	"bytes"
	"context"
	"errors"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
)

// A handler that has answered with a success has changed something, whatever it
// returns afterwards.
func TestUnsafeMethodsThatFailBehindTheirAnswerDrop(t *testing.T) {
	for status, want := range map[int]string{http.StatusNoContent: "MISS", http.StatusConflict: "HIT", 0: "HIT"} {
		cache := newCache[echocache.DefaultKey](t, echocache.Config{InvalidateOnUnsafe: true})
		e := newEcho()
		e.GET("/:id", func(c echo.Context) error { return c.NoContent(http.StatusOK) }, cache.Middleware)
		e.PUT("/:id", func(c echo.Context) error {
			if status != 0 {
				_ = c.NoContent(status)
			}
			return errors.New("the log is full")
		}, cache.Middleware)
		get(e, "/1")
		do(e, http.MethodPut, "/1")
		require.Equal(t, want, get(e, "/1").Header().Get("X-Cache-Status"), status)
	}
}

// What a handler has answered before it panics goes out, and so it counts.
func TestUnsafeMethodsThatPanicBehindTheirAnswerDrop(t *testing.T) {
	for status, want := range map[int]string{http.StatusNoContent: "MISS", http.StatusConflict: "HIT", 0: "HIT"} {
		cache, log := defaultCache(t, echocache.Config{InvalidateOnUnsafe: true})
		e := newEcho()
		e.Use(middleware.RecoverWithConfig(middleware.RecoverConfig{DisablePrintStack: true}))
		e.GET("/:id", func(c echo.Context) error { return c.NoContent(http.StatusOK) }, cache.Middleware)
		e.PUT("/:id", func(c echo.Context) error {
			if status != 0 {
				_ = c.NoContent(status)
			}
			panic("the log is full")
		}, cache.Middleware)
		get(e, "/1")
		log.take()
		w := do(e, http.MethodPut, "/1")
		if status != 0 {
			require.Equal(t, status, w.Code)
		}
		require.Equal(t, "the handler panicked", log.one(t).Reason)
		require.Equal(t, want, get(e, "/1").Header().Get("X-Cache-Status"), status)
	}
}

// Echo keeps the parameters of a context in place: a handler that sets others must not
// turn the invalidation of the URI that was asked for into another one's.
func TestUnsafeMethodsDropTheURIThatWasAskedFor(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{InvalidateOnUnsafe: true})
	e := newEcho()
	e.GET("/:id", func(c echo.Context) error { return c.NoContent(http.StatusOK) }, cache.Middleware)
	e.PUT("/:id", func(c echo.Context) error {
		if c.Param("id") == "me" {
			c.SetParamValues("42")
		}
		return c.NoContent(http.StatusNoContent)
	}, cache.Middleware)
	get(e, "/me")
	get(e, "/7")
	do(e, http.MethodPut, "/me")
	require.Equal(t, "MISS", status(get(e, "/me")))
	require.Equal(t, "HIT", status(get(e, "/7")))
}

// A handler that sets a deadline is not held back from then on. What it answers
// afterwards must still find the entries dropped.
func TestUnsafeMethodsThatSetADeadlineDropBeforeTheirAnswer(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{InvalidateOnUnsafe: true})
	e, version, seen := newEcho(), "old", ""
	e.GET("/:id", func(c echo.Context) error { return c.String(http.StatusOK, version) }, cache.Middleware)
	e.PUT("/:id", func(c echo.Context) error {
		for range 2 {
			_ = http.NewResponseController(c.Response()).SetReadDeadline(time.Time{})
		}
		get(e, "/1") // fills the old value meanwhile
		version = "new"
		if err := c.String(http.StatusOK, "done"); err != nil {
			return err
		}
		c.Response().Flush()
		seen = get(e, "/1").Body.String() // what the client gets that has the answer
		return nil
	}, cache.Middleware)
	get(e, "/1")
	do(e, http.MethodPut, "/1")
	require.Equal(t, "new", seen)
}

// The handler gets a copy of the request. What it parses is the request's: the
// server removes the files of its form, and outer middleware reads it.
func TestFormsThatHandlersParseAreTheRequests(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	cache := newCache[echocache.DefaultKey](t, echocache.Config{InvalidateOnUnsafe: true})
	e := newEcho()
	var seen string
	after := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			err := next(c)
			seen = c.Request().PostForm.Get("a")
			return err
		}
	}
	e.POST("/file", func(c echo.Context) error {
		if err := c.Request().ParseMultipartForm(1); err != nil {
			return err
		}
		return c.NoContent(http.StatusNoContent)
	}, cache.Middleware)
	e.POST("/form", func(c echo.Context) error { return c.String(http.StatusOK, c.FormValue("a")) }, after, cache.Middleware)
	s := serve(t, e)

	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("f", "f")
	require.NoError(t, err)
	_, err = file.Write(bytes.Repeat([]byte("x"), 20<<20)) // more than is kept in memory
	require.NoError(t, errors.Join(err, form.Close()))
	res, err := http.Post(s.URL+"/file", form.FormDataContentType(), &body)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusNoContent, res.StatusCode)
	require.Eventually(t, func() bool {
		left, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "multipart-*"))
		return err == nil && len(left) == 0
	}, 10*time.Second, time.Millisecond)

	res, err = http.PostForm(s.URL+"/form", url.Values{"a": {"1"}})
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, "1", seen)
}

// So it is where inner middleware has put another URL, or values, into the request.
func TestFormsAreTheRequestsWhateverInnerMiddlewareDidToIt(t *testing.T) {
	type valueKey struct{}
	for name, alter := range map[string]func(*http.Request){
		"rewrites the URL": func(r *http.Request) { r.URL = &url.URL{Path: "/elsewhere"} },
		"adds a value":     func(r *http.Request) { *r = *r.WithContext(context.WithValue(r.Context(), valueKey{}, 1)) },
	} {
		cache := newCache[echocache.DefaultKey](t, echocache.Config{InvalidateOnUnsafe: true})
		e, seen := newEcho(), ""
		after := func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				err := next(c)
				seen = c.Request().PostForm.Get("a")
				return err
			}
		}
		e.POST("/", func(c echo.Context) error {
			alter(c.Request())
			return c.String(http.StatusOK, c.FormValue("a"))
		}, after, cache.Middleware)
		s := serve(t, e)
		res, err := http.PostForm(s.URL, url.Values{"a": {"1"}})
		require.NoError(t, err)
		res.Body.Close()
		require.Equal(t, "1", seen, name)
	}
}
