package echocache_test

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

// ago is a date in a header field, relative to the handler's clock.
type ago struct {
	field string
	time.Duration
}

// dating answers with header fields and with dates.
func dating(dates []ago, headers ...string) echo.HandlerFunc {
	answer := responding(http.StatusOK, headers...)
	return func(c echo.Context) error {
		for _, d := range dates {
			c.Response().Header().Set(d.field, time.Now().Add(-d.Duration).UTC().Format(http.TimeFormat))
		}
		return answer(c)
	}
}

// What a handler has from another cache is not made young again (RFC 9111, 4.2).
func TestAgeOfWhatAHandlerHasFromElsewhere(t *testing.T) {
	const s = time.Second
	for name, c := range map[string]struct {
		cfg     echocache.Config
		handler echo.HandlerFunc
		live    time.Duration
		age     string // of a hit at once
	}{
		"max-age less Age":             {echocache.Config{}, responding(200, "Cache-Control", "max-age=60", "Age", "50"), 10 * s, "50"},
		"s-maxage less Age":            {echocache.Config{}, responding(200, "Cache-Control", "max-age=1, s-maxage=60", "Age", " 50 "), 10 * s, "50"},
		"Expires less Age":             {echocache.Config{}, dating([]ago{{"Expires", -60 * s}}, "Age", "50"), 10 * s, "50"},
		"max-age less apparent age":    {echocache.Config{}, dating([]ago{{"Date", 50 * s}}, "Cache-Control", "max-age=60"), 10 * s, "50"},
		"the larger of both":           {echocache.Config{}, dating([]ago{{"Date", 20 * s}}, "Cache-Control", "max-age=60", "Age", "50"), 10 * s, "50"},
		"a clock that is fast":         {echocache.Config{}, dating([]ago{{"Date", -50 * s}}, "Cache-Control", "max-age=60"), 60 * s, "0"},
		"Expires from Date":            {echocache.Config{}, dating([]ago{{"Date", -50 * s}, {"Expires", -60 * s}}), 10 * s, "0"},
		"Expires from Date long ago":   {echocache.Config{}, dating([]ago{{"Date", 50 * s}, {"Expires", -10 * s}}), 10 * s, "50"},
		"Expires and a garbled Date":   {echocache.Config{}, dating([]ago{{"Expires", -60 * s}}, "Date", "today"), 60 * s, "0"},
		"TTL if it is less":            {echocache.Config{TTL: 5 * s}, responding(200, "Cache-Control", "max-age=60", "Age", "50"), 5 * s, "50"},
		"TTL if nothing else is said":  {echocache.Config{TTL: 5 * s}, responding(200, "Age", "50"), 5 * s, "50"},
		"a delay that Age cannot know": {echocache.Config{}, slow(2*s, responding(200, "Cache-Control", "max-age=60", "Age", "50")), 8 * s, "52"},
		"a delay of our own":           {echocache.Config{}, slow(2*s, responding(200, "Cache-Control", "max-age=60")), 60 * s, "0"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEcho()
				e.GET("/", c.handler, newCache[echocache.DefaultKey](t, c.cfg).Middleware)
				require.Equal(t, "MISS", status(get(e, "/")))
				require.Equal(t, []string{c.age}, get(e, "/").Header().Values("Age"))
				time.Sleep(c.live - time.Millisecond)
				require.Equal(t, "HIT", status(get(e, "/")))
				time.Sleep(time.Millisecond)
				require.Equal(t, "MISS", status(get(e, "/")))
			})
		})
	}
}

func slow(d time.Duration, h echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		time.Sleep(d)
		return h(c)
	}
}

func TestWhatIsStaleFromTheBeginningIsNotStored(t *testing.T) {
	const s = time.Second
	for reason, handler := range map[string]echo.HandlerFunc{
		"the response is 1h0m0s old, and fresh for 1h0m0s": responding(200, "Cache-Control", "max-age=3600", "Age", "3600"),
		"the response is 2m0s old, and fresh for 1m0s":     dating([]ago{{"Date", 120 * s}}, "Cache-Control", "max-age=60"),
		"the response is 20s old, and fresh for 10s":       dating([]ago{{"Date", 0}, {"Expires", -10 * s}}, "Age", "20"),
		"Expires: Sat, 01 Jan 2000 00:00:10 GMT":           dating([]ago{{"Date", -20 * s}, {"Expires", -10 * s}}),
		"Age: old, which is no number of seconds":          responding(200, "Age", "old"),
		"Age: -7, which is no number of seconds":           responding(200, "Cache-Control", "max-age=60", "Age", "-7"),
		"Age: 7.0, which is no number of seconds":          responding(200, "Age", "7.0"),
		"Age: 0, 0, which is no number of seconds":         responding(200, "Age", "0", "Age", "0"),
		"Age: 0,0, which is no number of seconds":          responding(200, "Age", "0,0"),
		"Cache-Control cannot be parsed":                   responding(200, "Cache-Control", `max-age=60, a="b, s-maxage=600`),
		"Cache-Control: max-age=0":                         responding(200, "Cache-Control", `a="b, s-maxage=600", max-age=0`),
		"Cache-Control: no-store":                          responding(200, "Cache-Control", `a="\", b", no-store, must-understand`),
	} {
		t.Run(reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cache, log := defaultCache(t, echocache.Config{})
				e := newEcho()
				e.GET("/", handler, cache.Middleware)
				get(e, "/")
				require.Equal(t, reason, log.one(t).Reason)
				require.Equal(t, "MISS", status(get(e, "/")))
			})
		})
	}
}

// Who waited for a run has the answer later than it asked.
func TestAgeIsToldAtTheTimeOfTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		store, err := restflow.NewMemory(restflow.MemoryConfig{})
		require.NoError(t, err)
		defer store.Close()
		cache := newCache[echocache.DefaultKey](t, echocache.Config{Store: store})
		e := newEcho()
		e.GET("/", slow(5*time.Second, responding(http.StatusOK, "Age", "30")), cache.Middleware)
		all.Go(func() { get(e, "/") })
		synctest.Wait()
		require.Equal(t, "35", get(e, "/").Header().Get("Age"))
		all.Wait()
	})
}

// What is meant to be private must not be shared for want of a comma.
func TestCacheControlThatCannotBeParsedIsNotStored(t *testing.T) {
	for _, value := range []string{"private; max-age=60", "no-store; max-age=60", "max-age=60; no-store", "private max-age=60", "ext=a; private", "private: max-age"} {
		cache, log := defaultCache(t, echocache.Config{})
		e := newEcho()
		e.GET("/", responding(http.StatusOK, "Cache-Control", value), cache.Middleware)
		require.Equal(t, value, get(e, "/").Header().Get("Cache-Control"))
		require.Equal(t, "Cache-Control cannot be parsed", log.one(t).Reason)
		require.Equal(t, "MISS", status(get(e, "/")), value)
	}
}

// RFC 9111, 5.2.2.3.
func TestMustUnderstandIsForStatusesThatAreKnown(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{CacheStatuses: []int{599}})
	e := newEcho()
	e.GET("/:code", func(c echo.Context) error {
		return responding(map[string]int{"200": 200, "599": 599}[c.Param("code")], "Cache-Control", "max-age=60, must-understand")(c)
	}, cache.Middleware)
	get(e, "/599")
	require.Equal(t, "Cache-Control: must-understand, and the status is 599", log.one(t).Reason)
	get(e, "/200")
	require.True(t, log.one(t).Stored)
}

// Unix nanoseconds end in 2262: nothing that lasts longer may come out as past.
func TestLongLivesDoNotOverflow(t *testing.T) {
	const ever = time.Duration(1<<63 - 1)
	for name, c := range map[string]struct {
		cfg     echocache.Config
		handler echo.HandlerFunc
	}{
		"Expires":                {echocache.Config{NoExpiration: true}, responding(200, "Expires", "Thu, 21 Nov 2286 04:46:39 GMT")},
		"Expires for ever":       {echocache.Config{NoExpiration: true}, responding(200, "Expires", "Fri, 31 Dec 9999 23:59:59 GMT")},
		"max-age":                {echocache.Config{NoExpiration: true}, responding(200, "Cache-Control", "max-age=9999999999999")},
		"TTL":                    {echocache.Config{TTL: ever}, responding(200)},
		"max-age of many digits": {echocache.Config{NoExpiration: true}, responding(200, "Cache-Control", "max-age=99999999999999999999999")},
		"SetTTL": {echocache.Config{}, func(c echo.Context) error {
			echocache.From(c).SetTTL(ever)
			return c.NoContent(200)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEcho()
			e.GET("/", c.handler, newCache[echocache.DefaultKey](t, c.cfg).Middleware)
			get(e, "/")
			require.Equal(t, "HIT", status(get(e, "/")))
		})
	}
	for name, cfg := range map[string]echocache.Config{
		"StaleWhileRevalidate": {StaleWhileRevalidate: ever}, "StaleIfError": {StaleIfError: ever},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				down := false
				e := newEcho()
				e.GET("/", func(c echo.Context) error {
					if down {
						return echo.ErrServiceUnavailable
					}
					return c.NoContent(200)
				}, newCache[echocache.DefaultKey](t, cfg).Middleware)
				get(e, "/")
				down = true
				time.Sleep(2 * time.Hour)
				require.Equal(t, "STALE", status(get(e, "/")))
				synctest.Wait()
			})
		})
	}
}

// A comma in quotes does not begin a directive.
func TestQuotedTextIsNoDirective(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEcho()
		e.GET("/", responding(200, "Cache-Control", `a="x, s-maxage=600, \", max-age=1", max-age="5"`), newCache[echocache.DefaultKey](t, echocache.Config{}).Middleware)
		get(e, "/")
		time.Sleep(5*time.Second - time.Millisecond)
		require.Equal(t, "HIT", status(get(e, "/")))
		time.Sleep(time.Millisecond)
		require.Equal(t, "MISS", status(get(e, "/")))
	})
}

// Otherwise each hit would get the Date of its own day from the server, and
// Expires less Date would come out too short (RFC 9110, 6.6.1).
func TestHitsKeepTheDateOfTheirEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := newCache[echocache.DefaultKey](t, echocache.Config{})
		e := newEcho()
		e.GET("/plain", responding(200), cache.Middleware)
		e.GET("/expires", dating([]ago{{"Expires", -time.Hour}}), cache.Middleware)
		e.GET("/dated", dating([]ago{{"Date", 10 * time.Second}}), cache.Middleware)
		e.GET("/none", func(c echo.Context) error {
			c.Response().Header()["Date"] = nil // as net/http has it who want none
			return c.NoContent(200)
		}, cache.Middleware)
		date := func(target string) []string { return get(e, target).Header()["Date"] }
		for _, target := range []string{"/plain", "/expires", "/dated", "/none"} {
			date(target)
		}
		time.Sleep(time.Minute)
		require.Empty(t, date("/plain"), "Age is enough: the server may give its own")
		require.Equal(t, []string{"Sat, 01 Jan 2000 00:00:00 GMT"}, date("/expires"))
		require.Equal(t, []string{"Fri, 31 Dec 1999 23:59:50 GMT"}, date("/dated"))
		require.Empty(t, date("/none"))
		require.Contains(t, get(e, "/none").Header(), "Date")
	})
}

// A response can narrow the windows of the config (RFC 5861), or close them
// (RFC 9111, 4.2.4); it cannot widen them.
func TestResponsesNarrowTheStaleWindows(t *testing.T) {
	const s = time.Second
	both := echocache.Config{StaleWhileRevalidate: 10 * s, StaleIfError: 20 * s}
	for name, c := range map[string]struct {
		cfg              echocache.Config
		control          string
		revalidate, fail time.Duration // how long past its end it answers, and stands in
	}{
		"nothing said":               {both, "max-age=5", 10 * s, 20 * s},
		"both less":                  {both, "max-age=5, stale-while-revalidate=3, stale-if-error=7", 3 * s, 7 * s},
		"more":                       {both, "max-age=5, stale-while-revalidate=300, stale-if-error=700", 10 * s, 20 * s},
		"nothing allowed":            {both, "max-age=5, stale-while-revalidate=0, stale-if-error=0", 0, 0},
		"no numbers":                 {both, "max-age=5, stale-while-revalidate=long, stale-if-error", 0, 0},
		"no revalidation":            {both, "max-age=5, stale-while-revalidate=0", 0, 20 * s},
		"s-maxage":                   {both, "s-maxage=5", 0, 0},
		"s-maxage and longer":        {both, "s-maxage=5, stale-while-revalidate=3", 0, 0},
		"must-revalidate":            {both, "max-age=5, must-revalidate", 0, 0},
		"proxy-revalidate":           {both, "max-age=5, proxy-revalidate", 0, 0},
		"no window in the config":    {echocache.Config{}, "max-age=5, stale-while-revalidate=3, stale-if-error=7", 0, 0},
		"only failures in the other": {echocache.Config{StaleIfError: 20 * s}, "max-age=5, stale-while-revalidate=3", 0, 20 * s},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				down := false
				e := newEcho()
				e.GET("/:at", func(ctx echo.Context) error {
					if down {
						return responding(http.StatusServiceUnavailable)(ctx)
					}
					return responding(200, "Cache-Control", c.control)(ctx)
				}, newCache[echocache.DefaultKey](t, c.cfg).Middleware)
				for _, at := range []string{"before", "after", "fail", "failed"} {
					get(e, "/"+at)
				}
				began := time.Now()
				until := func(end time.Duration) { time.Sleep(time.Until(began.Add(5*s + end))) }
				stale := func(target string, want bool) {
					w := get(e, target)
					require.Equal(t, want, status(w) == "STALE", "%s: %s %d", target, status(w), w.Code)
				}
				down = true
				if c.revalidate > 0 {
					until(c.revalidate - 1)
					stale("/before", true)
					synctest.Wait()
				}
				if c.fail > c.revalidate {
					until(c.fail - 1)
					stale("/fail", true)
				}
				until(max(c.revalidate, c.fail))
				stale("/failed", false)
				if c.fail == 0 {
					stale("/after", false)
				}
			})
		})
	}
}

// RFC 9111, 5.2.1.1 and 5.2.1.3.
func TestClientsAskForYoungAndLastingAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := newCache[echocache.DefaultKey](t, echocache.Config{
			TTL: 10 * time.Second, StaleWhileRevalidate: time.Hour, HonorRequestDirectives: true,
		})
		e := newEcho()
		e.GET("/:id", responding(200), cache.Middleware)
		ask := func(id, directives string) string { return status(get(e, "/"+id, "Cache-Control", directives)) }
		for _, id := range []string{"a", "b", "c"} {
			get(e, "/"+id)
		}
		time.Sleep(4 * time.Second)
		require.Equal(t, "HIT", ask("a", "min-fresh=5"))
		require.Equal(t, "HIT", ask("a", "max-age=4"))
		require.Equal(t, "HIT", ask("a", "only-if-cached, min-fresh=5"))
		require.Equal(t, http.StatusGatewayTimeout, get(e, "/a", "Cache-Control", "only-if-cached, min-fresh=6").Code)
		require.Equal(t, "REFRESH", ask("a", "min-fresh=6"))
		require.Equal(t, "REFRESH", ask("b", "max-age=3"))
		time.Sleep(7 * time.Second)
		require.Equal(t, "REFRESH", ask("c", "max-age=60"), "nobody who limits the age wants it stale")
		require.Equal(t, "REFRESH", status(get(e, "/c", "Pragma", "x, No-Cache")))
		require.Equal(t, "HIT", status(get(e, "/c", "Pragma", "no-cache", "Cache-Control", "max-age=9")), "RFC 9111, 5.4")
	})
}

// RFC 9111, 4.4: also methods whose safety is unknown.
func TestMethodsThatAreNotKnownToBeSafeInvalidate(t *testing.T) {
	cache := newCache[echocache.DefaultKey](t, echocache.Config{InvalidateOnUnsafe: true})
	e := newEcho()
	e.GET("/:id", responding(200), cache.Middleware)
	for method, want := range map[string]restflow.Status{
		http.MethodPost: restflow.Miss, http.MethodPut: restflow.Miss, http.MethodPatch: restflow.Miss, http.MethodDelete: restflow.Miss,
		"M-SEARCH": restflow.Miss, "PURGE": restflow.Miss,
		http.MethodOptions: restflow.Hit, http.MethodTrace: restflow.Hit, "PROPFIND": restflow.Hit, "REPORT": restflow.Hit, "SEARCH": restflow.Hit, "QUERY": restflow.Hit,
	} {
		e.Add(method, "/:id", responding(200), cache.Middleware)
		get(e, "/a")
		require.Equal(t, "BYPASS", status(do(e, method, "/a")), method)
		require.Equal(t, want.String(), status(get(e, "/a")), method)
	}
}
