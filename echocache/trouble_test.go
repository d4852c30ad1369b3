package echocache_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/internal/redistest"
)

// storeTimeout bounds what trouble of the store may cost a request.
const storeTimeout = 50 * time.Millisecond

// patience is a limit that a store reaches only if it is down.
const patience = 30 * time.Second

// redisSite is a server over a Redis of its own.
type redisSite struct {
	*redistest.Server
	echo  *echo.Echo
	store *restflow.Store
	log   *eventLog
	runs  int
}

// get asks, and waits until what was made is in Redis.
func (s *redisSite) get(t *testing.T) *httptest.ResponseRecorder {
	t.Helper()
	w := get(s.echo, "/1")
	require.NoError(t, s.store.Flush(t.Context()))
	return w
}

// warm asks until the answer is cached: on a loaded machine storeTimeout is short.
func (s *redisSite) warm(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { return status(get(s.echo, "/1")) == "HIT" }, 10*time.Second, 20*time.Millisecond)
	s.log.take()
}

func newRedisSite(t *testing.T, timeout time.Duration) *redisSite {
	t.Helper()
	s := &redisSite{Server: redistest.Start(t), echo: newEcho()}
	store, err := restflow.NewRedis(s.Client(), restflow.RedisConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	cache, log := defaultCache(t, echocache.Config{Store: store, StoreTimeout: timeout})
	s.store, s.log = store, log
	s.echo.GET("/:id", counter(&s.runs), cache.Middleware)
	return s
}

// troubled asks while the store is in trouble: the handler answers, the status
// says BYPASS, there is one event, and nothing waits longer than two calls may.
func (s *redisSite) troubled(t *testing.T, reason string, requests int) {
	t.Helper()
	for range requests {
		before := s.runs
		began := time.Now()
		w := get(s.echo, "/1")
		require.Less(t, time.Since(began), 10*storeTimeout, "far above what it may cost, far below the client's own patience")
		require.Equal(t, "BYPASS", status(w))
		require.Equal(t, before+1, s.runs)
		require.Equal(t, strings.Repeat("x", s.runs), w.Body.String())
		ev := s.log.one(t)
		require.Equal(t, reason, ev.Reason)
		require.Error(t, ev.Err)
		require.False(t, ev.Stored)
	}
}

func TestKilledRedisCostsNoAnswer(t *testing.T) {
	s := newRedisSite(t, storeTimeout)
	s.warm(t)
	s.Kill()
	s.troubled(t, "the store is in trouble", 12) // the breaker opens on the way
	s.Restart()
	s.warm(t)
}

func TestPausedRedisCostsNoAnswer(t *testing.T) {
	s := newRedisSite(t, storeTimeout)
	s.warm(t)
	s.Pause()
	s.troubled(t, "the store is in trouble", 8)
	s.Resume()
	s.warm(t)
}

// The store dies while the handler runs: its answer goes out, and is not kept. The
// status says so if the answer has waited for the save.
func TestRedisKilledInMidFillCostsNoAnswer(t *testing.T) {
	s := newRedisSite(t, patience)
	store, err := restflow.NewRedis(s.Client(), restflow.RedisConfig{SyncSaves: true})
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	cache, log := defaultCache(t, echocache.Config{Store: store, StoreTimeout: patience})
	s.echo.GET("/kill/:id", func(c echo.Context) error {
		s.Kill()
		return c.String(http.StatusOK, "the last words")
	}, cache.Middleware)
	w := get(s.echo, "/kill/1")
	require.Equal(t, "BYPASS", status(w))
	require.Equal(t, "the last words", w.Body.String())
	ev := log.one(t)
	require.Equal(t, "the entry could not be saved", ev.Reason)
	require.Error(t, ev.Err)
	require.False(t, ev.Stored)
}

// A Redis that takes long to save delays no answer, and hides nothing from the
// requests that come next.
func TestSlowSavesDelayNoAnswer(t *testing.T) {
	server := redistest.Start(t)
	admin := server.Client()
	nodes, stores := make([]*echo.Echo, 2), make([]*restflow.Store, 2)
	runs := 0
	var log *eventLog // of the last node
	for i := range nodes {
		var err error
		stores[i], err = restflow.NewRedis(server.Client(), restflow.RedisConfig{Timeout: patience})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, stores[i].Close()) })
		var cache *echocache.Cache[echocache.DefaultKey]
		cache, log = defaultCache(t, echocache.Config{Store: stores[i], CacheStatusHeader: true})
		nodes[i] = newEcho()
		nodes[i].GET("/:id", counter(&runs), cache.Middleware)
		get(nodes[i], "/1") // makes connections, and the epochs, which take a write as well
		require.NoError(t, stores[i].Flush(t.Context()))
	}
	a, b := nodes[0], nodes[1]
	log.take()
	require.NoError(t, admin.Do(t.Context(), "CLIENT", "PAUSE", patience.Milliseconds(), "WRITE").Err())
	began := time.Now()
	w := get(b, "/1?new")
	require.Equal(t, "MISS", status(w))
	require.Contains(t, w.Header().Get("Cache-Status"), "; stored")
	require.True(t, log.one(t).Stored, "it was accepted")
	require.Equal(t, "HIT", status(get(b, "/1?new")))
	require.Equal(t, "MISS", status(get(a, "/1?new")), "the other node does not know of it yet")
	require.Less(t, time.Since(began), patience/2)
	require.NoError(t, admin.Do(t.Context(), "CLIENT", "UNPAUSE").Err())
	for _, s := range stores {
		require.NoError(t, s.Flush(t.Context()))
	}
	require.Equal(t, "HIT", status(get(a, "/1?new")))
	require.Equal(t, "HIT", status(get(b, "/1?new")))
}

func TestGarbageInRedisCostsNoAnswer(t *testing.T) {
	s := newRedisSite(t, patience)
	client := s.Client()
	s.get(t)
	keys, err := client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	entries := 0
	for _, key := range keys {
		good, err := client.Get(t.Context(), key).Bytes()
		require.NoError(t, err)
		for name, bad := range map[string][]byte{
			"empty": {}, "one byte": {0}, "cut": good[:len(good)-1], "longer": append(bytes.Clone(good), 0),
			"a flipped bit": flip(good), "noise": bytes.Repeat([]byte{0xff}, 100), "JSON": []byte(`{"a":1}`),
		} {
			require.NoError(t, client.Set(t.Context(), key, bad, 0).Err())
			s.log.take()
			before := s.runs
			w := s.get(t)
			require.Equal(t, 200, w.Code)
			require.Equal(t, before+1, s.runs, "%s in %s was served", name, key)
			require.Equal(t, strings.Repeat("x", s.runs), w.Body.String())
			ev := s.log.one(t)
			if bytes.HasPrefix(good, []byte("rf")) { // an entry: it is found out, told and replaced
				entries++
				require.Equal(t, "MISS", status(w), name)
				if len(bad) > 0 {
					require.Equal(t, "the stored value was unreadable", ev.Reason, name)
					require.Error(t, ev.Err)
				}
				require.Equal(t, "HIT", status(get(s.echo, "/1")))
			}
			require.NoError(t, client.FlushAll(t.Context()).Err())
			s.get(t)
		}
	}
	require.Equal(t, 7, entries)

	// A key of another type, where an entry or an epoch should be.
	for _, key := range keys {
		require.NoError(t, client.Del(t.Context(), key).Err())
		require.NoError(t, client.LPush(t.Context(), key, "a list").Err())
		before := s.runs
		require.Equal(t, 200, s.get(t).Code)
		require.Equal(t, before+1, s.runs)
		require.NoError(t, client.FlushAll(t.Context()).Err())
	}
}

func flip(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)/2] ^= 1
	return b
}

// A header that the handler set to nothing, odd names and repeated values come
// back from Redis as they do from memory.
func TestRedisAnswersAsMemoryDoes(t *testing.T) {
	s := redistest.Start(t)
	store, err := restflow.NewRedis(s.Client(), restflow.RedisConfig{Compress: 100})
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	overRedis := newCache[echocache.DefaultKey](t, echocache.Config{Store: store})
	inMemory := newCache[echocache.DefaultKey](t, echocache.Config{})
	for _, k := range kinds {
		if !k.stored || k.routes != nil {
			continue
		}
		a, b := newEcho(), newEcho()
		a.GET("/k/"+strings.ReplaceAll(k.name, " ", "-"), k.handler, inMemory.Middleware)
		b.GET("/k/"+strings.ReplaceAll(k.name, " ", "-"), k.handler, overRedis.Middleware)
		sa, sb := serve(t, a), serve(t, b)
		for _, want := range []string{"MISS", "HIT"} {
			ra := fetch(t, http.MethodGet, sa.URL+"/k/"+strings.ReplaceAll(k.name, " ", "-"))
			rb := fetch(t, http.MethodGet, sb.URL+"/k/"+strings.ReplaceAll(k.name, " ", "-"))
			require.Equal(t, want, rb.cache(), k.name)
			require.Equal(t, ra.comparable(), rb.comparable(), k.name)
		}
	}
}

// While an invalidation is pending this process takes the group for dead.
func TestPendingInvalidationIsNotServed(t *testing.T) {
	s := redistest.Start(t)
	opt := s.Options()
	store, err := restflow.NewRedis(redis.NewClient(opt), restflow.RedisConfig{Timeout: storeTimeout})
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	cache, log := defaultCache(t, echocache.Config{Store: store})
	e, runs := newEcho(), 0
	e.GET("/:id", counter(&runs), cache.Middleware)
	cached := func() bool { return status(get(e, "/1")) == "HIT" }
	require.Eventually(t, cached, 10*time.Second, 20*time.Millisecond)
	log.take()
	old := strings.Repeat("x", runs)

	s.Pause()
	require.Error(t, cache.InvalidateAll(context.Background()))
	s.Resume()
	// Whether the retry has come through or not: never the old answer.
	require.Equal(t, old+"x", get(e, "/1").Body.String())
	require.Eventually(t, cached, 10*time.Second, 20*time.Millisecond)
	require.NotEqual(t, old, get(e, "/1").Body.String())
}
