package echocache_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
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

// Many users ask many routes while entries are invalidated from all sides. Every
// body names who asked for what, and the version of the data that it was made
// from, which must not be older than the last invalidation that had returned.
func TestNobodySeesAnotherOrThePast(t *testing.T) {
	cache := newCache[userKey](t, echocache.Config{MaxBodyBytes: 4 << 10})
	const users, items, workers = 5, 4, 8
	rounds := 400
	if testing.Short() {
		rounds = 100
	}
	var data, told [items]atomic.Int64 // versions: of the data, and as far as invalidated
	e := newEcho()
	e.Use(middleware.Recover(), login)
	handler := func(c echo.Context) error {
		var item int
		if _, err := fmt.Sscan(c.Param("pk"), &item); err != nil {
			return err
		}
		version := data[item].Load()
		body := fmt.Sprintf("%s|%d|%s|%d", c.Path(), c.Get("user").(*user).ID, c.Request().URL.RequestURI(), version)
		switch version % 7 {
		case 3:
			return errors.New(body)
		case 5:
			c.Response().Header().Set("Set-Cookie", "a="+body)
		case 6:
			body += "|" + strings.Repeat("x", 8<<10)
		}
		return c.String(http.StatusOK, body)
	}
	for _, route := range []string{"/a/:pk", "/b/:pk", "/b/:pk/*"} {
		e.GET(route, handler, cache.Middleware)
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				item, id := (i+w)%items, (i*3+w)%users
				if i%17 == w {
					version := data[item].Add(1)
					if !invalidate(t, cache, i, item, users) {
						return
					}
					raise(&told[item], version)
				}
				for _, path := range []string{"/a/%d?extra=%d", "/b/%d", "/b/%d/tail/%d"} {
					target, _, _ := strings.Cut(fmt.Sprintf(path, item, i%2), "%!")
					least := told[item].Load()
					w := get(e, target, "X-User", fmt.Sprint(id))
					if w.Code == http.StatusInternalServerError {
						continue
					}
					var route, uri string
					var who int
					var version int64
					parts := strings.Split(w.Body.String(), "|")
					route, uri = parts[0], parts[2]
					_, err := fmt.Sscan(parts[1]+" "+parts[3], &who, &version)
					if err != nil || who != id || uri != target || !strings.HasPrefix(target, route[:3]) || version < least {
						t.Errorf("%s as %d at %d: %.80s %s", target, id, least, w.Body, status(w))
						return
					}
					if c := w.Header().Get("Set-Cookie"); c != "" && status(w) == "HIT" {
						t.Errorf("%s: a cookie from the cache: %s", target, c)
					}
				}
			}
		})
	}
	wg.Wait()
}

// invalidate drops the item's entries in one of the ways there are.
func invalidate(t *testing.T, cache *echocache.Cache[userKey], i, item, users int) bool {
	ctx := context.Background()
	var err error
	switch i % 3 {
	case 0:
		err = cache.Invalidate(ctx, userKey{PK: item}, "pk")
	case 1:
		err = cache.InvalidateAll(ctx)
	default:
		for id := range users {
			err = errors.Join(err, cache.Invalidate(ctx, userKey{PK: item, User: id}))
		}
	}
	if err != nil {
		t.Error(err)
	}
	return err == nil
}

func raise(v *atomic.Int64, to int64) {
	for old := v.Load(); old < to && !v.CompareAndSwap(old, to); old = v.Load() {
	}
}

// blockingSite is a handler that answers when it is told to.
type blockingSite struct {
	echo  *echo.Echo
	cache *echocache.Cache[echocache.DefaultKey]
	log   *eventLog
	begun chan chan echo.HandlerFunc // one for each run, that tells it how to answer
}

func newBlockingSite(t *testing.T) *blockingSite {
	s := &blockingSite{echo: newEcho(), begun: make(chan chan echo.HandlerFunc)}
	s.cache, s.log = defaultCache(t, echocache.Config{})
	s.echo.Use(middleware.RecoverWithConfig(middleware.RecoverConfig{DisablePrintStack: true}))
	s.echo.GET("/:id", func(c echo.Context) error {
		run := make(chan echo.HandlerFunc)
		s.begun <- run
		return (<-run)(c)
	}, s.cache.Middleware)
	return s
}

type result struct{ status, body string }

// ask asks in the background.
func (s *blockingSite) ask() chan result { return s.askAs(context.Background()) }

func (s *blockingSite) askAs(ctx context.Context) chan result {
	c := make(chan result, 1)
	go func() {
		w := httptest.NewRecorder()
		s.echo.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/1", nil).WithContext(ctx))
		c <- result{status(w), w.Body.String()}
	}()
	return c
}

func say(text string) echo.HandlerFunc {
	return func(c echo.Context) error { return c.String(http.StatusOK, text) }
}

// T1: a handler began, the data changed and was invalidated, the handler ended.
func TestLateFillIsDeadOnArrival(t *testing.T) {
	for name, drop := range map[string]func(*blockingSite) error{
		"Invalidate": func(s *blockingSite) error {
			return s.cache.Invalidate(context.Background(), echocache.DefaultKey{Path: map[string][]string{"id": {"1"}}})
		},
		"InvalidateAll": func(s *blockingSite) error { return s.cache.InvalidateAll(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newBlockingSite(t)
			late := s.ask()
			run := <-s.begun
			require.NoError(t, drop(s))
			run <- say("old")
			require.Equal(t, result{"MISS", "old"}, <-late, "it was asked before")

			next := s.ask()
			<-s.begun <- say("new")
			require.Equal(t, result{"MISS", "new"}, <-next)
			require.Equal(t, result{"HIT", "new"}, <-s.ask())
		})
	}
}

// T2: a request that comes after an invalidation does not join a run from before.
func TestRequestAfterInvalidationJoinsNoOlderFlight(t *testing.T) {
	s := newBlockingSite(t)
	old := s.ask()
	before := <-s.begun
	require.NoError(t, s.cache.InvalidateAll(context.Background()))
	fresh := s.ask()
	after := <-s.begun // it runs for itself
	before <- say("old")
	require.Equal(t, result{"MISS", "old"}, <-old)
	after <- say("new")
	require.Equal(t, result{"MISS", "new"}, <-fresh)
	require.Equal(t, result{"HIT", "new"}, <-s.ask())
}

func TestWaitersShareWhatIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBlockingSite(t)
		leader := s.ask()
		run := <-s.begun
		waiters := []chan result{s.ask(), s.ask(), s.ask()}
		synctest.Wait()
		run <- say("once")
		require.Equal(t, result{"MISS", "once"}, <-leader)
		for _, w := range waiters {
			require.Equal(t, result{"MISS", "once"}, <-w)
		}
		shared := 0
		for _, ev := range s.log.take() {
			if ev.Shared {
				shared++
			}
		}
		require.Equal(t, 3, shared)
	})
}

// What may not be stored is nobody else's: those who waited run for themselves.
func TestWaitersOfWhatIsNotStoredRunForThemselves(t *testing.T) {
	for name, bad := range map[string]echo.HandlerFunc{
		"cookie": func(c echo.Context) error {
			c.SetCookie(&http.Cookie{Name: "session", Value: "of the leader"})
			return c.String(http.StatusOK, "of the leader")
		},
		"error":    func(echo.Context) error { return errors.New("of the leader") },
		"panic":    func(echo.Context) error { panic("of the leader") },
		"no-store": responding(http.StatusOK, "Cache-Control", "no-store"),
		"flush": func(c echo.Context) error {
			c.Response().Flush()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newBlockingSite(t)
				leader := s.ask()
				run := <-s.begun
				waiters := []chan result{s.ask(), s.ask(), s.ask()}
				synctest.Wait()
				run <- bad
				<-leader
				runs := []chan echo.HandlerFunc{<-s.begun, <-s.begun, <-s.begun} // side by side
				for _, run := range runs {
					run <- say("my own")
				}
				for _, w := range waiters {
					require.Equal(t, result{"MISS", "my own"}, <-w)
				}
			})
		})
	}
}

// The leader's client gives up while others wait: the run goes on for them. With
// the last of them it ends.
func TestRunLastsAsLongAsSomebodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBlockingSite(t)
		ctx, giveUp := context.WithCancel(t.Context())
		leader := s.askAs(ctx)
		run := <-s.begun
		waiter := s.ask()
		synctest.Wait()
		giveUp()
		synctest.Wait()
		run <- func(c echo.Context) error {
			if err := c.Request().Context().Err(); err != nil {
				return err
			}
			return say("worth it")(c)
		}
		require.Equal(t, "worth it", (<-waiter).body)
		<-leader
		require.Equal(t, result{"HIT", "worth it"}, <-s.ask())
	})
	synctest.Test(t, func(t *testing.T) {
		s := newBlockingSite(t)
		ctx, giveUp := context.WithCancel(t.Context())
		leader, waiter := s.askAs(ctx), make(chan result)
		run := <-s.begun
		go func() { waiter <- <-s.askAs(ctx) }()
		synctest.Wait()
		giveUp()
		run <- func(c echo.Context) error {
			<-c.Request().Context().Done()
			return say("for nobody")(c)
		}
		// The waiter runs for itself, as without a cache, whatever its client does.
		<-s.begun <- say("for nobody")
		<-waiter
		<-leader
		require.Len(t, s.log.take(), 2)
	})
}

// That a client has gone says nothing of the response: requests for it still share one
// run.
func TestRequestsShareARunAfterAClientHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := restflow.NewMemory(restflow.MemoryConfig{})
		require.NoError(t, err)
		defer store.Close()
		cache := newCache[echocache.DefaultKey](t, echocache.Config{Store: store})
		var runs atomic.Int32
		e := newEcho()
		e.GET("/", func(c echo.Context) error {
			runs.Add(1)
			select {
			case <-time.After(time.Second):
				return c.NoContent(http.StatusOK)
			case <-c.Request().Context().Done():
				return c.Request().Context().Err()
			}
		}, cache.Middleware)
		ctx, leave := context.WithTimeout(t.Context(), time.Second/2)
		defer leave()
		e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx))
		require.EqualValues(t, 1, runs.Load())
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { get(e, "/") })
		}
		all.Wait()
		require.EqualValues(t, 2, runs.Load())
	})
}
