package echocache_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

// An entry says what the handler did to the fields of outer middleware. One that a
// background run has made must say the same.
func TestBackgroundRunsSeeTheFieldsOfOuterMiddleware(t *testing.T) {
	type key struct {
		Region string `restflow:"header,X-Region"`
	}
	synctest.Test(t, func(t *testing.T) {
		store, err := restflow.NewMemory(restflow.MemoryConfig{})
		require.NoError(t, err)
		defer store.Close()
		cache := newCache[key](t, echocache.Config{Store: store, TTL: 10 * time.Second, StaleWhileRevalidate: time.Hour})
		e := newEcho()
		e.Use(middleware.Gzip(), middleware.Secure())
		e.GET("/", func(c echo.Context) error {
			c.Response().Header().Add("Vary", "X-Region")
			c.Response().Header().Del("X-Frame-Options") // it may be embedded
			return c.String(http.StatusOK, "hello")
		}, cache.Middleware)
		for _, want := range []string{"MISS", "STALE", "HIT"} {
			w := get(e, "/", "Accept-Encoding", "gzip")
			require.Equal(t, want, status(w))
			require.Equal(t, "gzip", w.Header().Get("Content-Encoding"), want)
			require.Equal(t, []string{"Accept-Encoding", "X-Region"}, w.Header()["Vary"], want)
			require.Empty(t, w.Header()["X-Frame-Options"], want)
			if want == "MISS" {
				time.Sleep(11 * time.Second)
			}
			synctest.Wait()
		}
	})
}

// A 304 for one client is no answer to store.
func TestBackgroundRunsAreUnconditional(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := time.Now()
		e, _, end := staleEcho(t, echocache.Config{StaleWhileRevalidate: time.Hour}, func(c echo.Context) error {
			http.ServeContent(c.Response(), c.Request(), "a.txt", made, strings.NewReader("hello"))
			return nil
		})
		defer end()
		get(e, "/a")
		time.Sleep(11 * time.Second)
		headers := []string{
			"If-Modified-Since", time.Now().UTC().Format(http.TimeFormat), "If-None-Match", "*",
			"If-Match", `"x"`, "If-Unmodified-Since", made.Add(-time.Hour).UTC().Format(http.TimeFormat), "If-Range", `"x"`,
		}
		require.Equal(t, "STALE", status(get(e, "/a", headers...)))
		synctest.Wait()
		require.Equal(t, "HIT", status(get(e, "/a", headers...)))
	})
}

func TestBackgroundRunsHaveNobodysCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []bool
		e, _, end := staleEcho(t, echocache.Config{StaleWhileRevalidate: time.Hour, Shared: true}, func(c echo.Context) error {
			r := c.Request()
			require.True(t, c.IsTLS())
			seen = append(seen, r.Header.Get("Authorization") != "", r.Header.Get("Cookie") != "",
				len(r.TLS.PeerCertificates)+len(r.TLS.VerifiedChains) > 0)
			return c.NoContent(http.StatusOK)
		})
		defer end()
		ask := func() *tls.ConnectionState {
			r := httptest.NewRequest(http.MethodGet, "https://example.com/a", nil)
			r.Header.Set("Authorization", "a")
			r.Header.Set("Cookie", "a=b")
			r.TLS.PeerCertificates, r.TLS.VerifiedChains = []*x509.Certificate{{}}, [][]*x509.Certificate{{{}}}
			e.ServeHTTP(httptest.NewRecorder(), r)
			synctest.Wait()
			return r.TLS
		}
		ask()
		time.Sleep(11 * time.Second)
		state := ask()
		require.Equal(t, []bool{true, true, true, false, false, false}, seen)
		require.NotEmpty(t, state.PeerCertificates, "the request keeps its own")
	})
}

// answerAndRun returns the events of an answer and of the background run that it
// began. Either may come first.
func answerAndRun(t *testing.T, log *eventLog) (answer, run restflow.Event) {
	t.Helper()
	events := log.take()
	require.Len(t, events, 2)
	if events[0].Background {
		slices.Reverse(events)
	}
	require.False(t, events[0].Background)
	require.True(t, events[1].Background)
	return events[0], events[1]
}

// Nobody is there to recover a panic: it is logged, and told of once.
func TestBackgroundPanicIsLoggedOnceARoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log, fine := &eventLog{}, true
		e, _, end := staleEcho(t, echocache.Config{
			StaleWhileRevalidate: time.Hour, OnEvent: log.add, Logger: slog.New(slog.NewTextHandler(&out, nil)),
		}, func(c echo.Context) error {
			if !fine {
				panic("boom")
			}
			return c.NoContent(http.StatusOK)
		})
		defer end()
		get(e, "/a")
		fine = false
		time.Sleep(11 * time.Second)
		log.take()
		for range 2 {
			require.Equal(t, "STALE", status(get(e, "/a")))
			synctest.Wait()
			answer, run := answerAndRun(t, log)
			require.Equal(t, restflow.Stale, answer.Status)
			require.Equal(t, restflow.Refresh, run.Status)
			require.Equal(t, "the handler panicked", run.Reason)
			require.ErrorContains(t, run.Err, "boom")
		}
		require.Equal(t, 1, strings.Count(out.String(), "level=ERROR"), out.String())
		require.Contains(t, out.String(), "route=/:id")
		require.Contains(t, out.String(), "boom")
		require.Contains(t, out.String(), "background_test.go", "the stack")
	})
}

// Nobody is there to recover the panic of a hook either: the process would end.
func TestBackgroundPanicOfOnEventIsLoggedOnceARoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		var runs atomic.Int32
		e, _, end := staleEcho(t, echocache.Config{
			StaleWhileRevalidate: time.Hour, Logger: slog.New(slog.NewTextHandler(&out, nil)),
			OnEvent: func(_ context.Context, ev restflow.Event) {
				if ev.Background {
					panic("boom")
				}
			},
		}, counting(&runs))
		defer end()
		get(e, "/a")
		for range 2 {
			time.Sleep(11 * time.Second)
			require.Equal(t, "STALE", status(get(e, "/a")))
			synctest.Wait()
			require.Equal(t, "HIT", status(get(e, "/a")))
		}
		require.Equal(t, 1, strings.Count(out.String(), "level=ERROR"), out.String())
		require.Contains(t, out.String(), "OnEvent panicked in the background")
		require.Contains(t, out.String(), "background_test.go", "the stack")
	})
}

func TestBackgroundEventsSayThatTheyAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &eventLog{}
		e, _, end := staleEcho(t, echocache.Config{StaleWhileRevalidate: time.Hour, OnEvent: log.add}, func(c echo.Context) error {
			return c.NoContent(http.StatusOK)
		})
		defer end()
		get(e, "/a")
		require.False(t, log.one(t).Background)
		time.Sleep(11 * time.Second)
		get(e, "/a")
		synctest.Wait()
		answer, run := answerAndRun(t, log)
		require.Equal(t, restflow.Stale, answer.Status)
		require.Equal(t, restflow.Refresh, run.Status)
		require.True(t, run.Stored)
	})
}
