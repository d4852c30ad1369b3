package echocache_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/restflow-go/restflow/echocache"
)

// A benchWriter answers nobody and is reused.
type benchWriter struct{ h http.Header }

func (w *benchWriter) Header() http.Header         { return w.h }
func (w *benchWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *benchWriter) WriteHeader(int)             {}

func benchEcho(tb testing.TB, mw ...echo.MiddlewareFunc) *echo.Echo {
	tb.Helper()
	e := echo.New()
	body := []byte(strings.Repeat("x", 1024))
	e.GET("/items/:id", func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("X-One", "1")
		h.Set("X-Two", "2")
		return c.Blob(http.StatusOK, "application/json", body)
	}, mw...)
	return e
}

func benchRequest() *http.Request {
	return httptest.NewRequest(http.MethodGet, "/items/42?page=2&sort=name&q=hello", nil)
}

func serveLoop(b *testing.B, e *echo.Echo) {
	b.Helper()
	r, w := benchRequest(), &benchWriter{http.Header{}}
	e.ServeHTTP(w, r)
	b.ReportAllocs()
	for b.Loop() {
		clear(w.h)
		e.ServeHTTP(w, r)
	}
}

func BenchmarkBare(b *testing.B) { serveLoop(b, benchEcho(b)) }

func BenchmarkHitMemory(b *testing.B) {
	cache := echocache.MustNew[echocache.DefaultKey](echocache.Config{Store: memoryStore(b)})
	serveLoop(b, benchEcho(b, cache.Middleware))
}

func BenchmarkHitMemoryTyped(b *testing.B) {
	type key struct {
		ID   int    `restflow:"path,id,partition"`
		Page int    `restflow:"query,page"`
		Sort string `restflow:"query,sort"`
		Q    string `restflow:"query,q"`
	}
	cache := echocache.MustNew[key](echocache.Config{Store: memoryStore(b)})
	serveLoop(b, benchEcho(b, cache.Middleware))
}

func BenchmarkMissMemory(b *testing.B) {
	cache := echocache.MustNew[echocache.DefaultKey](echocache.Config{Store: memoryStore(b)})
	e := benchEcho(b, cache.Middleware)
	r, w := benchRequest(), &benchWriter{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.h)
		if err := cache.InvalidateAll(b.Context()); err != nil {
			b.Fatal(err)
		}
		e.ServeHTTP(w, r)
	}
}
