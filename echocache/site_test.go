package echocache_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

// memoryStore returns a store that ends with the test.
func memoryStore(tb testing.TB) *restflow.Store {
	tb.Helper()
	s, err := restflow.NewMemory(restflow.MemoryConfig{EpochSlots: 1 << 10}) // drawing more takes milliseconds
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

// newCache returns a cache that tells its status in the headers.
func newCache[K any](t testing.TB, cfg echocache.Config) *echocache.Cache[K] {
	t.Helper()
	if cfg.Store == nil {
		cfg.Store = memoryStore(t)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.SetCacheHeaders = true
	cache, err := echocache.New[K](cfg)
	require.NoError(t, err)
	return cache
}

// defaultCache is a cache over DefaultKey whose events go to the log that comes
// with it.
func defaultCache(t testing.TB, cfg echocache.Config) (*echocache.Cache[echocache.DefaultKey], *eventLog) {
	t.Helper()
	log := &eventLog{}
	cfg.OnEvent = log.add
	return newCache[echocache.DefaultKey](t, cfg), log
}

// newEcho returns an Echo that is silent about what the tests do to it.
func newEcho() *echo.Echo {
	e := echo.New()
	e.Logger.SetOutput(io.Discard)
	return e
}

// do serves one request in memory. Headers are names and values in turn.
func do(h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func get(h http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	return do(h, http.MethodGet, target, headers...)
}

func status(w *httptest.ResponseRecorder) string { return w.Header().Get("X-Cache-Status") }

// counter is a handler that tells how often it ran.
func counter(runs *int) echo.HandlerFunc {
	return func(c echo.Context) error {
		*runs++
		return c.String(http.StatusOK, strings.Repeat("x", *runs))
	}
}
