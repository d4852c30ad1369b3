package echocache_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

func TestHandlersControlTheirResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := restflow.NewMemory(restflow.MemoryConfig{})
		require.NoError(t, err)
		defer store.Close()
		cache, log := defaultCache(t, echocache.Config{Store: store, TTL: time.Hour})
		e := newEcho()
		e.GET("/:what", func(c echo.Context) error {
			switch ctl := echocache.From(c); c.Param("what") {
			case "short":
				ctl.SetTTL(time.Second)
			case "zero":
				ctl.SetTTL(0)
			case "never":
				ctl.NoStore("it is the user's own")
			}
			return c.NoContent(http.StatusOK)
		}, cache.Middleware, middleware.BodyDump(func(echo.Context, []byte, []byte) {})) // inner middleware is looked through
		get(e, "/short")
		require.Equal(t, "HIT", status(get(e, "/short")))
		time.Sleep(time.Second)
		require.Equal(t, "MISS", status(get(e, "/short")))
		log.take()
		get(e, "/zero")
		require.Equal(t, "the handler set a TTL of 0s", log.one(t).Reason)
		get(e, "/never")
		require.Equal(t, "it is the user's own", log.one(t).Reason)
		require.Equal(t, "MISS", status(get(e, "/never")))
	})
}

func TestControlWithoutACacheDoesNothing(t *testing.T) {
	e := newEcho()
	e.GET("/", func(c echo.Context) error {
		ctl := echocache.From(c)
		ctl.SetTTL(time.Second)
		ctl.NoStore("")
		require.NoError(t, ctl.Tag(t.Context(), "a"))
		return c.NoContent(http.StatusOK)
	})
	require.Equal(t, http.StatusOK, get(e, "/").Code)
}

func TestTagsDropWhatWasTagged(t *testing.T) {
	cache, _ := defaultCache(t, echocache.Config{})
	e := newEcho()
	e.GET("/:n", func(c echo.Context) error {
		var n int
		_, err := fmt.Sscan(c.Param("n"), &n)
		require.NoError(t, err)
		for i := range n {
			require.NoError(t, echocache.From(c).Tag(c.Request().Context(), fmt.Sprint("order:", i), "order:0"))
		}
		return c.NoContent(http.StatusOK)
	}, cache.Middleware)
	fill := func() {
		for _, target := range []string{"/0", "/1", "/2", "/20"} {
			get(e, target)
			require.Equal(t, "HIT", status(get(e, target)))
		}
	}
	all := func() (s []string) {
		for _, target := range []string{"/0", "/1", "/2", "/20"} {
			s = append(s, status(get(e, target)))
		}
		return s
	}
	fill()
	require.NoError(t, cache.InvalidateTags(t.Context(), "order:1"))
	require.Equal(t, []string{"HIT", "HIT", "MISS", "MISS"}, all())
	require.NoError(t, cache.InvalidateTags(t.Context(), "order:0"))
	require.Equal(t, []string{"HIT", "MISS", "MISS", "MISS"}, all())
	require.NoError(t, cache.InvalidateTags(t.Context(), "order:19"))
	require.Equal(t, []string{"HIT", "HIT", "HIT", "MISS"}, all(), "what found no room is dropped all the same")
	require.NoError(t, cache.InvalidateTags(t.Context(), "other"))
	require.Equal(t, []string{"HIT", "HIT", "HIT", "MISS"}, all(), "wider where tags found no room, never narrower")
}

// A request that comes after the invalidation of a tag must not get what an older
// run makes, although tags are not among the epochs that flights go by.
func TestWaitersSeeInvalidatedTags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := restflow.NewMemory(restflow.MemoryConfig{})
		require.NoError(t, err)
		defer store.Close()
		cache, _ := defaultCache(t, echocache.Config{Store: store})
		var data atomic.Int32
		gate := make(chan struct{})
		e := newEcho()
		e.GET("/", func(c echo.Context) error {
			require.NoError(t, echocache.From(c).Tag(c.Request().Context(), "row"))
			seen := data.Load()
			if seen == 0 {
				<-gate
			}
			return c.String(http.StatusOK, fmt.Sprint(seen))
		}, cache.Middleware)
		go get(e, "/")
		synctest.Wait()
		data.Store(1)
		require.NoError(t, cache.InvalidateTags(t.Context(), "row"))
		var body string
		go func() { body = get(e, "/").Body.String() }()
		synctest.Wait()
		close(gate)
		synctest.Wait()
		require.Equal(t, "1", body)
		require.Equal(t, "1", get(e, "/").Body.String())
	})
}

func TestUnsafeMethodsDropTheirTarget(t *testing.T) {
	cache := newCache[userKey](t, echocache.Config{InvalidateOnUnsafe: true})
	e := newEcho()
	e.Use(login)
	handler := func(c echo.Context) error {
		if c.Request().Method != http.MethodGet {
			if c.QueryParam("fail") != "" {
				return echo.ErrBadRequest
			}
			return c.NoContent(http.StatusNoContent)
		}
		return c.NoContent(http.StatusOK)
	}
	e.Any("/users/:pk", handler, cache.Middleware)
	as := func(user string) []string { return []string{"X-User", user} }
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		for _, target := range []string{"/users/1", "/users/2"} {
			get(e, target, as("7")...)
			get(e, target, as("8")...)
		}
		require.Equal(t, http.StatusBadRequest, do(e, method, "/users/1?fail=1", as("7")...).Code)
		require.Equal(t, "HIT", status(get(e, "/users/1", as("7")...)), "a failure changes nothing")
		require.Equal(t, http.StatusNoContent, do(e, method, "/users/1", as("7")...).Code)
		require.Equal(t, "MISS", status(get(e, "/users/1", as("7")...)), method)
		require.Equal(t, "MISS", status(get(e, "/users/1", as("8")...)), "for other users too")
		require.Equal(t, "HIT", status(get(e, "/users/2", as("7")...)))
	}
	require.Equal(t, http.StatusNoContent, do(e, "PUT", "/users/1").Code)
	require.Equal(t, "MISS", status(get(e, "/users/2", as("7")...)), "without a key the whole cache is dropped")
}

type sealedKey struct {
	ID   int    `restflow:"path,id,partition"`
	Lang string `restflow:"header,Accept-Language"`
	Page string `restflow:"query,page"`
	Mode string `restflow:"cookie,mode"`
}

// mirror answers with everything that it can see of the request.
func mirror(c echo.Context) error {
	var bound struct {
		Page   string `query:"page"`
		Secret string `query:"secret"`
	}
	if err := c.Bind(&bound); err != nil {
		return err
	}
	mode, _ := c.Cookie("mode")
	other, _ := c.Cookie("other")
	return c.String(http.StatusOK, fmt.Sprint(c.Param("id"), c.QueryParam("page"), c.QueryParam("secret"), bound,
		c.QueryString(), c.Request().URL, c.Request().Header.Get("Accept-Language"), c.Request().Header.Get("X-Secret"),
		mode, other, c.RealIP(), c.FormValue("secret"), c.QueryParams()))
}

func TestHermeticHandlersSeeOnlyWhatIsDeclared(t *testing.T) {
	cache := newCache[sealedKey](t, echocache.Config{Hermetic: true, IgnoreCookies: []string{"other"}})
	e := newEcho()
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			_ = c.QueryParam("secret") // Echo keeps the parsed query in the context
			before := c.Request()
			err := next(c)
			require.Same(t, before, c.Request())
			return err
		}
	})
	e.GET("/:id", mirror, cache.Middleware)
	plain := get(e, "/1?page=2", "Accept-Language", "en", "Cookie", "mode=dark")
	require.Equal(t, "MISS", status(plain))
	require.Contains(t, plain.Body.String(), "mode=dark")
	require.NoError(t, cache.InvalidateAll(t.Context()))
	full := get(e, "/1?page=2&secret=1", "Accept-Language", "en", "Cookie", "mode=dark; other=secret",
		"X-Secret", "secret", "X-Real-Ip", "6.6.6.6")
	require.Equal(t, "MISS", status(full))
	require.Equal(t, plain.Body.String(), full.Body.String())
	require.Equal(t, "HIT", status(get(e, "/1?page=2", "Accept-Language", "en", "Cookie", "mode=dark")))
}

func TestAuditNamesUndeclaredInputs(t *testing.T) {
	var out bytes.Buffer
	cache := newCache[sealedKey](t, echocache.Config{Audit: true, IgnoreCookies: []string{"*"}, Logger: slog.New(slog.NewTextHandler(&out, nil))})
	e := newEcho()
	e.GET("/:id", func(c echo.Context) error {
		return c.String(http.StatusOK, c.QueryParam("page")+c.QueryParam("tenant")+c.Request().Header.Get("X-Group"))
	}, cache.Middleware)
	require.Equal(t, "MISS", status(get(e, "/1?page=2&x=1", "X-Other", "1")))
	require.Empty(t, out.String())
	require.Equal(t, "MISS", status(get(e, "/2?page=2&tenant=3", "X-Other", "1", "X-Group", "g")))
	require.Contains(t, out.String(), `input="query tenant"`)
	require.Contains(t, out.String(), `input="header X-Group"`)
	require.NotContains(t, out.String(), "X-Other")
	require.NotContains(t, out.String(), "page")
}

// What an audit runs lacks inputs, and values of the context that the key does not
// read. A handler that panics for want of one has answered its request all the same.
func TestAuditFailsNoRequest(t *testing.T) {
	var out bytes.Buffer
	cache := newCache[sealedKey](t, echocache.Config{Audit: true, Logger: slog.New(slog.NewTextHandler(&out, nil))})
	e := newEcho()
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Set("theme", "dark")
			return next(c)
		}
	})
	e.GET("/value/:id", func(c echo.Context) error {
		return c.String(http.StatusOK, c.Get("theme").(string))
	}, cache.Middleware)
	e.GET("/input/:id", func(c echo.Context) error {
		return c.String(http.StatusOK, c.QueryParam("tenant")[:1])
	}, cache.Middleware)
	for _, target := range []string{"/value/1?page=2", "/input/1?page=2&tenant=3"} {
		w := get(e, target)
		require.Equal(t, "MISS", status(w))
		require.NotEmpty(t, w.Body.String())
		require.Equal(t, "HIT", status(get(e, target)), "it is stored")
	}
	require.Equal(t, 1, strings.Count(out.String(), "undeclared input"), out.String())
	require.Contains(t, out.String(), `input="query tenant"`)
}

// A handler that streams its answer may change the data behind the first bytes.
func TestStreamedUnsafeAnswersDropAtTheirEnd(t *testing.T) {
	cache := newCache[userKey](t, echocache.Config{InvalidateOnUnsafe: true})
	e := newEcho()
	e.Use(login)
	e.Any("/users/:pk", func(c echo.Context) error {
		if c.Request().Method == http.MethodPost {
			c.Response().WriteHeader(http.StatusOK)
			c.Response().Flush()
			get(e, "/users/1", "X-User", "7") // fills the old value meanwhile
			return nil
		}
		return c.NoContent(http.StatusOK)
	}, cache.Middleware)
	require.Equal(t, http.StatusOK, do(e, "POST", "/users/1", "X-User", "7").Code)
	require.Equal(t, "MISS", status(get(e, "/users/1", "X-User", "7")))
}
