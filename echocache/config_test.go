package echocache_test

import (
	"context"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/signals"
)

func yes(context.Context, *echocache.Response) (bool, error) { return true, nil }

func TestConstructionErrors(t *testing.T) {
	store := memoryStore(t)
	for _, c := range []struct {
		name, want string
		cfg        echocache.Config
	}{
		{"no store", "echocache: Config.Store is nil; give one made by restflow.NewMemory, NewRedis or NewStore", echocache.Config{}},
		{"negative TTL", "echocache: Config.TTL: -1s is negative; leave it 0 for 1h0m0s, or set NoExpiration", echocache.Config{Store: store, TTL: -time.Second}},
		{"TTL and NoExpiration", "echocache: Config.TTL: 1s and NoExpiration exclude each other; remove one", echocache.Config{Store: store, TTL: time.Second, NoExpiration: true}},
		{"both predicates", "echocache: Config.CacheIf and CacheUnless exclude each other; remove one", echocache.Config{Store: store, CacheIf: yes, CacheUnless: yes}},
		{"negative jitter", "echocache: Config.Jitter: -0.1 is not at least 0 and below 1; it is the share of the TTL that may be cut off", echocache.Config{Store: store, Jitter: -.1}},
		{"jitter of all", "echocache: Config.Jitter: 1 is not at least 0 and below 1; it is the share of the TTL that may be cut off", echocache.Config{Store: store, Jitter: 1}},
		{"jitter that is no number", "echocache: Config.Jitter: NaN is not at least 0 and below 1; it is the share of the TTL that may be cut off", echocache.Config{Store: store, Jitter: math.NaN()}},
		{"negative body limit", "echocache: Config.MaxBodyBytes: -1 is negative; give a number of bytes, or 0 for 1048576", echocache.Config{Store: store, MaxBodyBytes: -1}},
		{"negative store timeout", "echocache: Config.StoreTimeout: -1ns is negative; leave it 0 for the store's own", echocache.Config{Store: store, StoreTimeout: -1}},
		{"negative stale window", "echocache: Config.StaleWhileRevalidate: -1ns is negative; leave it 0 for never", echocache.Config{Store: store, StaleWhileRevalidate: -1}},
		{"stale window in nanoseconds", "echocache: Config.StaleWhileRevalidate: 30ns is less than a millisecond; a number alone counts nanoseconds, write 30 * time.Second for seconds", echocache.Config{Store: store, StaleWhileRevalidate: 30}},
		{"negative error window", "echocache: Config.StaleIfError: -1ns is negative; leave it 0 for never", echocache.Config{Store: store, StaleIfError: -1}},
		{"negative fill timeout", "echocache: Config.FillTimeout: -1ns is negative; leave it 0 for 30s", echocache.Config{Store: store, FillTimeout: -1}},
		{"negative early refresh", "echocache: Config.EarlyRefresh: -1 is not 0 or more; leave it 0 for never, 1 is the usual value", echocache.Config{Store: store, EarlyRefresh: -1}},
		{"early refresh that is no number", "echocache: Config.EarlyRefresh: NaN is not 0 or more; leave it 0 for never, 1 is the usual value", echocache.Config{Store: store, EarlyRefresh: math.NaN()}},
		{"status of a range", "echocache: Config.CacheStatuses: 206 cannot be replayed; name final statuses other than 206, 304, 412 and 416", echocache.Config{Store: store, CacheStatuses: []int{404, 206}}},
		{"status that is none", "echocache: Config.CacheStatuses: 99 cannot be replayed; name final statuses other than 206, 304, 412 and 416", echocache.Config{Store: store, CacheStatuses: []int{99}}},
		{"cookie without a name", `echocache: Config.IgnoreCookies: "" is no cookie name; give a name, or a prefix that ends in *`, echocache.Config{Store: store, IgnoreCookies: []string{"ok", ""}}},
		{"star in the middle", `echocache: Config.IgnoreCookies: "a*b" is no cookie name; give a name, or a prefix that ends in *`, echocache.Config{Store: store, IgnoreCookies: []string{"a*b"}}},
		{"rules without a bus", "echocache: Config.InvalidatesOn needs a Bus that carries the changes; set Config.Bus", echocache.Config{Store: store, InvalidatesOn: []signals.Rule{{}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cache, err := echocache.New[echocache.DefaultKey](c.cfg)
			require.EqualError(t, err, c.want)
			require.Nil(t, cache)
			require.PanicsWithError(t, c.want, func() { echocache.MustNew[echocache.DefaultKey](c.cfg) })
		})
	}
}

// All faults come at once: those of the tags, of the engine's settings, and of
// those that only this package knows.
func TestConstructionErrorsComeAllAtOnce(t *testing.T) {
	type badKey struct {
		Page  int `restflow:"query,page,partiton"`
		Other int `restflow:"param,id"`
	}
	cfg := echocache.Config{
		TTL: -1, Jitter: 2, CacheIf: yes, CacheUnless: yes, MaxBodyBytes: -1, StoreTimeout: -1,
		CacheStatuses: []int{304}, IgnoreCookies: []string{"*x"}, InvalidatesOn: []signals.Rule{{}},
	}
	settings := `echocache: Config.Store is nil; give one made by restflow.NewMemory, NewRedis or NewStore
echocache: Config.TTL: -1ns is negative; leave it 0 for 1h0m0s, or set NoExpiration
echocache: Config.Jitter: 2 is not at least 0 and below 1; it is the share of the TTL that may be cut off
echocache: Config.CacheIf and CacheUnless exclude each other; remove one
echocache: Config.MaxBodyBytes: -1 is negative; give a number of bytes, or 0 for 1048576
echocache: Config.StoreTimeout: -1ns is negative; leave it 0 for the store's own
echocache: Config.CacheStatuses: 304 cannot be replayed; name final statuses other than 206, 304, 412 and 416
echocache: Config.IgnoreCookies: "*x" is no cookie name; give a name, or a prefix that ends in *
echocache: Config.InvalidatesOn needs a Bus that carries the changes; set Config.Bus`
	_, err := echocache.New[echocache.DefaultKey](cfg)
	require.EqualError(t, err, settings)
	_, err = echocache.New[badKey](cfg)
	require.EqualError(t, err, `tagkey: badKey.Page: tag "query,page,partiton": unknown flag "partiton"; did you mean "partition"?
tagkey: badKey.Other: tag "param,id": unknown source "param"; did you mean "path"?
`+settings)
}

func TestKeyOfAFunctionIsRefused(t *testing.T) {
	type argKey struct {
		ID   int    `restflow:"arg,id"`
		Lang string `restflow:"query,lang"`
		Day  string `restflow:"arg,day,partition"`
	}
	_, err := echocache.New[argKey](echocache.Config{Store: memoryStore(t)})
	require.EqualError(t, err, "echocache: key struct echocache_test.argKey has arg fields (Day, ID), which only a restflow.Func can fill; use path, query, request, header or cookie")
}

func TestNamespaceOfTheConfigKeepsCachesApart(t *testing.T) {
	store := memoryStore(t)
	a := newCache[echocache.DefaultKey](t, echocache.Config{Store: store, Namespace: "a"})
	b := newCache[echocache.DefaultKey](t, echocache.Config{Store: store, Namespace: "b"})
	a2 := newCache[echocache.DefaultKey](t, echocache.Config{Store: store, Namespace: "a"})
	runs := 0
	site := func(m echo.MiddlewareFunc) *echo.Echo {
		e := newEcho()
		e.GET("/", counter(&runs), m)
		return e
	}
	ea, eb, ea2 := site(a.Middleware), site(b.Middleware), site(a2.Middleware)
	require.Equal(t, "MISS", status(get(ea, "/")))
	require.Equal(t, "MISS", status(get(eb, "/")))
	require.Equal(t, "HIT", status(get(ea2, "/")), "one namespace, one cache")
	require.NoError(t, b.InvalidateAll(t.Context()))
	require.Equal(t, "HIT", status(get(ea, "/")))
	require.Equal(t, "MISS", status(get(eb, "/")))
	require.NoError(t, a2.InvalidateAll(t.Context()))
	require.Equal(t, "MISS", status(get(ea, "/")))
	require.Equal(t, "a", a.Plan().Namespace())
	require.Equal(t, "github.com/restflow-go/restflow/echocache.DefaultKey", newCache[echocache.DefaultKey](t, echocache.Config{}).Plan().Namespace())
}

func TestWithoutSetCacheHeadersThereAreNone(t *testing.T) {
	cache, err := echocache.New[echocache.DefaultKey](echocache.Config{Store: memoryStore(t)})
	require.NoError(t, err)
	e := newEcho()
	runs := 0
	e.Match([]string{http.MethodGet, http.MethodPost}, "/", counter(&runs), cache.Middleware)
	for _, w := range []string{"miss", "hit"} {
		h := get(e, "/").Header()
		require.NotContains(t, h, "X-Cache-Status", w)
		require.NotContains(t, h, "X-Cached-At", w)
		require.NotContains(t, h, "X-Cache-Reset-At", w)
	}
	require.NotContains(t, do(e, http.MethodPost, "/").Header(), "X-Cache-Status")
	require.Equal(t, 2, runs)
}
