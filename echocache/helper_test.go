package echocache_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

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

// eventLog collects the events of a cache.
type eventLog struct {
	mu     sync.Mutex
	events []restflow.Event
}

func (l *eventLog) add(_ context.Context, ev restflow.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, ev)
}

// take returns the events since the last call.
func (l *eventLog) take() []restflow.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	events := l.events
	l.events = nil
	return events
}

// one returns the only event since the last call. A real client may have its
// answer before the event is told.
func (l *eventLog) one(t testing.TB) restflow.Event {
	t.Helper()
	var events []restflow.Event
	require.Eventually(t, func() bool {
		events = append(events, l.take()...)
		return len(events) > 0
	}, 10*time.Second, time.Millisecond)
	require.Len(t, events, 1)
	return events[0]
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

// serve starts a real server that logs nothing.
func serve(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// serve2 starts a real server that speaks HTTP/2.
func serve2(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// client follows no redirect, adds no header and keeps no connection.
var client = &http.Client{
	Transport: &http.Transport{
		DisableCompression: true, DisableKeepAlives: true,
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // of tests
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// reply is a response that was read to its end.
type reply struct {
	Proto, Status string
	Header        http.Header
	Trailer       http.Header
	ContentLength int64
	Transfer      []string
	Body          string
	Broken        bool // the body ended early, or there was no response at all
}

// cache returns the cache status.
func (r reply) cache() string { return r.Header.Get("X-Cache-Status") }

// fetch sends a request to a real server.
func fetch(t testing.TB, method, url string, headers ...string) reply {
	t.Helper()
	return fetchBody(t, method, url, "", headers...)
}

func fetchBody(t testing.TB, method, url, body string, headers ...string) reply {
	t.Helper()
	var from io.Reader
	if body != "" {
		from = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, from)
	require.NoError(t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	res, err := client.Do(r)
	if err != nil {
		return reply{Broken: true}
	}
	defer res.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(res.Body)
	return reply{
		Proto: res.Proto, Status: res.Status, Header: res.Header, Trailer: res.Trailer,
		ContentLength: res.ContentLength, Transfer: res.TransferEncoding,
		Body: b.String(), Broken: err != nil,
	}
}

// counter is a handler that tells how often it ran.
func counter(runs *int) echo.HandlerFunc {
	return func(c echo.Context) error {
		*runs++
		return c.String(http.StatusOK, strings.Repeat("x", *runs))
	}
}
