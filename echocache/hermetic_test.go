package echocache_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
)

type pagedKey struct {
	Page string `restflow:"query,page"`
}

// curious is an Echo whose middleware, renderer and the like read what a handler
// that is sealed off must not see.
func curious(t *testing.T) *echo.Echo {
	t.Helper()
	e := newEcho()
	e.Renderer, e.JSONSerializer = tell{}, tell{}
	e.HTTPErrorHandler = func(_ error, c echo.Context) { _ = tell{}.Render(c.Response(), "", nil, c) }
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			_, _ = c.QueryParam("secret"), c.FormValue("secret")
			return next(c)
		}
	})
	return e
}

// tell tells the secret.
type tell struct{ echo.DefaultJSONSerializer }

func (tell) Render(w io.Writer, _ string, _ any, c echo.Context) error {
	_, err := io.WriteString(w, c.QueryParam("secret")+c.FormValue("secret"))
	return err
}

func (t tell) Serialize(c echo.Context, _ any, indent string) error {
	if indent != "" {
		_, _ = io.WriteString(c.Response(), "indented")
	}
	return t.Render(c.Response(), "", nil, c)
}

// Outer middleware has parsed the query and the form of the request, and Echo
// hands its own context to what renders for a handler.
func TestHermeticHandlersSeeNothingThatWasParsedBefore(t *testing.T) {
	cache := newCache[pagedKey](t, echocache.Config{Hermetic: true})
	e := curious(t)
	for target, handler := range map[string]echo.HandlerFunc{
		"/form":       func(c echo.Context) error { return c.String(http.StatusOK, c.FormValue("secret")) },
		"/params":     func(c echo.Context) error { v, _ := c.FormParams(); return c.String(http.StatusOK, v.Get("secret")) },
		"/render":     func(c echo.Context) error { return c.Render(http.StatusOK, "", nil) },
		"/json":       func(c echo.Context) error { return c.JSON(http.StatusOK, 1) },
		"/jsonPretty": func(c echo.Context) error { return c.JSONPretty(http.StatusOK, 1, "") },
		"/error":      func(c echo.Context) error { c.Error(io.EOF); return nil },
	} {
		e.GET(target, handler, cache.Middleware)
		for _, secret := range []string{"alice", "bob"} {
			w := get(e, target+"?page=1&pretty&secret="+secret)
			require.Equal(t, http.StatusOK, w.Code)
			require.Empty(t, w.Body.String(), target)
		}
		require.Equal(t, "HIT", status(get(e, target+"?page=1")))
	}
	e.GET("/jsonp", func(c echo.Context) error { return c.JSONP(http.StatusOK, "f", 1) }, cache.Middleware)
	require.Equal(t, "f();", get(e, "/jsonp?page=1&pretty&secret=alice").Body.String())
	e.GET("/xml", func(c echo.Context) error { return c.XML(http.StatusOK, struct{ A int }{1}) }, cache.Middleware)
	require.NotContains(t, get(e, "/xml?page=1&pretty").Body.String(), "\n  ")
}

// Inner middleware leaves a request behind that was made of the sealed one, as that of
// timeouts does. Outer middleware, such as a log, goes on with the whole request.
func TestHermeticTakesNothingFromOuterMiddleware(t *testing.T) {
	cache := newCache[pagedKey](t, echocache.Config{Hermetic: true})
	e, seen := newEcho(), ""
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			err := next(c)
			seen = c.RealIP() + " " + c.Request().UserAgent()
			return err
		}
	})
	e.Match([]string{http.MethodGet, http.MethodHead}, "/", responding(http.StatusOK), cache.Middleware, middleware.ContextTimeout(time.Minute))
	for _, method := range []string{http.MethodHead, http.MethodGet} { // to the client, and recorded
		seen = ""
		w := do(e, method, "/?page=1", "User-Agent", "agent")
		require.Equal(t, "MISS", status(w))
		require.Equal(t, "192.0.2.1 agent", seen, method)
	}
}

func TestAuditSeesThroughParsedForms(t *testing.T) {
	var out bytes.Buffer
	cache := newCache[pagedKey](t, echocache.Config{Audit: true, Logger: slog.New(slog.NewTextHandler(&out, nil))})
	e := curious(t)
	e.GET("/", func(c echo.Context) error { return c.String(http.StatusOK, c.FormValue("secret")) }, cache.Middleware)
	get(e, "/?page=1&secret=alice")
	require.Contains(t, out.String(), `input="query secret"`)
}
