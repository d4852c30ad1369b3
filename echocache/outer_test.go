package echocache_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/sessions"
	"github.com/labstack/echo-contrib/session"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
)

func TestRequestIDsAreEachRequestsOwn(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{})
	e := newEcho()
	e.Use(middleware.RequestID())
	e.GET("/", responding(200), cache.Middleware)
	seen := map[string]bool{}
	for range 3 {
		ids := get(e, "/").Header()[echo.HeaderXRequestID]
		require.Len(t, ids, 1)
		require.False(t, seen[ids[0]])
		seen[ids[0]] = true
	}
	require.Equal(t, []string{"mine"}, get(e, "/", echo.HeaderXRequestID, "mine").Header()[echo.HeaderXRequestID])
}

func TestOriginsAreEachRequestsOwn(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{})
	e := newEcho()
	e.Use(middleware.CORSWithConfig(middleware.CORSConfig{AllowOrigins: []string{"http://a", "http://b"}}))
	e.GET("/", responding(200), cache.Middleware)
	for i, origin := range []string{"http://a", "http://b", "http://evil", ""} {
		h := get(e, "/", "Origin", origin).Header()
		want := origin
		if origin == "http://evil" {
			want = ""
		}
		require.Equal(t, want, h.Get(echo.HeaderAccessControlAllowOrigin))
		require.Equal(t, []string{"Origin"}, h["Vary"])
		require.Equal(t, []string{"MISS", "HIT", "HIT", "HIT"}[i], h.Get("X-Cache-Status"))
	}
}

func TestGzipOutsideStoresPlainBytes(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{})
	e := newEcho()
	e.Use(middleware.Gzip())
	text := strings.Repeat("compress me ", 1000)
	e.GET("/", func(c echo.Context) error { return c.String(200, text) }, cache.Middleware)
	for i, encoding := range []string{"gzip", "", "gzip", "br"} {
		w := get(e, "/", "Accept-Encoding", encoding)
		require.Equal(t, []string{"MISS", "HIT", "HIT", "HIT"}[i], status(w))
		require.Equal(t, []string{"Accept-Encoding"}, w.Header()["Vary"])
		body := w.Body.String()
		if encoding == "gzip" {
			require.Equal(t, "gzip", w.Header().Get("Content-Encoding"))
			body = gunzip(body)
		} else {
			require.Empty(t, w.Header().Get("Content-Encoding"))
		}
		require.True(t, body == text) //nolint:testifylint // too long to print
	}
}

func TestGzipInsideIsStoredOnlyUnderItsKey(t *testing.T) {
	type key struct {
		Encoding string `restflow:"header,Accept-Encoding"`
	}
	unkeyed := newCache[echocache.DefaultKey](t, echocache.Config{})
	keyed := newCache[key](t, echocache.Config{})
	e := newEcho()
	h := func(c echo.Context) error { return c.String(200, "hello") }
	e.GET("/unkeyed", h, unkeyed.Middleware, middleware.Gzip())
	e.GET("/keyed", h, keyed.Middleware, middleware.Gzip())
	for _, want := range []string{"MISS", "HIT"} {
		for _, encoding := range []string{"gzip", ""} {
			w := get(e, "/unkeyed", "Accept-Encoding", encoding)
			require.Equal(t, "MISS", status(w))
			require.Equal(t, encoding, w.Header().Get("Content-Encoding"))
			w = get(e, "/keyed", "Accept-Encoding", encoding)
			require.Equal(t, want, status(w))
			require.Equal(t, encoding, w.Header().Get("Content-Encoding"))
			if encoding == "gzip" {
				require.Equal(t, "hello", gunzip(w.Body.String()))
			} else {
				require.Equal(t, "hello", w.Body.String())
			}
		}
	}
}

// A page may show what outer middleware gives the client in a cookie, as a token
// against CSRF, and says so by Vary. It is one client's own, unless the config says
// that it is not.
func TestCookiesOfOuterMiddlewareAreCredentials(t *testing.T) {
	type tokenKey struct {
		Token *string `restflow:"cookie,_csrf"`
	}
	form := func(c echo.Context) error { return c.String(200, c.Get("csrf").(string)) }
	cache, log := defaultCache(t, echocache.Config{})
	keyed := newCache[tokenKey](t, echocache.Config{})
	e := newEcho()
	e.Use(middleware.CSRF())
	e.GET("/form", form, cache.Middleware)
	e.GET("/keyed", form, keyed.Middleware)
	tokens := map[string]bool{}
	for range 3 {
		for _, target := range []string{"/form", "/keyed"} {
			w := get(e, target)
			require.Equal(t, "BYPASS", status(w))
			require.Contains(t, w.Header().Get("Set-Cookie"), w.Body.String())
			require.False(t, tokens[w.Body.String()])
			tokens[w.Body.String()] = true
		}
		require.Equal(t, "the client is given the cookie _csrf, and the key has no identity field", log.one(t).Reason)
	}
	for i, token := range []string{"a", "b", "a", "b"} {
		w := get(e, "/keyed", "Cookie", "_csrf="+token)
		require.Equal(t, []string{"MISS", "MISS", "HIT", "HIT"}[i], status(w), "whoever has one already is told apart by it")
		require.Equal(t, token, w.Body.String())
	}
}

func TestCookiesOfOuterMiddlewareAreNeitherStoredNorReplayed(t *testing.T) {
	visits := 0
	visit := func(next echo.HandlerFunc) echo.HandlerFunc { // which no page shows
		return func(c echo.Context) error {
			visits++
			c.SetCookie(&http.Cookie{Name: "visit", Value: fmt.Sprint(visits)})
			return next(c)
		}
	}
	for name, c := range map[string]struct {
		outer echo.MiddlewareFunc
		cfg   echocache.Config
	}{
		"shared":  {middleware.CSRF(), echocache.Config{Shared: true}},
		"ignored": {middleware.CSRF(), echocache.Config{IgnoreCookies: []string{"_cs*"}}},
		"no Vary": {visit, echocache.Config{}},
	} {
		cache := newCache[echocache.DefaultKey](t, c.cfg)
		e := newEcho()
		e.Use(c.outer)
		e.GET("/", responding(200), cache.Middleware)
		tokens := map[string]bool{}
		for i := range 3 {
			w := get(e, "/")
			require.Equal(t, []string{"MISS", "HIT", "HIT"}[i], status(w), name)
			cookies := w.Header()["Set-Cookie"]
			require.Len(t, cookies, 1)
			require.False(t, tokens[cookies[0]])
			tokens[cookies[0]] = true
		}
	}
}

// Session middleware around the cache saves the session when the answer goes
// out, for each client its own, on hits too.
func TestSessionsSavedOutsideAreEachClientsOwn(t *testing.T) {
	cache := newCache[personKey](t, echocache.Config{})
	e := newEcho()
	store := sessions.NewCookieStore([]byte("0123456789abcdef0123456789abcdef"))
	visit := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			s, err := session.Get("visits", c)
			if err != nil {
				return err
			}
			n, _ := s.Values["n"].(int)
			s.Values["n"], s.Values["of"] = n+1, c.QueryParam("name")
			c.Set("name", c.QueryParam("name"))
			c.Response().Before(func() { err = s.Save(c.Request(), c.Response()) })
			return errors.Join(next(c), err)
		}
	}
	e.GET("/", func(c echo.Context) error {
		s, err := session.Get("visits", c)
		if err != nil || s.Values["n"] == nil {
			return errors.Join(errors.New("no session inside"), err)
		}
		return c.String(200, fmt.Sprint(c.Get("name")))
	}, session.Middleware(store), visit, cache.Middleware)
	jar := map[string]string{}
	for i := range 3 {
		for _, name := range []string{"a", "b"} {
			w := get(e, "/?name="+name, "Cookie", jar[name])
			require.Equal(t, 200, w.Code, w.Body)
			require.Equal(t, []string{"MISS", "HIT", "HIT"}[i], status(w))
			require.Equal(t, name, w.Body.String())
			require.Len(t, w.Header()["Set-Cookie"], 1)
			jar[name] = strings.Split(w.Header().Get("Set-Cookie"), ";")[0]
		}
	}
	require.NotEqual(t, jar["a"], jar["b"])
}

// The handler opens the session, and middleware around the cache saves it: both
// must have the same one in hand.
func TestSessionsOpenedInsideCanBeSavedOutside(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{})
	e := newEcho()
	saving := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Response().Before(func() {
				if s, err := session.Get("cart", c); err == nil && len(s.Values) > 0 {
					_ = s.Save(c.Request(), c.Response())
				}
			})
			return next(c)
		}
	}
	e.GET("/", func(c echo.Context) error {
		s, err := session.Get("cart", c)
		if err != nil {
			return err
		}
		s.Values["item"] = 1
		echocache.From(c).NoStore("it changes the session")
		return c.String(200, "in your cart")
	}, session.Middleware(sessions.NewCookieStore([]byte("secret"))), saving, cache.Middleware)
	for range 2 {
		require.Len(t, get(e, "/").Header()["Set-Cookie"], 1)
		require.Equal(t, "it changes the session", log.one(t).Reason)
	}
}

// A session that the handler itself changes sets a cookie: nobody else gets it.
func TestSessionsSavedInsideAreNotStored(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{})
	e := newEcho()
	e.GET("/", func(c echo.Context) error {
		s, err := session.Get("cart", c)
		if err != nil {
			return err
		}
		s.Values["item"] = 1
		return errors.Join(s.Save(c.Request(), c.Response()), c.String(200, "in your cart"))
	}, cache.Middleware, session.Middleware(sessions.NewCookieStore([]byte("secret"))))
	for range 2 {
		w := get(e, "/")
		require.Len(t, w.Header()["Set-Cookie"], 1)
		require.Equal(t, "the response sets a cookie", log.one(t).Reason)
	}
}

// The handler outlives the timeout middleware around the cache: the client gets
// the 503, and the late answer is not kept.
func TestTimeoutAroundTheCacheKeepsNothingLate(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{})
	e := newEcho()
	runs := 0
	e.Use(middleware.ContextTimeout(20 * time.Millisecond))
	e.GET("/", func(c echo.Context) error {
		runs++
		if runs == 1 {
			<-c.Request().Context().Done()
		}
		return c.String(200, "done")
	}, cache.Middleware)
	get(e, "/")
	ev := log.one(t)
	require.False(t, ev.Stored)
	require.Equal(t, "the request ended first", ev.Reason)
	require.Equal(t, "MISS", status(get(e, "/")))
	require.Equal(t, "HIT", status(get(e, "/")))
}

func TestLoggerSeesTheBytesOfHits(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{})
	e := newEcho()
	var out bytes.Buffer
	e.Use(middleware.LoggerWithConfig(middleware.LoggerConfig{ //nolint:staticcheck // many still use it
		Format: `{"status":${status},"out":${bytes_out},"error":"${error}"}` + "\n", Output: &out,
	}))
	e.GET("/", func(c echo.Context) error { return c.String(201, "hello") }, cache.Middleware)
	e.GET("/error", func(echo.Context) error { return echo.NewHTTPError(418, "teapot") }, cache.Middleware)
	type line struct {
		Status, Out int
		Error       string
	}
	for _, c := range []struct {
		target string
		want   line
	}{
		{"/", line{201, 5, ""}},
		{"/", line{201, 5, ""}},
		{"/error", line{418, 21, "code=418, message=teapot"}},
		{"/error", line{418, 21, "code=418, message=teapot"}},
	} {
		out.Reset()
		get(e, c.target)
		var got line
		require.NoError(t, json.Unmarshal(out.Bytes(), &got))
		require.Equal(t, c.want, got)
	}
}

func TestErrorHandlerOfTheApplicationAnswers(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{})
	e := newEcho()
	boom := errors.New("boom")
	var handled []error
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		handled = append(handled, err)
		_ = c.JSON(http.StatusBadGateway, map[string]string{"oh": err.Error()})
	}
	e.GET("/", func(c echo.Context) error {
		c.Response().Header().Set("X-From", "the handler")
		return boom
	}, cache.Middleware)
	for range 2 {
		w := get(e, "/")
		require.Equal(t, http.StatusBadGateway, w.Code)
		require.JSONEq(t, `{"oh":"boom"}`, w.Body.String())
		require.Equal(t, "the handler", w.Header().Get("X-From"))
		ev := log.one(t)
		require.Equal(t, "the handler returned an error", ev.Reason)
		require.Same(t, boom, ev.Err)
	}
	require.Equal(t, []error{boom, boom}, handled, "untouched")
}

// Two caches on one route, each with its own key.
func TestCacheInsideACache(t *testing.T) {
	type coarse struct{}
	inner := newCache[echocache.DefaultKey](t, echocache.Config{})
	outer := newCache[struct {
		_ coarse `restflow:"namespace,Outer"`
		A string `restflow:"query,a"`
	}](t, echocache.Config{})
	e, runs := newEcho(), 0
	e.GET("/", counter(&runs), outer.Middleware, inner.Middleware)
	require.Equal(t, "x", get(e, "/?a=1&b=1").Body.String())
	w := get(e, "/?a=1&b=2")
	require.Equal(t, "x", w.Body.String(), "b is not in the outer key")
	require.Equal(t, []string{"HIT"}, w.Header()["X-Cache-Status"])
	require.NoError(t, outer.InvalidateAll(t.Context()))
	require.Equal(t, "x", get(e, "/?a=1&b=1").Body.String(), "the inner one still has it")
	require.NoError(t, errors.Join(outer.InvalidateAll(t.Context()), inner.InvalidateAll(t.Context())))
	require.Equal(t, "xx", get(e, "/?a=1&b=1").Body.String())
}
