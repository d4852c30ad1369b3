package echocache_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/internal/redistest"
	"github.com/restflow-go/restflow/signals"
)

// Page is a row whose content is how often it was committed.
type Page struct {
	ID   int
	Text string
}

type pageKey struct {
	_  struct{} `restflow:"namespace,Page"`
	ID int      `restflow:"path,id,partition"`
}

// book serves pages through a cache with a soft rule, and another with a hard one.
type book struct {
	*echo.Echo
	cache *echocache.Cache[pageKey]
	t     *testing.T
	bus   *signals.Bus
	hard  *signals.Bus

	version, runs atomic.Int64
	gate          chan struct{}            // holds the handler up, unless nil
	reply         func(echo.Context) error // in place of the usual one, unless nil
	header        func(h http.Header)      // what the handler adds, unless nil
}

const softFor = 5 * time.Second

func newBook(t *testing.T, cfg echocache.Config) *book {
	t.Helper()
	b := &book{t: t, bus: signals.NewBus(signals.BusConfig{}), hard: signals.NewBus(signals.BusConfig{})}
	cfg.InvalidatesOn = []signals.Rule{{Model: Page{}, Map: map[string]string{"id": "ID"}, Soft: softFor}}
	cfg.Bus, cfg.CacheStatusHeader = b.bus, true
	b.cache = newCache[pageKey](t, cfg)
	require.NoError(t, b.hard.Bind(b.cache.Target(), signals.Rule{Model: Page{}, Map: map[string]string{"id": "ID"}}))
	b.Echo = newEcho()
	b.version.Store(1)
	b.Match([]string{http.MethodGet, http.MethodHead}, "/:id", func(c echo.Context) error {
		version := b.version.Load()
		b.runs.Add(1)
		if b.gate != nil {
			<-b.gate
		}
		if b.reply != nil {
			return b.reply(c)
		}
		if b.header != nil {
			b.header(c.Response().Header())
		}
		return c.String(http.StatusOK, fmt.Sprintf("%s v%d", c.Param("id"), version))
	}, b.cache.Middleware)
	return b
}

// commit changes page 1.
func (b *book) commit(bus *signals.Bus) {
	b.t.Helper()
	b.version.Add(1)
	require.NoError(b.t, bus.Publish(context.Background(), signals.Change{Op: signals.Update, New: &Page{ID: 1}, Fields: []string{"Text"}}))
}

func (b *book) want(cacheStatus, body string, headers ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	w := get(b, "/1", headers...)
	require.Equal(b.t, cacheStatus+" "+body, status(w)+" "+w.Body.String())
	return w
}

// inBubble plays with a book in a bubble, where time passes when all wait.
func inBubble(t *testing.T, cfg echocache.Config, play func(t *testing.T, b *book)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store, err := restflow.NewMemory(restflow.MemoryConfig{EpochSlots: 1 << 10})
		require.NoError(t, err)
		defer store.Close()
		cfg.Store = store
		play(t, newBook(t, cfg))
	})
}

// Who comes first after a commit gets the page as it was, and
// those after the refresh the page as it is.
func TestSoftRule(t *testing.T) {
	inBubble(t, echocache.Config{}, func(t *testing.T, b *book) {
		b.want("MISS", "1 v1")
		other := get(b, "/2")
		require.Equal(t, "MISS", status(other))
		b.commit(b.bus)
		b.want("STALE", "1 v1")
		synctest.Wait()
		b.want("HIT", "1 v2")
		require.Equal(t, "HIT", status(get(b, "/2")))
	})
}

func TestSoftRuleEndsToTheMillisecond(t *testing.T) {
	inBubble(t, echocache.Config{}, func(t *testing.T, b *book) {
		b.want("MISS", "1 v1")
		b.commit(b.bus)
		b.gate = make(chan struct{})
		time.Sleep(softFor - time.Millisecond)
		b.want("STALE", "1 v1")
		synctest.Wait() // the refresh is at the gate
		time.Sleep(time.Millisecond)
		done := make(chan struct{})
		go func() {
			defer close(done)
			b.want("MISS", "1 v2") // joins the refresh
		}()
		synctest.Wait()
		close(b.gate)
		<-done
		require.EqualValues(t, 2, b.runs.Load())
	})
}

func TestSoftRuleRefreshesOnce(t *testing.T) {
	inBubble(t, echocache.Config{}, func(t *testing.T, b *book) {
		b.want("MISS", "1 v1")
		b.commit(b.bus)
		b.gate = make(chan struct{})
		var readers sync.WaitGroup
		for range 100 {
			readers.Go(func() { b.want("STALE", "1 v1") })
		}
		readers.Wait()
		synctest.Wait()
		require.EqualValues(t, 2, b.runs.Load())
		close(b.gate)
		synctest.Wait()
		b.want("HIT", "1 v2")
		require.EqualValues(t, 2, b.runs.Load())
	})
}

// A hard invalidation ends what a soft one has left, also of the refresh that is under way.
func TestHardRuleEndsSoftOne(t *testing.T) {
	inBubble(t, echocache.Config{StaleWhileRevalidate: time.Hour, StaleIfError: time.Hour}, func(t *testing.T, b *book) {
		for name, drop := range map[string]func(){
			"of the group": func() { b.commit(b.hard) },
			"of all": func() {
				b.version.Add(1)
				require.NoError(t, b.cache.InvalidateAll(t.Context()))
			},
			"once more softly": func() { b.commit(b.bus) },
		} {
			require.NoError(t, b.cache.InvalidateAll(t.Context()), name)
			get(b, "/1")
			b.commit(b.bus)
			gate := make(chan struct{})
			b.gate = gate
			require.Equal(t, "STALE", status(get(b, "/1")))
			synctest.Wait() // it has read its version
			b.gate = nil
			drop()
			b.want("MISS", fmt.Sprintf("1 v%d", b.version.Load()))
			close(gate)
			synctest.Wait()
			if w := get(b, "/1"); name != "once more softly" { // what is late would have the second window
				require.Equal(t, "MISS", status(w), name)
				require.Equal(t, fmt.Sprintf("1 v%d", b.version.Load()), w.Body.String(), name)
			}
			synctest.Wait() // for a refresh that looks at the gate
		}
	})
}

// The refresh fails: the entry answers to the end of the window and no longer.
func TestSoftRuleWhoseRefreshFails(t *testing.T) {
	inBubble(t, echocache.Config{}, func(t *testing.T, b *book) {
		b.want("MISS", "1 v1")
		b.commit(b.bus)
		b.reply = func(c echo.Context) error { return c.String(http.StatusInternalServerError, "down") }
		for range 3 {
			b.want("STALE", "1 v1")
			synctest.Wait()
		}
		require.EqualValues(t, 4, b.runs.Load())
		time.Sleep(softFor)
		b.want("MISS", "down")
	})
}

// The entry's own life ends inside the window.
func TestSoftRuleOutlivesNoEntry(t *testing.T) {
	inBubble(t, echocache.Config{TTL: 2 * time.Second}, func(t *testing.T, b *book) {
		b.want("MISS", "1 v1")
		b.commit(b.bus)
		time.Sleep(2*time.Second - time.Millisecond)
		w := do(b, http.MethodHead, "/1")
		require.Equal(t, "STALE", status(w))
		time.Sleep(time.Millisecond)
		b.want("MISS", "1 v2")
	})
}

// Past its own life the entry only stands in for a failure, and for one that comes
// inside the window.
func TestSoftRuleWithStaleIfError(t *testing.T) {
	inBubble(t, echocache.Config{TTL: time.Second, StaleIfError: time.Minute}, func(t *testing.T, b *book) {
		takes := time.Duration(0)
		b.want("MISS", "1 v1")
		b.reply = func(c echo.Context) error {
			time.Sleep(takes)
			return c.String(http.StatusServiceUnavailable, "down")
		}
		b.commit(b.bus)
		time.Sleep(2 * time.Second)
		b.want("STALE", "1 v1")
		takes = 3*time.Second - time.Millisecond
		b.want("STALE", "1 v1")
		takes = time.Millisecond
		b.want("MISS", "down")
	})
}

func TestSoftRuleHeaders(t *testing.T) {
	inBubble(t, echocache.Config{}, func(t *testing.T, b *book) {
		made := b.want("MISS", "1 v1").Header()
		time.Sleep(time.Second)
		b.commit(b.bus)
		time.Sleep(time.Second)
		head := do(b, http.MethodHead, "/1") // begins no refresh
		synctest.Wait()
		require.EqualValues(t, 1, b.runs.Load())
		for _, h := range []http.Header{head.Header(), b.want("STALE", "1 v1").Header()} {
			require.Equal(t, `restflow; hit; ttl=0; detail="invalidated softly"`, h.Get("Cache-Status"))
			require.Equal(t, "2", h.Get("Age"))
			require.Equal(t, made.Get("X-Cached-At"), h.Get("X-Cached-At"))
			require.Equal(t, time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00"), h.Get("X-Cache-Reset-At"), "it is not fresh any more")
		}
		require.Equal(t, "4", head.Header().Get("Content-Length"))
	})
}

func TestPeekAtWhatASoftRuleHasLeft(t *testing.T) {
	inBubble(t, echocache.Config{IgnoreHost: true}, func(t *testing.T, b *book) {
		b.want("MISS", "1 v1")
		b.commit(b.bus)
		res, m, err := b.cache.PeekAt(t.Context(), pageKey{ID: 1}, echocache.At{Route: "/:id"})
		require.NoError(t, err)
		require.Equal(t, restflow.Stale, m.Status)
		require.Equal(t, "1 v1", string(res.Body))
		time.Sleep(softFor)
		_, _, err = b.cache.PeekAt(t.Context(), pageKey{ID: 1}, echocache.At{Route: "/:id"})
		require.ErrorIs(t, err, restflow.ErrMiss)
	})
}

// To clients it is a stale entry like others.
func TestSoftRuleAndRequestDirectives(t *testing.T) {
	for control, want := range map[string]string{
		"":               "STALE 1 v1",
		"max-stale=10":   "STALE 1 v1",
		"no-cache":       "REFRESH 1 v2",
		"no-store":       "BYPASS 1 v2",
		"max-age=60":     "REFRESH 1 v2",
		"min-fresh=1":    "REFRESH 1 v2",
		"only-if-cached": "MISS ",
	} {
		inBubble(t, echocache.Config{HonorRequestDirectives: true}, func(t *testing.T, b *book) {
			b.want("MISS", "1 v1")
			b.commit(b.bus)
			w := get(b, "/1", "Cache-Control", control)
			require.Equal(t, want, status(w)+" "+w.Body.String(), control)
		})
	}
}

// What says that it must never be stale is dropped.
func TestSoftRuleAndResponsesThatForbidIt(t *testing.T) {
	for control, want := range map[string]string{
		"max-age=60":                   "STALE",
		"max-age=60, must-revalidate":  "MISS",
		"max-age=60, proxy-revalidate": "MISS",
		"s-maxage=60":                  "MISS",
	} {
		inBubble(t, echocache.Config{}, func(t *testing.T, b *book) {
			b.header = func(h http.Header) { h.Set("Cache-Control", control) }
			get(b, "/1")
			b.commit(b.bus)
			require.Equal(t, want, status(get(b, "/1")), control)
		})
	}
}

// A whole cache is dropped softly, too, where the rule cannot tell the group.
func TestSoftRuleOfBulkChange(t *testing.T) {
	inBubble(t, echocache.Config{}, func(t *testing.T, b *book) {
		b.want("MISS", "1 v1")
		b.version.Add(1)
		require.NoError(t, b.bus.Publish(t.Context(), signals.Change{Op: signals.Update, Model: reflect.TypeFor[Page](), Bulk: true}))
		b.want("STALE", "1 v1")
		synctest.Wait()
		b.want("HIT", "1 v2")
	})
}

// A commit on one node, readers on another.
func TestSoftRuleBetweenNodes(t *testing.T) {
	server := redistest.Start(t)
	open := func() *book {
		store, err := restflow.NewRedis(server.Client(), restflow.RedisConfig{Timeout: 10 * time.Second})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		return newBook(t, echocache.Config{Store: store})
	}
	a, b := open(), open()
	b.want("MISS", "1 v1")
	a.commit(a.bus)
	b.version.Store(a.version.Load())
	b.want("STALE", "1 v1")
	require.Eventually(t, func() bool {
		w := get(a, "/1")
		return status(w) == "HIT" && w.Body.String() == "1 v2"
	}, sceneTimeout, time.Millisecond)
	a.commit(a.bus)
	a.commit(a.hard)
	b.version.Store(a.version.Load())
	b.want("MISS", "1 v4")
}
