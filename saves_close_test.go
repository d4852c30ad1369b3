package restflow_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	gocachestore "github.com/eko/gocache/store/go_cache/v4"
	gocache "github.com/patrickmn/go-cache"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

func TestSyncSaves(t *testing.T) {
	failed := make(chan string, 1)
	s := newSavers(t, restflow.RedisConfig{Timeout: 5 * time.Second, SyncSaves: true, OnError: func(op string, _ error) { failed <- op }})
	k := groupKey("Save", "k", "1")
	filled := make(chan struct{})
	go func() {
		s.fill(k, "here")
		close(filled)
	}()
	s.begun()
	require.Empty(t, filled)
	require.Empty(t, lookup(t, s.a, k))
	s.valve.open()
	<-filled
	require.Equal(t, "here", lookup(t, s.b, k), "without Flush")
	require.NoError(t, s.a.Flush(t.Context()))

	require.NoError(t, s.admin.ConfigSet(t.Context(), "maxmemory", "1").Err())
	k = groupKey("Save", "other", "1") // its epochs are there
	var snap restflow.Snapshot
	require.NoError(t, s.a.Load(t.Context(), k, &snap))
	e, led, err := s.a.Fill(t.Context(), k, &snap, func(*restflow.Flight) *restflow.Entry { return entryOf("x") })
	require.True(t, redis.IsOOMError(err))
	require.True(t, led)
	require.NotNil(t, e)
	require.Equal(t, "save", <-failed)
}

// Where saves are waited for, Delete and newer entries of the key wait for what is
// being sent, which could arrive after them.
func TestSyncSavesOfOneKeyKeepTheirOrder(t *testing.T) {
	s := newSavers(t, restflow.RedisConfig{SyncSaves: true})
	k := groupKey("Save", "k", "1")
	stored := make(chan *restflow.Entry, 1)
	begin := func(body string, fill func(context.Context, *restflow.Key, *restflow.Snapshot, restflow.Run) (*restflow.Entry, error)) {
		snap := snapshot(t, s.a, k)
		go func() {
			e, err := fill(context.Background(), k, snap, func(*restflow.Flight) *restflow.Entry { return entryOf(body) })
			if err != nil {
				t.Error(err)
			}
			stored <- e
		}()
	}
	begin("first", s.a.Replace)
	s.begun()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.a.Delete(ctx, k), context.DeadlineExceeded)
	s.valve.pass()
	require.Nil(t, receive(t, stored))
	require.Empty(t, keysOf(t, s.admin, "e"))

	begin("second", s.a.FillAlone)
	s.begun()
	begin("third", s.a.Replace)
	await(t, "the third has outdated the second", func() bool { return s.a.Forgotten(k) })
	select {
	case <-s.valve.held:
		t.Fatal("the third was sent while the second was")
	case <-time.After(50 * time.Millisecond):
	}
	s.valve.pass()
	require.Nil(t, receive(t, stored))
	s.begun()
	s.valve.open()
	require.NotNil(t, receive(t, stored))
	require.Equal(t, "third", lookup(t, s.b, k))
}

func TestCloseBringsWhatWaits(t *testing.T) {
	s := newSavers(t, restflow.RedisConfig{})
	for i := range 300 {
		s.fill(groupKey("Save", fmt.Sprint(i), "1"), "here")
	}
	closed := make(chan error, 1)
	go func() { closed <- s.a.Close() }()
	s.begun()
	require.Empty(t, closed)
	s.valve.open()
	require.NoError(t, <-closed)
	require.Len(t, keysOf(t, s.admin, "e"), 300)

	k := groupKey("Save", "too late", "1")
	var snap restflow.Snapshot
	require.NoError(t, s.a.Load(t.Context(), k, &snap))
	e, led, err := s.a.Fill(t.Context(), k, &snap, func(*restflow.Flight) *restflow.Entry { return entryOf("x") })
	require.ErrorIs(t, err, restflow.ErrClosed)
	require.True(t, led)
	require.NotNil(t, e)
	require.Empty(t, lookup(t, s.b, k))
}

// Close does not wait for ever, and leaves nobody behind who does.
func TestCloseWithADeadRedis(t *testing.T) {
	server := redistest.Start(t)
	before := runtime.NumGoroutine()
	s := openBrief(t, server, nil)
	k := groupKey("Save", "k", "1")
	put(t, s, k, "makes the epochs")
	server.Pause()
	var snap restflow.Snapshot
	for i := range 200 { // past the lookup, which would fail
		snap = restflow.Snapshot{}
		k := groupKey("Save", fmt.Sprint(i))
		e, err := s.FillAlone(t.Context(), k, &snap, func(*restflow.Flight) *restflow.Entry { return entryOf("x") })
		require.NoError(t, err)
		require.NotNil(t, e)
	}
	began := time.Now()
	require.NoError(t, s.Close())
	require.Less(t, time.Since(began), 10*time.Second)
	server.Resume()
	await(t, "all have gone", func() bool { return runtime.NumGoroutine() <= before+5 }) // connections of the client
}

// slow takes its time to save an entry, and does it.
type slow struct {
	*gocachestore.GoCacheStore
	saved atomic.Int32
}

func (s *slow) Set(ctx context.Context, key, value any, options ...store.Option) error {
	if strings.Contains(key.(string), ":e:") {
		time.Sleep(230 * time.Millisecond)
		s.saved.Add(1)
	}
	return s.GoCacheStore.Set(ctx, key, value, options...)
}

// Close gives what waits a second, and drops the rest.
func TestCloseWithASlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gs := &slow{GoCacheStore: gocachestore.NewGoCache(gocache.New(time.Hour, 0))}
		s, err := restflow.NewStore(gs, restflow.StoreConfig{Kind: restflow.Shared})
		require.NoError(t, err)
		var snap restflow.Snapshot
		for i := range 1000 {
			k := groupKey("Save", fmt.Sprint(i), "1")
			require.NoError(t, s.Load(t.Context(), k, &snap))
			_, _, err := s.Fill(t.Context(), k, &snap, func(*restflow.Flight) *restflow.Entry { return entryOf("x") })
			require.NoError(t, err)
		}
		began := time.Now()
		require.NoError(t, s.Close())
		require.Equal(t, 5*230*time.Millisecond, time.Since(began), "what was being sent is waited for")
		require.EqualValues(t, 5*8, gs.saved.Load())
	})
}

// Nobody stays where nothing is to be done: the bubble would wait for them for ever.
func TestSaversEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gs := gocachestore.NewGoCache(gocache.New(time.Hour, 0))
		s, err := restflow.NewStore(gs, restflow.StoreConfig{Kind: restflow.Shared})
		require.NoError(t, err)
		for i := range 100 {
			put(t, s, groupKey("Save", fmt.Sprint(i), "1"), "x")
		}
	})
}

// The body of an answer is copied as often as if the answer waited.
func TestSavesCopyNoBody(t *testing.T) {
	const size = 16 << 20
	used := func(sync bool) uint64 {
		gs := gocachestore.NewGoCache(gocache.New(time.Hour, 0))
		s, err := restflow.NewStore(gs, restflow.StoreConfig{Kind: restflow.Shared, SyncSaves: sync})
		opened(t, s, err)
		body := strings.Repeat("x", size)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		put(t, s, groupKey("Save", "k", "1"), body)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	require.InDelta(t, used(true), used(false), size/4)
}

// A store that is closed saves nothing more, whatever it is.
func TestClosedStoresSaveNothing(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) *restflow.Store{
		"memory": openMemory,
		"in process": func(t *testing.T) *restflow.Store {
			return openGocache(t, gocachestore.NewGoCache(gocache.New(time.Hour, 0)), restflow.InProcess)
		},
		"shared": func(t *testing.T) *restflow.Store {
			s, _ := openMoody(t, restflow.StoreConfig{})
			return s
		},
		"shared, waiting": func(t *testing.T) *restflow.Store {
			s, _ := openMoody(t, restflow.StoreConfig{SyncSaves: true})
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			k := groupKey("Save", "k", "1")
			e, led, err := s.Fill(t.Context(), k, snapshot(t, s, k), func(*restflow.Flight) *restflow.Entry {
				require.NoError(t, s.Close()) // while it runs
				return entryOf("x")
			})
			require.Equal(t, restflow.ErrClosed, err)
			require.True(t, led)
			require.NotNil(t, e)
			require.Empty(t, lookup(t, s, k))
		})
	}
}

// A save that began before the store was closed, and comes after all entries were
// dropped, leaves nothing behind.
func TestClosedMemoryStaysEmpty(t *testing.T) {
	s := openMemory(t)
	require.NoError(t, s.Close())
	require.Equal(t, restflow.ErrClosed, s.SaveInMemory(groupKey("Save", "k", "1"), entryOf("x")))
	require.Zero(t, s.Held())
}
