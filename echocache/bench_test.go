package echocache_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/internal/redistest"
)

// A benchWriter answers nobody and is reused.
type benchWriter struct{ h http.Header }

func (w *benchWriter) Header() http.Header         { return w.h }
func (w *benchWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *benchWriter) WriteHeader(int)             {}

var (
	benchBody   = []byte(strings.Repeat("x", 1024))
	benchFields = map[string][]string{"Content-Type": {"application/json"}, "X-One": {"1"}, "X-Two": {"2"}}
)

// benchEcho is a server whose handler writes prebuilt bytes and header fields.
func benchEcho(tb testing.TB, mw ...echo.MiddlewareFunc) *echo.Echo {
	tb.Helper()
	e := echo.New()
	e.GET("/items/:id", func(c echo.Context) error {
		maps.Copy(c.Response().Header(), benchFields)
		c.Response().WriteHeader(http.StatusOK)
		_, err := c.Response().Write(benchBody)
		return err
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

// BenchmarkBlob is the handler as one writes it, the measure of the time budget;
// BenchmarkBare shares its header fields with all its answers, which a cache must not.
func BenchmarkBlob(b *testing.B) {
	e := echo.New()
	e.GET("/items/:id", func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("X-One", "1")
		h.Set("X-Two", "2")
		return c.Blob(http.StatusOK, "application/json", benchBody)
	})
	serveLoop(b, e)
}

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

func redisStore(tb testing.TB) *restflow.Store {
	tb.Helper()
	s, err := restflow.NewRedis(redistest.Start(tb).Client(), restflow.RedisConfig{})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

func BenchmarkHitRedis(b *testing.B) {
	cache := echocache.MustNew[echocache.DefaultKey](echocache.Config{Store: redisStore(b)})
	serveLoop(b, benchEcho(b, cache.Middleware))
}

func BenchmarkMissRedis(b *testing.B) {
	cache := echocache.MustNew[echocache.DefaultKey](echocache.Config{Store: redisStore(b)})
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

func BenchmarkBypass(b *testing.B) {
	cache := echocache.MustNew[echocache.DefaultKey](echocache.Config{Store: memoryStore(b)})
	e := benchEcho(b, cache.Middleware)
	r, w := benchRequest(), &benchWriter{http.Header{}}
	r.Header.Set("Authorization", "Bearer x")
	b.ReportAllocs()
	for b.Loop() {
		clear(w.h)
		e.ServeHTTP(w, r)
	}
}

// allocations counts those of one request, once the caches are warm.
func allocations(e *echo.Echo, r *http.Request) float64 {
	w := &benchWriter{http.Header{}}
	serve := func() {
		clear(w.h)
		e.ServeHTTP(w, r)
	}
	for range 3 {
		serve()
	}
	return testing.AllocsPerRun(200, serve)
}

// A hit in memory may allocate twice more than a handler that writes the
// same prebuilt bytes and fields, and no more for what the config adds without
// writing headers.
func TestHitAllocatesLittle(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools forget")
	}
	type typedKey struct {
		ID   int    `restflow:"path,id,partition"`
		Page int    `restflow:"query,page"`
		Sort string `restflow:"query,sort"`
		Q    string `restflow:"query,q"`
	}
	inner := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error { return next(c) }
	}
	bare := allocations(benchEcho(t), benchRequest())
	middleware := func(cfg echocache.Config) map[string]echo.MiddlewareFunc {
		cfg.Store = memoryStore(t)
		return map[string]echo.MiddlewareFunc{
			"default key": echocache.MustNew[echocache.DefaultKey](cfg).Middleware,
			"typed key":   echocache.MustNew[typedKey](cfg).Middleware,
		}
	}
	for name, cfg := range map[string]echocache.Config{
		"plain":       {},
		"all at once": {ETag: true, Shared: true, IgnoreHost: true, Jitter: .1, CacheIf: yes, IgnoreCookies: []string{"a*"}, StaleIfError: time.Second, StaleWhileRevalidate: time.Second},
	} {
		for key, m := range middleware(cfg) {
			hit := allocations(benchEcho(t, m), benchRequest())
			require.LessOrEqual(t, hit, bare+2, "%s, %s", name, key)
			hit = allocations(benchEcho(t, m, inner), benchRequest()) // which makes a new handler for each request
			require.LessOrEqual(t, hit, bare+3, "%s, %s, with another middleware inside", name, key)
		}
	}
}
