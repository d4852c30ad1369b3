package echocache_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/internal/redistest"
)

// itemKey names one of its routes' two parameters.
type itemKey struct {
	_    struct{} `restflow:"namespace,Item"`
	ID   int      `restflow:"path,id,partition"`
	Lang string   `restflow:"query,lang,optional"`
}

// desk is an API whose management is under test: what it does to an entry is done
// by handlers of the same path, and told by methods.
type desk struct {
	*echo.Echo
	cache *echocache.Cache[itemKey]
	runs  atomic.Int32
	fail  atomic.Bool

	meta restflow.Metadata // what the last manage saw
	res  *echocache.Response
	key  string
	err  error
}

func newDesk(t *testing.T, cfg echocache.Config) *desk {
	t.Helper()
	d := &desk{Echo: echo.New(), cache: newCache[itemKey](t, cfg)}
	show := func(c echo.Context) error {
		if d.fail.Load() {
			return echo.ErrTeapot
		}
		c.Response().Header().Add("X-Item", c.Param("id"))
		c.Response().Header().Add("X-Item", "two")
		return c.String(http.StatusCreated, fmt.Sprintf("item %s run %d", c.Param("id"), d.runs.Add(1)))
	}
	const path = "/shops/:shop/items/:id"
	d.GET(path, show, d.cache.Middleware)
	d.HEAD(path, func(c echo.Context) error { return d.cache.Refresh(c, show) })
	manage := func(do func(c echo.Context) error) echo.HandlerFunc {
		return func(c echo.Context) error {
			d.err = do(c)
			return c.NoContent(http.StatusNoContent)
		}
	}
	d.POST(path+"/peek", manage(func(echo.Context) error { return nil }))
	d.PUT(path, manage(func(c echo.Context) (err error) {
		d.res, d.meta, err = d.cache.Peek(c)
		return err
	}))
	d.PATCH(path, manage(func(c echo.Context) (err error) {
		d.meta, err = d.cache.Metadata(c)
		return err
	}))
	d.DELETE(path, manage(d.del))
	d.OPTIONS(path, manage(func(c echo.Context) (err error) {
		d.key, err = d.cache.Key(c)
		return err
	}))
	d.Add("REFRESH", path, func(c echo.Context) error {
		r := c.Request().Clone(c.Request().Context())
		r.Method = http.MethodGet
		c.SetRequest(r)
		return d.cache.Refresh(c, show)
	})
	d.TRACE(path, func(c echo.Context) error { return d.cache.Bypass(c, show) })
	return d
}

func (d *desk) del(c echo.Context) error { return d.cache.Delete(c) }

func (d *desk) send(method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}

// line is a response as a line: its status in the cache, and its body.
func line(w *httptest.ResponseRecorder) string {
	return strings.TrimSpace(w.Header().Get("X-Cache-Status") + " " + w.Body.String())
}

const item = "/shops/a/items/7"

// at is where item's response is from.
var at = echocache.At{Route: "/shops/:shop/items/:id", Host: "example.com", Params: map[string]string{"shop": "a"}}

// onBoth runs a test on memory and on Redis.
func onBoth(t *testing.T, test func(t *testing.T, cfg echocache.Config)) {
	t.Run("memory", func(t *testing.T) { test(t, echocache.Config{}) })
	t.Run("redis", func(t *testing.T) {
		s, err := restflow.NewRedis(redistest.Start(t).Client(), restflow.RedisConfig{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		test(t, echocache.Config{Store: s})
	})
}

func TestPeekReturnsTheStoredResponse(t *testing.T) {
	onBoth(t, func(t *testing.T, cfg echocache.Config) {
		d := newDesk(t, cfg)
		d.send("PUT", item)
		require.ErrorIs(t, d.err, restflow.ErrMiss)
		_, _, err := d.cache.PeekAt(t.Context(), itemKey{ID: 7}, at)
		require.ErrorIs(t, err, restflow.ErrMiss)
		require.Zero(t, d.runs.Load())

		before := time.Now().Add(-time.Millisecond)
		require.Equal(t, "MISS item 7 run 1", line(d.send("GET", item)))
		d.send("PUT", item)
		require.NoError(t, d.err)
		require.Equal(t, http.StatusCreated, d.res.Status)
		require.Equal(t, "item 7 run 1", string(d.res.Body))
		require.Equal(t, []string{"7", "two"}, d.res.Header["X-Item"])
		require.Equal(t, restflow.Hit, d.meta.Status)
		require.WithinRange(t, d.meta.CachedAt, before, time.Now())
		require.Equal(t, time.Hour, d.meta.ResetAt.Sub(d.meta.CachedAt))

		res, meta, err := d.cache.PeekAt(t.Context(), itemKey{ID: 7}, at)
		require.NoError(t, err)
		require.Equal(t, d.res, res)
		require.Equal(t, d.meta, meta)
		d.res.Body[0] = 'X' // the caller's own
		d.res.Header["X-Item"][0] = "X"
		require.Equal(t, "HIT item 7 run 1", line(d.send("GET", item)))
		require.Equal(t, "7", d.send("GET", item).Header().Get("X-Item"))
	})
}

func TestMetadataTellsOfTheEntry(t *testing.T) {
	onBoth(t, func(t *testing.T, cfg echocache.Config) {
		d := newDesk(t, cfg)
		d.send("PATCH", item)
		require.ErrorIs(t, d.err, restflow.ErrMiss)
		_, err := d.cache.MetadataAt(t.Context(), itemKey{ID: 7}, at)
		require.ErrorIs(t, err, restflow.ErrMiss)
		d.send("GET", item)
		d.send("PATCH", item)
		require.NoError(t, d.err)
		require.Equal(t, restflow.Hit, d.meta.Status)
		meta, err := d.cache.MetadataAt(t.Context(), itemKey{ID: 7}, at)
		require.NoError(t, err)
		require.Equal(t, d.meta, meta)
	})
}

func TestPeekSaysWhenAnEntryIsStale(t *testing.T) {
	d := newDesk(t, echocache.Config{TTL: time.Millisecond, StaleIfError: time.Hour})
	d.send("GET", item)
	require.Eventually(t, func() bool {
		d.send("PUT", item)
		return d.err == nil && d.meta.Status == restflow.Stale
	}, 10*time.Second, time.Millisecond)
	require.Equal(t, "item 7 run 1", string(d.res.Body))
}

func TestDeleteRemovesOneResponse(t *testing.T) {
	onBoth(t, func(t *testing.T, cfg echocache.Config) {
		d := newDesk(t, cfg)
		german := item + "?lang=de"
		fill := func() {
			for _, target := range []string{item, german, "/shops/b/items/7"} {
				d.send("GET", target)
				require.Equal(t, "HIT", d.send("GET", target).Header().Get("X-Cache-Status"))
			}
		}
		fill()
		d.send("DELETE", item)
		require.NoError(t, d.err)
		require.Equal(t, "MISS", d.send("GET", item).Header().Get("X-Cache-Status"))
		require.Equal(t, "HIT", d.send("GET", german).Header().Get("X-Cache-Status"))

		require.NoError(t, d.cache.DeleteAt(t.Context(), itemKey{ID: 7, Lang: "de"}, at))
		require.NoError(t, d.cache.DeleteAt(t.Context(), itemKey{ID: 7, Lang: "de"}, at), "nothing there is no error")
		require.Equal(t, "MISS", d.send("GET", german).Header().Get("X-Cache-Status"))
		require.Equal(t, "HIT", d.send("GET", item).Header().Get("X-Cache-Status"))
		require.Equal(t, "HIT", d.send("GET", "/shops/b/items/7").Header().Get("X-Cache-Status"))
	})
}

func TestRefreshAnswersAndStores(t *testing.T) {
	onBoth(t, func(t *testing.T, cfg echocache.Config) {
		d := newDesk(t, cfg)
		require.Equal(t, "MISS item 7 run 1", line(d.send("GET", item)))
		w := d.send("REFRESH", item)
		require.Equal(t, "REFRESH item 7 run 2", line(w))
		require.Equal(t, http.StatusCreated, w.Code)
		require.NotEmpty(t, w.Header().Get("X-Cached-At"))
		require.Equal(t, "HIT item 7 run 2", line(d.send("GET", item)))

		d.fail.Store(true)
		w = d.send("REFRESH", item)
		require.Equal(t, http.StatusTeapot, w.Code)
		require.Equal(t, "REFRESH", w.Header().Get("X-Cache-Status"))
		require.Empty(t, w.Header().Get("X-Cached-At"))
		d.fail.Store(false)
		require.Equal(t, "HIT item 7 run 2", line(d.send("GET", item)), "a refresh that fails leaves the entry")
	})
}

// The answer to HEAD may lack the body that GET's entry needs.
func TestRefreshByHeadStoresNothing(t *testing.T) {
	d := newDesk(t, echocache.Config{})
	d.send("GET", item)
	require.Equal(t, "BYPASS", d.send("HEAD", item).Header().Get("X-Cache-Status"))
	require.Equal(t, "HIT item 7 run 1", line(d.send("GET", item)))
}

func TestBypassOnlyRunsTheHandler(t *testing.T) {
	onBoth(t, func(t *testing.T, cfg echocache.Config) {
		d := newDesk(t, cfg)
		require.Equal(t, "BYPASS item 7 run 1", line(d.send("TRACE", item)))
		require.Equal(t, "MISS item 7 run 2", line(d.send("GET", item)))
		require.Equal(t, "BYPASS item 7 run 3", line(d.send("TRACE", item)))
		require.Equal(t, "HIT item 7 run 2", line(d.send("GET", item)))
	})
}

func TestKeysOfRequestsAndOfPlacesAgree(t *testing.T) {
	log := &eventLog{}
	d := newDesk(t, echocache.Config{OnEvent: log.add})
	d.send("GET", item+"?lang=de")
	d.send("OPTIONS", item+"?lang=de")
	require.NoError(t, d.err)
	require.Equal(t, `rf1|Item|v1|path:id=1:7|query:lang=2:de|3:GET22:/shops/:shop/items/:id11:example.com4:shop1:a`, d.key)
	require.Equal(t, d.key, log.one(t).Key, "as events show it")
	key, err := d.cache.KeyAt(itemKey{ID: 7, Lang: "de"}, at)
	require.NoError(t, err)
	require.Equal(t, d.key, key)
}

// A hash, and what a client writes, may have any bytes.
func TestEventsShowKeysAsKeyDoes(t *testing.T) {
	log := &eventLog{}
	cache := newCache[echocache.DefaultKey](t, echocache.Config{OnEvent: log.add})
	e := newEcho()
	var key string
	e.GET("/:id", func(c echo.Context) (err error) {
		key, err = cache.Key(c)
		return err
	}, cache.Middleware)
	for _, target := range []string{"/a?q=1", "/%22%5C%0A", "/%C3%A9%FF", "/~%7F"} {
		get(e, target)
		require.NotEmpty(t, key)
		require.Equal(t, key, log.one(t).Key)
	}
}

func TestManagingARequestWithoutAKey(t *testing.T) {
	d := newDesk(t, echocache.Config{})
	for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS"} {
		d.err = nil
		d.send(method, "/shops/a/items/seven")
		require.ErrorContains(t, d.err, `id`, method)
		require.NotErrorIs(t, d.err, restflow.ErrMiss, method)
	}
}

func TestManagingWhenTheStoreIsDown(t *testing.T) {
	server := redistest.Start(t)
	s, err := restflow.NewRedis(server.Client(), restflow.RedisConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	d := newDesk(t, echocache.Config{Store: s})
	server.Kill()
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		d.err = nil
		d.send(method, item)
		require.ErrorContains(t, d.err, "restflow: redis: ", method)
		require.NotErrorIs(t, d.err, restflow.ErrMiss, method)
	}
	require.Equal(t, "BYPASS item 7 run 1", line(d.send("REFRESH", item)))
}

func TestSetHeadersTellsOfAFunction(t *testing.T) {
	store := memoryStore(t)
	doubles, err := restflow.NewFunc(restflow.FuncConfig[int]{Store: store}, doubled)
	require.NoError(t, err)
	e := echo.New()
	e.GET("/", func(c echo.Context) error {
		n, meta, err := doubles.CallWithMetadata(c.Request().Context(), 21)
		if err != nil {
			return err
		}
		echocache.SetHeaders(c, meta)
		return c.JSON(http.StatusOK, n)
	})
	require.Equal(t, "MISS 42", line(get(e, "/")))
	w := get(e, "/")
	require.Equal(t, "HIT 42", line(w))
	cachedAt, err := time.Parse(time.RFC3339, w.Header().Get("X-Cached-At"))
	require.NoError(t, err)
	resetAt, err := time.Parse(time.RFC3339, w.Header().Get("X-Cache-Reset-At"))
	require.NoError(t, err)
	require.Equal(t, time.Hour, resetAt.Sub(cachedAt))
}

func TestTheSweepIsThereForResponses(t *testing.T) {
	type second struct {
		_  struct{} `restflow:"namespace,Item"`
		_  struct{} `restflow:"version,2"`
		ID int      `restflow:"path,id,partition"`
	}
	store := memoryStore(t)
	d := newDesk(t, echocache.Config{Store: store})
	for id := range 10 {
		d.send("GET", fmt.Sprintf("/shops/a/items/%d", id))
	}
	later := newCache[second](t, echocache.Config{Store: store})
	sw, err := later.DeletePreviousVersions(t.Context(), restflow.SweepConfig{})
	require.NoError(t, err)
	require.Equal(t, 10, sw.Deleted)
	require.Equal(t, "MISS", d.send("GET", item).Header().Get("X-Cache-Status"))
}

func doubled(_ context.Context, n int) (int, error) { return 2 * n, nil }
