package echocache_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
)

var when = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

func fileTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string]string{
		"a.txt":          "a small file\n",
		"page.html":      "<!doctype html><title>t</title>",
		"big.bin":        strings.Repeat("0123456789", 20_000),
		"sub/index.html": "<!doctype html>index",
	} {
		name = filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(data), 0o600))
		require.NoError(t, os.Chtimes(name, when, when))
	}
	return dir
}

var bodyKinds = []kind{
	hit("string", func(c echo.Context) error { return c.String(200, "hello") }),
	hit("html", func(c echo.Context) error { return c.HTML(200, "<p>hello") }),
	hit("json", func(c echo.Context) error { return c.JSON(200, map[string]any{"a": 1, "b": []int{1, 2}}) }),
	hit("json pretty", func(c echo.Context) error { return c.JSONPretty(200, map[string]int{"a": 1}, " ") }),
	hit("jsonp", func(c echo.Context) error { return c.JSONP(200, "f", 1) }),
	hit("xml", func(c echo.Context) error { return c.XML(200, point{1, 2}) }),
	hit("blob of every byte", func(c echo.Context) error {
		b := make([]byte, 256)
		for i := range b {
			b[i] = byte(i)
		}
		return c.Blob(200, "application/octet-stream", b)
	}),
	hit("empty body", func(c echo.Context) error { return c.Blob(200, "text/plain", nil) }),
	hit("no content", func(c echo.Context) error { return c.NoContent(204) }),
	hit("sniffed content type", func(c echo.Context) error {
		_, err := c.Response().Write([]byte("<html><body>who am I"))
		return err
	}),
	hit("content type suppressed", func(c echo.Context) error {
		c.Response().Header()["Content-Type"] = nil
		_, err := c.Response().Write([]byte("<html>"))
		return err
	}),
	hit("sniffed over small writes", func(c echo.Context) error {
		for _, b := range []byte("<html><body>byte by byte") {
			if _, err := c.Response().Write([]byte{b}); err != nil {
				return err
			}
		}
		return nil
	}),
	hit("many writes past the server's buffer", func(c echo.Context) error {
		c.Response().WriteHeader(200)
		for i := range 1000 {
			if _, err := fmt.Fprintf(c.Response(), "line %d\n", i); err != nil {
				return err
			}
		}
		return nil
	}),
	hit("io.Copy", func(c echo.Context) error {
		_, err := io.Copy(c.Response(), strings.NewReader(strings.Repeat("copy ", 5000)))
		return err
	}),
	hit("io.Copy into the writer below Echo's", func(c echo.Context) error {
		_, err := io.Copy(c.Response().Writer, strings.NewReader(strings.Repeat("copy ", 5000)))
		return err
	}),
	hit("io.WriteString", func(c echo.Context) error { _, err := io.WriteString(c.Response(), "s"); return err }),
	hit("net/http handler", echo.WrapHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-A", "1")
		w.WriteHeader(http.StatusNonAuthoritativeInfo)
		fmt.Fprint(w, "wrapped")
	}))),
	hit("stream of a reader", func(c echo.Context) error {
		return c.Stream(200, "text/csv", bytes.NewReader([]byte("a,b\n1,2\n")))
	}),
	hit("reused buffer", func(c echo.Context) error {
		buf := []byte("first ")
		if _, err := c.Response().Write(buf); err != nil {
			return err
		}
		copy(buf, "second")
		_, err := c.Response().Write(buf)
		return err
	}),
	miss("body over the limit", "the body exceeds MaxBodyBytes", func(c echo.Context) error {
		return c.Blob(200, "a/b", bytes.Repeat([]byte("0123456789abcdef"), 5000))
	}),
	miss("body over the limit in pieces", "the body exceeds MaxBodyBytes", func(c echo.Context) error {
		for i := range 3000 {
			if _, err := fmt.Fprintf(c.Response(), "%060d", i); err != nil {
				return err
			}
		}
		return nil
	}),
	miss("no response", "the handler wrote no response", func(c echo.Context) error {
		c.Response().Header().Set("X-A", "set without a response")
		return nil
	}),
}

var fileKinds = []kind{
	hitRoute("file", "GET /f", func(e *echo.Echo, dir string, cache echo.MiddlewareFunc) {
		e.GET("/f", func(c echo.Context) error { return c.File(filepath.Join(dir, "a.txt")) }, cache)
	}),
	hitRoute("attachment", "GET /f", func(e *echo.Echo, dir string, cache echo.MiddlewareFunc) {
		e.GET("/f", func(c echo.Context) error { return c.Attachment(filepath.Join(dir, "a.txt"), `a "b".txt`) }, cache)
	}),
	hitRoute("inline", "GET /f", func(e *echo.Echo, dir string, cache echo.MiddlewareFunc) {
		e.GET("/f", func(c echo.Context) error { return c.Inline(filepath.Join(dir, "page.html"), "p.html") }, cache)
	}),
	hitRoute("static file", "GET /s/a.txt", static),
	hitRoute("static index", "GET /s/sub/", static),
	hitRoute("static redirect to the folder", "GET /s/sub", static),
	func() kind {
		k := missRoute("static file that is not there", "the handler returned an error", static)
		k.request = "GET /s/none"
		return k
	}(),
	func() kind {
		k := missRoute("file over the limit", "the body exceeds MaxBodyBytes", static)
		k.request = "GET /s/big.bin"
		return k
	}(),
	func() kind {
		k := missRoute("file not modified", "the status is 304", static)
		k.request, k.headers = "GET /s/a.txt", []string{"If-Modified-Since", when.Format(http.TimeFormat)}
		return k
	}(),
	{
		name: "range", routes: static, request: "GET /s/a.txt", headers: []string{"Range", "bytes=2-4"},
		first: "BYPASS", second: "BYPASS", reason: "the request asks for a range",
	},
	{
		name: "range if unchanged", routes: static, request: "GET /s/a.txt",
		headers: []string{"Range", "bytes=2-4", "If-Range", when.Format(http.TimeFormat)},
		first:   "BYPASS", second: "BYPASS", reason: "the request asks for a range",
	},
	{
		name: "range that cannot be", routes: static, request: "GET /s/a.txt", headers: []string{"Range", "bytes=200-"},
		first: "BYPASS", second: "BYPASS", reason: "the request asks for a range",
	},
}

func static(e *echo.Echo, dir string, cache echo.MiddlewareFunc) {
	e.Group("/s", cache).StaticFS("/", os.DirFS(dir))
}

type point struct{ X, Y int }

func hitRoute(name, request string, routes func(*echo.Echo, string, echo.MiddlewareFunc)) kind {
	return kind{name: name, request: request, routes: routes, stored: true, first: "MISS", second: "HIT"}
}

func missRoute(name, reason string, routes func(*echo.Echo, string, echo.MiddlewareFunc)) kind {
	return kind{name: name, routes: routes, first: "MISS", second: "MISS", reason: reason}
}

var headerKinds = []kind{
	hit("repeated header fields in order", func(c echo.Context) error {
		h := c.Response().Header()
		for _, v := range []string{"</b>; rel=b", "</a>; rel=a", "</b>; rel=b", ""} {
			h.Add("Link", v)
		}
		return c.NoContent(200)
	}),
	hit("header names in odd case", func(c echo.Context) error {
		c.Response().Header()["x-lower-CASE"] = []string{"1", "2"}
		return c.NoContent(200)
	}),
	hit("header changed after it was written", func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("X-A", "before")
		h.Set("X-C", "before")
		c.Response().WriteHeader(201)
		h.Set("X-A", "after")
		h.Set("X-B", "after")
		h.Del("X-C")
		_, err := c.Response().Write([]byte("body"))
		return err
	}),
	hit("header values edited in place after they were written", func(c echo.Context) error {
		values := []string{"before", "before"}
		c.Response().Header()["X-A"] = values
		c.Response().WriteHeader(200)
		values[0], values[1] = "after", "after"
		return nil
	}),
	hit("header written twice", func(c echo.Context) error {
		c.Response().Writer.WriteHeader(202)
		c.Response().Writer.WriteHeader(500)
		return nil
	}),
	hit("content length", func(c echo.Context) error {
		c.Response().Header().Set("Content-Length", "5")
		return c.String(200, "12345")
	}),
	miss("content length too large", "Content-Length is 9, but the body has 5 bytes", func(c echo.Context) error {
		c.Response().Header().Set("Content-Length", "9")
		return c.String(200, "12345")
	}),
	miss("content length too small", "the handler returned an error", func(c echo.Context) error {
		c.Response().Header().Set("Content-Length", "3")
		return c.String(200, "12345")
	}),
	miss("content length too small for the second write", "Content-Length is 3, but the body is longer", func(c echo.Context) error {
		c.Response().Header().Set("Content-Length", "3")
		_, _ = c.Response().Write([]byte("abc"))
		_, err := c.Response().Write([]byte("def"))
		if !errors.Is(err, http.ErrContentLength) {
			return c.String(500, "no error")
		}
		return nil
	}),
	hit("content length of nonsense", func(c echo.Context) error {
		c.Response().Header().Set("Content-Type", "text/plain")
		return c.NoContent(200)
	}),
	miss("set-cookie", "the response sets a cookie", func(c echo.Context) error {
		c.SetCookie(&http.Cookie{Name: "a", Value: "1"})
		return c.NoContent(200)
	}),
	miss("set-cookie in lower case", "the response sets a cookie", func(c echo.Context) error {
		c.Response().Header()["set-cookie"] = []string{"a=1"}
		return c.NoContent(200)
	}),
	hit("connection header", func(c echo.Context) error {
		c.Response().Header().Set("Connection", "close")
		return c.NoContent(200)
	}),
	miss("no-store", "Cache-Control: no-store", func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "public, No-Store")
		return c.NoContent(200)
	}),
	miss("vary", "Vary: Accept-Language, which the key does not hold", func(c echo.Context) error {
		c.Response().Header().Set("Vary", "accept-language")
		return c.String(200, c.Request().Header.Get("Accept-Language"))
	}),
}

var statusKinds = []kind{
	hit("created", func(c echo.Context) error { return c.JSON(201, 1) }),
	hit("redirect", func(c echo.Context) error { return c.Redirect(302, "/elsewhere?a=b") }),
	hit("permanent redirect", func(c echo.Context) error { return c.Redirect(308, "https://example.com/") }),
	hit("status set without writing it", func(c echo.Context) error {
		c.Response().Status = 202
		_, err := c.Response().Write([]byte("accepted"))
		return err
	}),
	miss("not found written", "the status is 404", func(c echo.Context) error { return c.String(404, "none") }),
	miss("server error written", "the status is 500", func(c echo.Context) error { return c.String(500, "oh") }),
	miss("body with no content", "the handler returned an error", func(c echo.Context) error { return c.String(204, "body") }),
	miss("body with not modified", "the handler returned an error", func(c echo.Context) error { return c.String(304, "body") }),
	miss("partial content written", "the status is 206", func(c echo.Context) error { return c.String(206, "part") }),
	miss("error returned", "the handler returned an error", func(echo.Context) error { return errors.New("plain") }),
	miss("http error returned", "the handler returned an error", func(c echo.Context) error {
		c.Response().Header().Set("X-A", "1")
		return echo.NewHTTPError(418, "short and stout")
	}),
	miss("error after the response", "the handler returned an error", func(c echo.Context) error {
		if err := c.String(200, "half"); err != nil {
			return err
		}
		return errors.New("late")
	}),
	miss("c.Error inside", "the status is 409", func(c echo.Context) error {
		c.Error(echo.NewHTTPError(409, "conflict"))
		return nil
	}),
	miss("panic", "the handler panicked", func(echo.Context) error { panic("oh") }),
	miss("panic after the response", "the handler panicked", func(c echo.Context) error {
		_ = c.String(200, strings.Repeat("half", 3000))
		panic("oh")
	}),
	miss("http.ErrAbortHandler", "the handler panicked", func(c echo.Context) error {
		_ = c.String(200, strings.Repeat("half", 3000))
		panic(http.ErrAbortHandler)
	}),
}

var requestKinds = []kind{
	bypass("post", "the method is POST", "POST /k", func(c echo.Context) error { return c.String(200, "posted") }),
	{
		name: "head", request: "HEAD /k", handler: func(c echo.Context) error { return c.String(200, "body") },
		first: "MISS", second: "MISS", reason: "a HEAD request fills no entry",
	},
	bypass("upgrade", "the request asks for an upgrade", "GET /k", func(c echo.Context) error {
		return c.String(200, c.Request().Header.Get("Upgrade"))
	}, "Connection", "Upgrade", "Upgrade", "something"),
	bypass("authorization", "the request has an Authorization header, and the key has no identity field", "GET /k", func(c echo.Context) error {
		return c.String(200, c.Request().Header.Get("Authorization"))
	}, "Authorization", "Bearer x"),
	bypass("query that does not parse", "the key cannot be built", "GET /k?a=%zz&b=1;c=2", func(c echo.Context) error {
		return c.String(200, c.QueryString()+c.QueryParam("b"))
	}),
	{
		name: "query", request: "GET /k?b=2&a=1&a=%20&c", stored: true, first: "MISS", second: "HIT",
		handler: func(c echo.Context) error { return c.JSON(200, c.QueryParams()) },
	},
	{
		name: "no such route", request: "GET /none", first: "BYPASS", second: "BYPASS",
		reason: "the request has no route: none matches, or the cache stands before the router",
		routes: func(e *echo.Echo, _ string, cache echo.MiddlewareFunc) { e.Use(cache) },
	},
	func() kind {
		k := missRoute("no such method", "the method is not allowed on the route", func(e *echo.Echo, _ string, cache echo.MiddlewareFunc) {
			e.Use(cache)
			e.POST("/p", func(c echo.Context) error { return c.NoContent(200) })
		})
		k.request, k.first, k.second = "GET /p", "BYPASS", "BYPASS"
		return k
	}(),
}
