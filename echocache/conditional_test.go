package echocache_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
)

func TestConditionalRequests(t *testing.T) {
	const modified = "Sat, 21 Nov 2026 10:00:00 GMT"
	cache, _ := defaultCache(t, echocache.Config{})
	e := newEcho()
	e.GET("/:tag", func(c echo.Context) error {
		h := c.Response().Header()
		if tag := c.Param("tag"); tag != "none" {
			h.Set("ETag", map[string]string{"strong": `"a,b"`, "weak": `W/"a,b"`}[tag])
		}
		h.Set("Last-Modified", modified)
		h.Set("Cache-Control", "max-age=60")
		h.Set("Content-Language", "en")
		h.Set("X-Mine", "1")
		return c.String(http.StatusOK, "hello")
	}, cache.Middleware)
	for _, tag := range []string{"strong", "weak", "none"} {
		require.Equal(t, "MISS", status(get(e, "/"+tag)))
	}
	for name, tc := range map[string]struct {
		tag     string
		headers []string
		want    int
	}{
		"same tag":               {"strong", []string{"If-None-Match", `"a,b"`}, 304},
		"weak request":           {"strong", []string{"If-None-Match", `W/"a,b"`}, 304},
		"weak entry":             {"weak", []string{"If-None-Match", `"a,b"`}, 304},
		"list":                   {"strong", []string{"If-None-Match", `"x", W/"y" ,"a,b"`}, 304},
		"two lines":              {"strong", []string{"If-None-Match", `"x"`, "If-None-Match", `"a,b"`}, 304},
		"star":                   {"strong", []string{"If-None-Match", `*`}, 304},
		"star without a tag":     {"none", []string{"If-None-Match", `*`}, 304},
		"another tag":            {"strong", []string{"If-None-Match", `"a"`}, 200},
		"part of a tag":          {"strong", []string{"If-None-Match", `"b"`}, 200},
		"unquoted":               {"strong", []string{"If-None-Match", `a,b`}, 200},
		"no tag to match":        {"none", []string{"If-None-Match", `""`}, 200},
		"not modified since":     {"none", []string{"If-Modified-Since", modified}, 304},
		"modified since":         {"none", []string{"If-Modified-Since", "Sat, 21 Nov 2026 09:59:59 GMT"}, 200},
		"no date":                {"none", []string{"If-Modified-Since", "yesterday"}, 200},
		"the tag has precedence": {"strong", []string{"If-None-Match", `"x"`, "If-Modified-Since", modified}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			w := get(e, "/"+tc.tag, tc.headers...)
			require.Equal(t, tc.want, w.Code)
			require.Equal(t, "HIT", status(w))
			require.Equal(t, "max-age=60", w.Header().Get("Cache-Control"))
			require.Equal(t, "1", w.Header().Get("X-Mine"))
			if tc.want == http.StatusOK {
				require.Equal(t, "hello", w.Body.String())
				return
			}
			require.Empty(t, w.Body.String())
			require.Empty(t, w.Header().Get("Content-Type"))
			require.Empty(t, w.Header().Get("Content-Language"))
			require.Equal(t, modified, w.Header().Get("Last-Modified"))
		})
	}
}

func TestETagIsMadeFromTheBody(t *testing.T) {
	cache, _ := defaultCache(t, echocache.Config{ETag: true})
	e := newEcho()
	e.GET("/:body", func(c echo.Context) error { return c.String(http.StatusOK, c.Param("body")) }, cache.Middleware)
	e.GET("/own", func(c echo.Context) error {
		c.Response().Header().Set("ETag", `W/"mine"`)
		return c.String(http.StatusOK, "own")
	}, cache.Middleware)
	a := get(e, "/a")
	tag := a.Header().Get("ETag")
	require.Regexp(t, `^"[\w-]{22}"$`, tag)
	require.Equal(t, tag, get(e, "/a").Header().Get("ETag"))
	require.NotEqual(t, tag, get(e, "/b").Header().Get("ETag"))
	require.Equal(t, http.StatusNotModified, get(e, "/a", "If-None-Match", tag).Code)
	require.Equal(t, `W/"mine"`, get(e, "/own").Header().Get("ETag"))
}

// What is not stored reaches the client as the handler made it.
func TestETagIsMadeOnlyForWhatIsStored(t *testing.T) {
	for name, h := range map[string]echo.HandlerFunc{
		"no-store": responding(http.StatusOK, "Cache-Control", "no-store"),
		"cookie":   responding(http.StatusOK, "Set-Cookie", "a=b"),
		"refused":  responding(http.StatusOK, "X-Refuse", "1"),
	} {
		cache := newCache[echocache.DefaultKey](t, echocache.Config{ETag: true, CacheUnless: func(_ context.Context, res *echocache.Response) (bool, error) {
			require.Empty(t, res.Header["Etag"], "the handler made none")
			return res.Header.Get("X-Refuse") != "", nil
		}})
		e := newEcho()
		e.GET("/", h, cache.Middleware)
		w := get(e, "/")
		require.Equal(t, "MISS", status(w))
		require.Empty(t, w.Header()["Etag"], name)
		require.Equal(t, "MISS", status(get(e, "/")))
	}
}

func TestCacheStatusField(t *testing.T) {
	cache, _ := defaultCache(t, echocache.Config{CacheStatusHeader: true, TTL: time.Hour})
	e := newEcho()
	e.Any("/:id", func(c echo.Context) error {
		if c.Param("id") == "flush" {
			c.Response().WriteHeader(http.StatusOK)
			c.Response().Flush()
			return nil
		}
		if c.Param("id") == "cookie" {
			c.SetCookie(&http.Cookie{Name: "a", Value: "b"})
		}
		return c.NoContent(http.StatusOK)
	}, func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Response().Header().Set("Cache-Status", "inner; hit")
			return next(c)
		}
	}, cache.Middleware)
	field := func(method, target string, headers ...string) string {
		lines := do(e, method, target, headers...).Header().Values("Cache-Status")
		require.Len(t, lines, 2)
		require.Equal(t, "inner; hit", lines[0])
		return lines[1]
	}
	require.Equal(t, "restflow; fwd=uri-miss; stored", field("GET", "/a"))
	require.Regexp(t, `^restflow; hit; ttl=(3599|3600)$`, field("GET", "/a"))
	require.Equal(t, "restflow; fwd=method; detail=\"the method is POST\"", field("POST", "/a"))
	require.Equal(t, `restflow; fwd=bypass; detail="the request has an Authorization header, and the key has no identity field"`,
		field("GET", "/a", "Authorization", "Bearer x"))
	require.Equal(t, `restflow; fwd=uri-miss; detail="the response sets a cookie"`, field("GET", "/cookie"))
	require.Equal(t, `restflow; fwd=uri-miss; detail="the response is streamed"`, field("GET", "/flush"))
	require.Equal(t, `restflow; fwd=bypass; detail="the request has the cookie \"q, and the key has no identity field"`,
		field("GET", "/a", "Cookie", `"q=1`))
}

func TestRequestDirectives(t *testing.T) {
	var runs int
	deaf, _ := defaultCache(t, echocache.Config{})
	cache, _ := defaultCache(t, echocache.Config{HonorRequestDirectives: true})
	e := newEcho()
	e.GET("/deaf", counter(&runs), deaf.Middleware)
	e.GET("/a", counter(&runs), cache.Middleware)
	get(e, "/deaf")
	for _, d := range []string{"no-cache", "no-store", "max-age=0", "only-if-cached"} {
		require.Equal(t, "HIT", status(get(e, "/deaf", "Cache-Control", d)), d)
	}

	only := get(e, "/a", "Cache-Control", "only-if-cached")
	require.Equal(t, http.StatusGatewayTimeout, only.Code)
	require.Equal(t, "MISS", status(only))
	require.Equal(t, "MISS", status(get(e, "/a")))
	require.Equal(t, "HIT", status(get(e, "/a", "Cache-Control", "only-if-cached")))
	require.Equal(t, "HIT", status(get(e, "/a", "Cache-Control", "max-age=60")))
	before := runs
	require.Equal(t, "BYPASS", status(get(e, "/a", "Cache-Control", "no-store")))
	require.Equal(t, "REFRESH", status(get(e, "/a", "Cache-Control", "no-cache")))
	require.Equal(t, "REFRESH", status(get(e, "/a", "Cache-Control", "max-age=0")))
	require.Equal(t, "REFRESH", status(get(e, "/a", "Pragma", "no-cache")))
	require.Equal(t, before+4, runs)
	require.Equal(t, http.StatusGatewayTimeout, get(e, "/a", "Cache-Control", "only-if-cached, max-age=0").Code)
	w := get(e, "/a")
	require.Equal(t, "HIT", status(w))
	require.Len(t, w.Body.String(), runs, "the refresh replaced the entry")
}

func TestCacheStatusTellsStaleFromMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := newCache[echocache.DefaultKey](t, echocache.Config{CacheStatusHeader: true, TTL: time.Second})
		e := newEcho()
		e.GET("/", responding(200), cache.Middleware)
		require.Equal(t, "restflow; fwd=uri-miss; stored", get(e, "/").Header().Get("Cache-Status"))
		time.Sleep(time.Second)
		require.Equal(t, "restflow; fwd=stale; stored", get(e, "/").Header().Get("Cache-Status"))
		require.NoError(t, cache.InvalidateAll(t.Context()))
		require.Equal(t, "restflow; fwd=uri-miss; stored", get(e, "/").Header().Get("Cache-Status"))
	})
}
