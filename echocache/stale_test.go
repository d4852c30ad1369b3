package echocache_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

// staleEcho serves a counter through a cache with a TTL of 10 seconds.
func staleEcho(t *testing.T, cfg echocache.Config, handler echo.HandlerFunc) (*echo.Echo, *echocache.Cache[echocache.DefaultKey], func()) {
	store, err := restflow.NewMemory(restflow.MemoryConfig{})
	require.NoError(t, err)
	cfg.Store, cfg.TTL = store, 10*time.Second
	cache := newCache[echocache.DefaultKey](t, cfg)
	e := newEcho()
	e.GET("/:id", handler, cache.Middleware)
	return e, cache, func() { require.NoError(t, store.Close()) }
}

func counting(runs *atomic.Int32) echo.HandlerFunc {
	return func(c echo.Context) error {
		return c.String(http.StatusOK, fmt.Sprintf("%s %d", c.Param("id"), runs.Add(1)))
	}
}

func TestStaleWhileRevalidateEndsToTheMillisecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		e, _, end := staleEcho(t, echocache.Config{StaleWhileRevalidate: 5 * time.Second}, counting(&runs))
		defer end()
		require.Equal(t, "MISS", status(get(e, "/a")))
		time.Sleep(10*time.Second - time.Millisecond)
		require.Equal(t, "HIT", status(get(e, "/a")))
		time.Sleep(time.Millisecond)
		w := get(e, "/a")
		require.Equal(t, "STALE", status(w))
		require.Equal(t, "a 1", w.Body.String())
		require.Equal(t, "10", w.Header().Get("Age"))
		synctest.Wait()
		w = get(e, "/a")
		require.Equal(t, "HIT", status(w), "the background run has filled it")
		require.Equal(t, "a 2", w.Body.String())

		time.Sleep(15*time.Second - time.Millisecond)
		require.Equal(t, "STALE", status(get(e, "/a")))
		synctest.Wait()
		time.Sleep(15 * time.Second)
		require.Equal(t, "MISS", status(get(e, "/a")))
	})
}

func TestStaleEntriesDieWithTheirEpochs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		e, cache, end := staleEcho(t, echocache.Config{StaleWhileRevalidate: time.Hour, StaleIfError: time.Hour}, counting(&runs))
		defer end()
		get(e, "/a")
		time.Sleep(11 * time.Second)
		require.NoError(t, cache.InvalidateAll(t.Context()))
		w := get(e, "/a")
		require.Equal(t, "MISS", status(w))
		require.Equal(t, "a 2", w.Body.String())
	})
}

// A background refresh that began before an invalidation must not be served after
// it (T1 with a background run).
func TestBackgroundRefreshLosesToInvalidation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		gate := make(chan struct{})
		e, cache, end := staleEcho(t, echocache.Config{StaleWhileRevalidate: time.Hour}, func(c echo.Context) error {
			n := runs.Add(1)
			if n == 2 {
				<-gate
			}
			return c.String(http.StatusOK, fmt.Sprint(n))
		})
		defer end()
		get(e, "/a")
		time.Sleep(11 * time.Second)
		require.Equal(t, "STALE", status(get(e, "/a")))
		synctest.Wait() // the second run is at the gate
		require.Equal(t, "STALE", status(get(e, "/a")), "one background run is enough")
		require.NoError(t, cache.InvalidateAll(t.Context()))
		close(gate)
		synctest.Wait()
		w := get(e, "/a")
		require.Equal(t, "MISS", status(w))
		require.Equal(t, "3", w.Body.String())
	})
}

func TestStaleIfError(t *testing.T) {
	for name, fail := range map[string]echo.HandlerFunc{
		"returned error": func(echo.Context) error { return errors.New("down") },
		"HTTP error 503": func(echo.Context) error { return echo.NewHTTPError(http.StatusServiceUnavailable) },
		"written 500":    func(c echo.Context) error { return c.String(http.StatusInternalServerError, "down") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var down atomic.Bool
				e, _, end := staleEcho(t, echocache.Config{StaleIfError: time.Minute}, func(c echo.Context) error {
					if down.Load() {
						return fail(c)
					}
					return c.String(http.StatusOK, "fine")
				})
				defer end()
				get(e, "/a")
				down.Store(true)
				time.Sleep(70*time.Second - time.Millisecond)
				w := get(e, "/a")
				require.Equal(t, http.StatusOK, w.Code)
				require.Equal(t, "fine", w.Body.String())
				require.Equal(t, "STALE", status(w))
				time.Sleep(time.Millisecond)
				require.GreaterOrEqual(t, get(e, "/a").Code, 500)
			})
		})
	}
}

// Those who waited for a run that failed run the handler themselves, which fails as well.
func TestStaleIfErrorIsForThoseWhoWaitedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		e, _, end := staleEcho(t, echocache.Config{StaleIfError: time.Minute}, func(c echo.Context) error {
			time.Sleep(time.Second)
			if down.Load() {
				return errors.New("down")
			}
			return c.String(http.StatusOK, "fine")
		})
		defer end()
		get(e, "/a")
		down.Store(true)
		time.Sleep(11 * time.Second)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				w := get(e, "/a")
				assert.Equal(t, http.StatusOK, w.Code)
				assert.Equal(t, "STALE", status(w))
				assert.Equal(t, "fine", w.Body.String())
			})
		}
		all.Wait()
	})
}

// Nobody else hears of the error that an entry stands in for.
func TestStaleIfErrorTellsTheError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, down := &eventLog{}, false
		e, _, end := staleEcho(t, echocache.Config{StaleIfError: time.Minute, OnEvent: log.add}, func(c echo.Context) error {
			if down {
				return errors.New("down")
			}
			return c.String(http.StatusOK, "fine")
		})
		defer end()
		get(e, "/a")
		require.NoError(t, log.one(t).Err)
		down = true
		time.Sleep(11 * time.Second)
		require.Equal(t, "STALE", status(get(e, "/a")))
		ev := log.one(t)
		require.Equal(t, "the handler failed", ev.Reason)
		require.EqualError(t, ev.Err, "down")
		down = false
		require.Equal(t, "MISS", status(get(e, "/a")))
		require.NoError(t, log.one(t).Err)
	})
}

// The window and Age are about the time of the answer, which a slow failure delays.
func TestStaleIfErrorGoesByTheTimeOfTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		e, _, end := staleEcho(t, echocache.Config{StaleIfError: time.Minute}, func(c echo.Context) error {
			if down.Load() {
				time.Sleep(40 * time.Second)
				return errors.New("down")
			}
			return c.String(http.StatusOK, "fine")
		})
		defer end()
		get(e, "/a")
		down.Store(true)
		time.Sleep(11 * time.Second)
		w := get(e, "/a")
		require.Equal(t, "STALE", status(w))
		require.Equal(t, "51", w.Header().Get("Age"))
		require.Equal(t, http.StatusInternalServerError, get(e, "/a").Code, "it has ended after 70 seconds")
	})
}

func TestStaleIfErrorIsNotForClientErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gone atomic.Bool
		e, _, end := staleEcho(t, echocache.Config{StaleIfError: time.Minute}, func(c echo.Context) error {
			if gone.Load() {
				return echo.ErrNotFound
			}
			return c.String(http.StatusOK, "here")
		})
		defer end()
		get(e, "/a")
		gone.Store(true)
		time.Sleep(11 * time.Second)
		require.Equal(t, http.StatusNotFound, get(e, "/a").Code)
	})
}

func TestMustRevalidateIsNeverStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _, end := staleEcho(t, echocache.Config{StaleWhileRevalidate: time.Hour}, func(c echo.Context) error {
			c.Response().Header().Set("Cache-Control", "max-age=5, must-revalidate")
			return c.NoContent(http.StatusOK)
		})
		defer end()
		get(e, "/a")
		time.Sleep(5*time.Second - time.Millisecond)
		require.Equal(t, "HIT", status(get(e, "/a")))
		time.Sleep(time.Millisecond)
		require.Equal(t, "MISS", status(get(e, "/a")))
	})
}

func TestEarlyRefreshKeepsAPopularEntryFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		e, _, end := staleEcho(t, echocache.Config{EarlyRefresh: 1}, func(c echo.Context) error {
			time.Sleep(200 * time.Millisecond) // what it takes to make
			return c.String(http.StatusOK, fmt.Sprint(runs.Add(1)))
		})
		defer end()
		get(e, "/a")
		for range 4000 { // 40 seconds, four lives of an entry
			time.Sleep(10 * time.Millisecond)
			require.Equal(t, "HIT", status(get(e, "/a")))
		}
		synctest.Wait()
		require.Greater(t, runs.Load(), int32(3))
		require.Less(t, runs.Load(), int32(12), "not much oftener than needed")
	})
}

// A stale entry stands in where Echo would answer with a 5xx.
func TestStaleIfErrorGoesByWhatEchoAnswers(t *testing.T) {
	for name, err := range map[string]error{
		"a wrapped error of HTTP":      fmt.Errorf("no: %w", echo.ErrNotFound),
		"an inner error is answered":   echo.NewHTTPError(http.StatusInternalServerError).SetInternal(echo.ErrNotFound),
		"an inner error of the server": echo.NewHTTPError(http.StatusNotFound).SetInternal(echo.ErrBadGateway),
		"an inner error of no status":  echo.NewHTTPError(http.StatusNotFound).SetInternal(errors.New("no row")),
	} {
		synctest.Test(t, func(t *testing.T) {
			fine := true
			handler := func(c echo.Context) error {
				if !fine {
					return err
				}
				return c.NoContent(http.StatusOK)
			}
			e, _, end := staleEcho(t, echocache.Config{StaleIfError: time.Minute}, handler)
			defer end()
			bare := newEcho()
			bare.GET("/:id", handler)
			get(e, "/a")
			fine = false
			time.Sleep(11 * time.Second)
			if code := get(bare, "/a").Code; code < 500 {
				require.Equal(t, code, get(e, "/a").Code, name)
				return
			}
			w := get(e, "/a")
			require.Equal(t, http.StatusOK, w.Code, name)
			require.Equal(t, "STALE", status(w))
		})
	}
}

// What a handler that failed had registered is no business of the entry that
// stands in for it.
func TestStaleStandInRunsNoHooksOfTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fine, after := true, 0
		e, _, end := staleEcho(t, echocache.Config{StaleIfError: time.Minute}, func(c echo.Context) error {
			c.Response().Before(func() { c.Response().Header().Set("X-Fine", fmt.Sprint(fine)) })
			c.Response().After(func() { after++ })
			if !fine {
				return errors.New("down")
			}
			return c.String(http.StatusOK, "fine")
		})
		defer end()
		get(e, "/a")
		fine, after = false, 0
		time.Sleep(11 * time.Second)
		w := get(e, "/a")
		require.Equal(t, "STALE", status(w))
		require.Equal(t, []string{"true"}, w.Header()["X-Fine"])
		require.Zero(t, after)
	})
}
