package echocache_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
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

// wares are made anew for each server, so that counters start at zero.
var wares = []struct {
	name string
	make func() echo.MiddlewareFunc
}{
	{"none", func() echo.MiddlewareFunc { return func(next echo.HandlerFunc) echo.HandlerFunc { return next } }},
	{"Gzip", middleware.Gzip},
	{"Gzip from a size", func() echo.MiddlewareFunc {
		return middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 20})
	}},
	{"CORS", func() echo.MiddlewareFunc {
		return middleware.CORSWithConfig(middleware.CORSConfig{AllowOrigins: []string{"http://a", "http://b"}, ExposeHeaders: []string{"X-A"}})
	}},
	{"RequestID", func() echo.MiddlewareFunc {
		return middleware.RequestIDWithConfig(middleware.RequestIDConfig{Generator: func() string { return "an id" }})
	}},
	{"Secure", middleware.Secure},
	{"BodyLimit", func() echo.MiddlewareFunc { return middleware.BodyLimit("1K") }},
	{"ContextTimeout", func() echo.MiddlewareFunc { return middleware.ContextTimeout(time.Minute) }},
	{"Timeout", func() echo.MiddlewareFunc {
		return middleware.TimeoutWithConfig(middleware.TimeoutConfig{Timeout: time.Minute}) //nolint:staticcheck // people use it
	}},
	{"Recover", func() echo.MiddlewareFunc {
		return middleware.RecoverWithConfig(middleware.RecoverConfig{DisablePrintStack: true})
	}},
	{"Logger", func() echo.MiddlewareFunc {
		return middleware.LoggerWithConfig( //nolint:staticcheck // many still use it
			middleware.LoggerConfig{Output: io.Discard})
	}},
	{"RequestLogger", func() echo.MiddlewareFunc {
		return middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
			LogStatus: true, LogResponseSize: true, HandleError: true,
			LogValuesFunc: func(echo.Context, middleware.RequestLoggerValues) error { return nil },
		})
	}},
	{"Session", func() echo.MiddlewareFunc { return session.Middleware(sessions.NewCookieStore([]byte("secret"))) }},
	{"BodyDump", func() echo.MiddlewareFunc {
		return middleware.BodyDump(func(c echo.Context, _, _ []byte) { c.Set("dumped", true) })
	}},
	{"Decompress", middleware.Decompress},
	{"MethodOverride", middleware.MethodOverride},
	{"Rewrite", func() echo.MiddlewareFunc { return middleware.Rewrite(map[string]string{"/nowhere/*": "/$1"}) }},
	{"TrailingSlash", middleware.RemoveTrailingSlash},
	{"header before next", setting("X-Ware", "before")},
	{"Response.Before", func() echo.MiddlewareFunc {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				res := c.Response()
				res.Before(func() { res.Header().Add("X-Hook", fmt.Sprint(res.Status)) })
				return next(c)
			}
		}
	}},
	{"Response.After", func() echo.MiddlewareFunc {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				c.Response().After(func() { c.Set("written", true) })
				return next(c)
			}
		}
	}},
	{"writer without Unwrap, left behind", func() echo.MiddlewareFunc {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				c.Response().Writer = struct{ http.ResponseWriter }{c.Response().Writer}
				return next(c)
			}
		}
	}},
	{"request with a value, left behind", func() echo.MiddlewareFunc {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				c.SetRequest(c.Request().WithContext(context.WithValue(c.Request().Context(), wareKey{}, "v")))
				return next(c)
			}
		}
	}},
	{"errors handled inside", func() echo.MiddlewareFunc {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				if err := next(c); err != nil {
					c.Error(err)
				}
				return nil
			}
		}
	}},
}

type wareKey struct{}

func setting(name, value string) func() echo.MiddlewareFunc {
	return func() echo.MiddlewareFunc {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				c.Response().Header().Add(name, value)
				return next(c)
			}
		}
	}
}

// glimpse is what outer middleware sees of an answer once next has returned.
type glimpse struct {
	Status, Size  int
	Committed     bool
	Err, Canceled string
}

// through drops what rightly differs: a context that only the middleware inside
// had canceled, and the size if Gzip runs inside, below Echo's count of the bytes.
func (g glimpse) through(inner string) glimpse {
	g.Canceled = ""
	if strings.HasPrefix(inner, "Gzip") {
		g.Size = 0
	}
	return g
}

// orderSite is a server with one middleware outside of the cache and one inside.
type orderSite struct {
	echo *echo.Echo
	seen []glimpse
}

func newOrderSite(outer, inner, cache echo.MiddlewareFunc) *orderSite {
	s := &orderSite{echo: newEcho()}
	s.echo.Use(s.watch, outer)
	for path, h := range map[string]echo.HandlerFunc{
		"/ok": func(c echo.Context) error {
			h := c.Response().Header()
			h.Add("X-A", "1")
			h.Add("X-A", "2")
			return c.JSON(200, map[string]string{"text": strings.Repeat("compress me ", 20)})
		},
		"/short": func(c echo.Context) error { return c.String(200, "short") },
		"/empty": func(c echo.Context) error { return c.NoContent(204) },
		"/moved": func(c echo.Context) error { return c.Redirect(301, "/ok") },
		"/error": func(echo.Context) error { return echo.NewHTTPError(418, "teapot") },
		"/flush": func(c echo.Context) error {
			_, _ = c.Response().Write([]byte("a"))
			c.Response().Flush()
			_, err := c.Response().Write([]byte("b"))
			return err
		},
		"/panic": func(echo.Context) error { panic("oh") },
	} {
		s.echo.GET(path, h, cache, inner)
	}
	return s
}

// watch is the outermost middleware. It holds the response from before.
func (s *orderSite) watch(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		res := c.Response()
		err := next(c)
		g := glimpse{Status: res.Status, Size: int(res.Size), Committed: res.Committed}
		if err != nil {
			g.Err = err.Error()
		}
		if e := c.Request().Context().Err(); e != nil {
			g.Canceled = e.Error()
		}
		if res != c.Response() {
			g.Err += " and the response is another"
		}
		s.seen = append(s.seen, g)
		return err
	}
}

// answer is what a client gets of an orderSite.
type answer struct {
	Code     int
	Header   http.Header
	Body     string
	Panicked string
}

func (s *orderSite) ask(target string, headers ...string) (a answer) {
	w := httptest.NewRecorder()
	defer func() {
		if p := recover(); p != nil {
			a.Panicked = fmt.Sprint(p)
		}
		a.Code, a.Header, a.Body = w.Code, w.Result().Header, w.Body.String()
		for _, name := range []string{"Age", "Date", "X-Cache-Status", "X-Cached-At", "X-Cache-Reset-At"} {
			delete(a.Header, name)
		}
		if a.Header.Get("Content-Encoding") == "gzip" {
			a.Body = gunzip(a.Body)
		}
	}()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	s.echo.ServeHTTP(w, r)
	return a
}

func gunzip(s string) string {
	r, err := gzip.NewReader(strings.NewReader(s))
	if err != nil {
		return "not gzip: " + err.Error()
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		return "broken gzip: " + err.Error()
	}
	return b.String()
}

// broken tells combinations whose answers are broken without a cache, each in
// its own way: a writer that cannot flush ends in a panic or in silence, and the
// timeout middleware writes an empty body where Gzip then makes a broken one.
func broken(outer, inner, target string) bool {
	names := outer + inner
	switch target {
	case "/flush":
		return strings.Contains(names, "Timeout") || strings.Contains(names, "Unwrap")
	case "/empty", "/moved":
		return strings.HasPrefix(outer, "Gzip") && inner == "Timeout"
	}
	return false
}

// TestMiddlewareInEveryOrder compares a server with and without the cache for
// every pair of middleware outside and inside of it: what clients get, and what
// outer middleware sees.
func TestMiddlewareInEveryOrder(t *testing.T) {
	requests := [][]string{
		{},
		{"Accept-Encoding", "gzip"},
		{"Origin", "http://a"},
		{"Origin", "http://b", "Accept-Encoding", "gzip"},
		{},
	}
	for _, outer := range wares {
		for _, inner := range wares {
			t.Run(outer.name+" around "+inner.name, func(t *testing.T) {
				cache := newCache[echocache.DefaultKey](t, echocache.Config{})
				bare := newOrderSite(outer.make(), inner.make(), wares[0].make())
				cached := newOrderSite(outer.make(), inner.make(), cache.Middleware)
				for _, target := range []string{"/ok", "/short", "/empty", "/moved", "/error", "/flush", "/panic"} {
					if broken(outer.name, inner.name, target) {
						continue
					}
					for i, headers := range requests {
						want := bare.ask(target, headers...)
						require.Equal(t, want, cached.ask(target, headers...), "%s, request %d", target, i)
					}
				}
				require.Len(t, cached.seen, len(bare.seen))
				for i, want := range bare.seen {
					require.Equal(t, want.through(inner.name), cached.seen[i].through(inner.name), "request %d", i)
					require.LessOrEqual(t, len(cached.seen[i].Canceled), len(want.Canceled), "request %d", i)
				}
			})
		}
	}
}
