package echocache_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
)

// echoing answers with all that a router leaves a handler to tell requests apart.
func echoing(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]any{
		"route": c.Path(), "path": c.Request().URL.Path, "names": c.ParamNames(), "values": c.ParamValues(),
		"query": c.QueryParams(),
	})
}

// twice asks for each target in turn, and again in turn: each must have its own
// answer, the second time from the cache.
func twice(t *testing.T, e *echo.Echo, targets ...string) {
	t.Helper()
	answers := map[string]string{}
	for _, target := range targets {
		w := get(e, target)
		require.Equal(t, "MISS", status(w), target)
		answers[target] = w.Body.String()
	}
	for _, target := range targets {
		w := get(e, target)
		require.Equal(t, "HIT", status(w), target)
		require.Equal(t, answers[target], w.Body.String(), target)
		for other, body := range answers {
			if other != target {
				require.NotEqual(t, body, w.Body.String(), "%s and %s", target, other)
			}
		}
	}
}

func TestForgottenParameterServesAnotherItem(t *testing.T) {
	type key struct {
		Page int `restflow:"query,page"`
	}
	cache := newCache[key](t, echocache.Config{})
	e := newEcho()
	e.GET("/items/:id", echoing, cache.Middleware)
	e.GET("/items/:id/parts/:part", echoing, cache.Middleware)
	twice(t, e, "/items/1", "/items/2", "/items/1?page=2", "/items/1/parts/2", "/items/2/parts/1", "/items/1/parts/22")
}

func TestRoutesOfOneCacheMixTheirEntries(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{})
	e := newEcho()
	for _, route := range []string{"/users/:id", "/orders/:id", "/users/:id/", "/any/*", "/any/:id", "/"} {
		e.GET(route, echoing, cache.Middleware)
	}
	g := e.Group("/group", cache.Middleware)
	g.GET("/:id", echoing)
	g.GET("/:id/*", echoing)
	twice(t, e, "/users/1", "/orders/1", "/users/1/", "/any/1", "/any/1/2", "/any/", "/", "/group/1", "/group/1/", "/group/1/1")
}

func TestEscapedPathServesAnother(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{})
	e := newEcho()
	e.GET("/files/*", echoing, cache.Middleware)
	e.GET("/items/:id", echoing, cache.Middleware)
	// Echo routes by the escaped path if it differs from the canonical escaping,
	// so that c.Param gives one text for two paths.
	twice(t, e, "/files/a%2Fb", "/files/a%252Fb", "/files/a/b", "/items/%41", "/items/%2541", "/items/A")
}

func TestMiddlewareInUseServesEveryRoute(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{})
	e := newEcho()
	e.Use(cache.Middleware)
	e.GET("/a", echoing)
	e.GET("/a/:id", echoing)
	e.POST("/p", echoing)
	twice(t, e, "/a", "/a/1", "/a/2")
	for range 2 {
		require.Equal(t, http.StatusNotFound, get(e, "/none").Code)
		require.Equal(t, http.StatusMethodNotAllowed, get(e, "/p").Code)
		require.Equal(t, "BYPASS", status(do(e, http.MethodPost, "/p")))
		require.Equal(t, "BYPASS", status(do(e, http.MethodPut, "/a")))
	}
}

func TestCacheBeforeTheRouterTakesNoPart(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{})
	e := newEcho()
	e.Pre(cache.Middleware)
	e.GET("/a/:id", echoing)
	for range 2 {
		require.Equal(t, "BYPASS", status(get(e, "/a/1")))
		require.Equal(t, "the request has no route: none matches, or the cache stands before the router", log.one(t).Reason)
	}
}

func TestHostsShareAnswers(t *testing.T) {
	byHost := func(c echo.Context) error { return c.String(http.StatusOK, "the host is "+c.Request().Host) }
	cache := newCache[echocache.DefaultKey](t, echocache.Config{})
	e := newEcho()
	e.GET("/", byHost, cache.Middleware)
	e.Host("b.example").GET("/", byHost, cache.Middleware)
	twice(t, e, "http://a.example/", "http://b.example/", "http://c.example:8080/", "http://c.example/")
	require.Equal(t, "HIT", status(get(e, "http://A.Example/")))

	cache = newCache[echocache.DefaultKey](t, echocache.Config{IgnoreHost: true})
	e = newEcho()
	e.GET("/", byHost, cache.Middleware)
	require.Equal(t, "MISS", status(get(e, "http://a.example/")))
	require.Equal(t, "the host is a.example", get(e, "http://b.example/").Body.String())
}

func TestHeadIsAnsweredFromGet(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{})
	e := newEcho()
	runs := 0
	e.Match([]string{http.MethodGet, http.MethodHead}, "/", func(c echo.Context) error {
		runs++
		c.Response().Header().Set("X-A", "1")
		return c.String(http.StatusOK, "hello")
	}, cache.Middleware)

	s := serve(t, e)
	bare := fetch(t, http.MethodHead, s.URL)
	require.Equal(t, "MISS", bare.cache())
	require.Equal(t, "a HEAD request fills no entry", log.one(t).Reason)
	require.Equal(t, "MISS", fetch(t, http.MethodHead, s.URL).cache(), "HEAD fills nothing")
	require.Equal(t, "MISS", fetch(t, http.MethodGet, s.URL).cache())
	require.Equal(t, 3, runs)
	log.take()

	head := fetch(t, http.MethodHead, s.URL)
	require.Equal(t, "HIT", head.cache())
	require.Equal(t, bare.comparable(), head.comparable(), "with the length of the body")
	require.Equal(t, int64(5), head.ContentLength)
	require.Equal(t, 3, runs)
}

func TestHeadBehindGzipHasNoLength(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{})
	e := newEcho()
	e.Use(middleware.Gzip())
	e.Match([]string{http.MethodGet, http.MethodHead}, "/", func(c echo.Context) error { return c.String(http.StatusOK, "hello") }, cache.Middleware)
	s := serve(t, e)
	require.Equal(t, "MISS", fetch(t, http.MethodGet, s.URL, "Accept-Encoding", "gzip").cache())
	head := fetch(t, http.MethodHead, s.URL, "Accept-Encoding", "gzip")
	require.Equal(t, "HIT", head.cache())
	require.Equal(t, int64(-1), head.ContentLength, "that of the compressed body is unknown")
	require.Equal(t, int64(5), fetch(t, http.MethodHead, s.URL).ContentLength)
}

func TestRewrittenAndSlashedPathsReachOneEntry(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{})
	e := newEcho()
	e.Pre(middleware.Rewrite(map[string]string{"/old/*": "/new/$1"}), middleware.RemoveTrailingSlash())
	e.GET("/new/:id", echoing, cache.Middleware)
	require.Equal(t, "MISS", status(get(e, "/old/1")))
	require.Equal(t, "HIT", status(get(e, "/new/1")))
	require.Equal(t, "HIT", status(get(e, "/new/1/")))
	require.Equal(t, "MISS", status(get(e, "/old/2")))
}

func TestOverriddenMethodIsNotTakenForGet(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{})
	e := newEcho()
	e.Pre(middleware.MethodOverride())
	h := func(c echo.Context) error { return c.String(http.StatusOK, c.Request().Method) }
	e.GET("/", h, cache.Middleware)
	e.DELETE("/", h, cache.Middleware)
	require.Equal(t, "GET", get(e, "/").Body.String())
	w := do(e, http.MethodPost, "/", "X-HTTP-Method-Override", http.MethodDelete)
	require.Equal(t, "BYPASS", status(w))
	require.Equal(t, http.MethodDelete, w.Body.String())
}

func TestSkippedRequestsCarryNoStatus(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{
		Skipper: func(c echo.Context) bool { return c.QueryParam("skip") != "" },
	})
	e := newEcho()
	runs := 0
	e.GET("/", counter(&runs), cache.Middleware)
	get(e, "/")
	log.take()
	w := get(e, "/?skip=1")
	require.Equal(t, "xx", w.Body.String())
	require.NotContains(t, w.Header(), "X-Cache-Status")
	require.Empty(t, log.take())
}

func TestEventsNameTheirOwnRequest(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{Namespace: "n"})
	e := newEcho()
	e.Match([]string{http.MethodGet, http.MethodPost}, "/a/:id", echoing, cache.Middleware)
	get(e, "/a/secret")
	ev := log.one(t)
	require.Equal(t, "n", ev.Cache)
	require.Equal(t, "/a/:id", ev.Route)
	require.Contains(t, ev.Key, "secret")
	require.True(t, ev.Stored)
	do(e, http.MethodPost, "/a/other") // in the same, pooled exchange
	ev = log.one(t)
	require.Empty(t, ev.Key, "no key was built")
	require.Equal(t, "the method is POST", ev.Reason)
	get(e, "/a/third?x=%zz")
	ev = log.one(t)
	require.Empty(t, ev.Key, "it could not be built")
	require.EqualError(t, ev.Err, "tagkey: Query (query:*): the query string has a malformed escape")
}

func TestRouteThatNamesAParameterTwice(t *testing.T) {
	all := newCache[echocache.DefaultKey](t, echocache.Config{})
	e := newEcho()
	e.GET("/:id/:id", echoing, all.Middleware)
	twice(t, e, "/1/2", "/2/1", "/1/1")

	type key struct {
		ID int `restflow:"path,id"`
	}
	log := &eventLog{}
	one := newCache[key](t, echocache.Config{OnEvent: log.add})
	e = newEcho()
	e.GET("/:id/:id", echoing, one.Middleware)
	for range 2 {
		require.Equal(t, "BYPASS", status(get(e, "/1/2")))
		ev := log.one(t)
		require.Equal(t, "the key cannot be built", ev.Reason)
		require.EqualError(t, ev.Err, "tagkey: ID (path:id): the route names the parameter 2 times")
	}
}

// Only letters of ASCII have no case in a host: the Kelvin sign is no k, and bytes
// that are no text are all different.
func TestHostsThatUnicodeFoldsAreApart(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{})
	e := newEcho()
	e.GET("/", func(c echo.Context) error { return c.String(http.StatusOK, c.Request().Host) }, cache.Middleware)
	from := func(host string) *httptest.ResponseRecorder {
		r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
		r.Host = host
		e.ServeHTTP(w, r)
		return w
	}
	for _, host := range []string{"kyc.example", "\u212Ayc.example", "ÄB.example", "äb.example", "a\xff.example", "a\xfe.example"} {
		require.Equal(t, "MISS", status(from(host)), "%q", host)
		require.Equal(t, host, from(host).Body.String())
	}
	require.Equal(t, "HIT", status(from("KYC.Example")))
	require.Equal(t, "HIT", status(from("a\xFF.EXAMPLE")))
}

// Echo tells the pattern of a route whose method is another, without its parameters.
func TestRouteOfAnotherMethodIsNone(t *testing.T) {
	const why = "the method is not allowed on the route"
	cache, log := defaultCache(t, echocache.Config{})
	e := newEcho()
	e.Use(cache.Middleware, func(next echo.HandlerFunc) echo.HandlerFunc { // a proxy
		return func(c echo.Context) error {
			if c.Get(echo.ContextKeyHeaderAllow) != nil && c.Request().Method == http.MethodGet {
				return c.String(http.StatusOK, c.Request().URL.Path)
			}
			return next(c)
		}
	})
	e.POST("/users/:id", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	for _, target := range []string{"/users/1", "/users/2", "/users/2"} {
		w := get(e, target)
		require.Equal(t, target, w.Body.String())
		require.Equal(t, "BYPASS", status(w))
		require.Equal(t, why, log.one(t).Reason)
	}
	e.GET("/only-get", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	for range 2 {
		require.Equal(t, http.StatusMethodNotAllowed, do(e, http.MethodHead, "/only-get").Code)
		require.Equal(t, why, log.one(t).Reason)
		get(e, "/only-get")
		log.take()
	}
}
