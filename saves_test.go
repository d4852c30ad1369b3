package restflow_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	gocachestore "github.com/eko/gocache/store/go_cache/v4"
	gocache "github.com/patrickmn/go-cache"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

// A valve holds the saves of a client up while it is shut.
type valve struct {
	mu   sync.Mutex
	shut chan struct{} // closed when it opens; nil while it is open
	held chan string   // the names of what came while it was shut
}

func (v *valve) DialHook(next redis.DialHook) redis.DialHook { return next }

func (v *valve) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (v *valve) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		name := fmt.Sprint(cmds[0].Args()[1])
		v.mu.Lock()
		shut := v.shut
		v.mu.Unlock()
		if shut == nil || cmds[0].Name() != "set" || !strings.Contains(name, ":e:") {
			return next(ctx, cmds)
		}
		v.held <- name
		select {
		case <-shut:
			return next(ctx, cmds)
		case <-ctx.Done():
			for _, c := range cmds {
				c.SetErr(ctx.Err())
			}
			return ctx.Err()
		}
	}
}

func (v *valve) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.shut = make(chan struct{})
}

// pass lets through what is held up, and nothing that comes after it.
func (v *valve) pass() {
	v.open()
	v.close()
}

func (v *valve) open() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.shut != nil {
		close(v.shut)
		v.shut = nil
	}
}

// savers are two stores over one server, and the valve of the first, which is shut.
type savers struct {
	t      *testing.T
	a, b   *restflow.Store
	valve  *valve
	server *redistest.Server
	admin  *redis.Client
}

func newSavers(t *testing.T, cfg restflow.RedisConfig) *savers {
	t.Helper()
	if cfg.Timeout == 0 {
		cfg.Timeout = unhurried
	}
	server := redistest.Start(t)
	s := &savers{t: t, valve: &valve{held: make(chan string, 5000)}, server: server, admin: server.Client()}
	client := server.Client()
	client.AddHook(s.valve)
	a, err := restflow.NewRedis(client, cfg)
	s.a = opened(t, a, err)
	s.b = openRedis(t, server.Client())
	t.Cleanup(s.valve.open)
	s.valve.close()
	return s
}

// fill fills k and waits for nothing.
func (s *savers) fill(k *restflow.Key, body string) {
	s.t.Helper()
	var snap restflow.Snapshot
	require.NoError(s.t, s.a.Load(s.t.Context(), k, &snap))
	e, led, err := s.a.Fill(s.t.Context(), k, &snap, func(*restflow.Flight) *restflow.Entry { return entryOf(body) })
	require.NoError(s.t, err)
	require.True(s.t, led)
	require.NotNil(s.t, e)
}

func (s *savers) replace(k *restflow.Key, body string) {
	s.t.Helper()
	var snap restflow.Snapshot
	require.NoError(s.t, s.a.Load(s.t.Context(), k, &snap))
	e, err := s.a.Replace(s.t.Context(), k, &snap, func(*restflow.Flight) *restflow.Entry { return entryOf(body) })
	require.NoError(s.t, err)
	require.NotNil(s.t, e)
}

// begun waits until a save is being sent.
func (s *savers) begun() {
	s.t.Helper()
	select {
	case <-s.valve.held:
	case <-time.After(30 * time.Second):
		require.FailNow(s.t, "nothing is being sent")
	}
}

// occupy lets every worker hang with a save of another key.
func (s *savers) occupy() {
	s.t.Helper()
	for i := range 8 {
		s.fill(groupKey("Other", fmt.Sprint(i), "1"), "other")
		s.begun()
	}
}

func (s *savers) arrive() {
	s.t.Helper()
	s.valve.open()
	require.NoError(s.t, s.a.Flush(s.t.Context()))
}

func TestSavesAreNotWaitedFor(t *testing.T) {
	s := newSavers(t, restflow.RedisConfig{})
	k := groupKey("Save", "k", "1")
	s.fill(k, "here")
	require.Equal(t, "here", lookup(t, s.a, k), "at once in this process")
	require.Empty(t, lookup(t, s.b, k), "in others when it has arrived")
	s.begun()
	require.Equal(t, "here", lookup(t, s.a, k))
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.a.Flush(ctx), context.DeadlineExceeded)
	s.arrive()
	require.Equal(t, "here", lookup(t, s.a, k))
	require.Equal(t, "here", lookup(t, s.b, k))
}

// A lookup that begins while the save ends finds the entry in one place or the other.
func TestSavesAreFoundWhileTheyEnd(t *testing.T) {
	s := newSavers(t, restflow.RedisConfig{})
	s.valve.open()
	for i := range 1000 {
		k := groupKey("Save", fmt.Sprint(i), "1")
		s.fill(k, "here")
		for range 3 {
			require.Equal(t, "here", lookup(t, s.a, k), i)
		}
	}
}

func TestBumpBeforeTheSaveHasArrived(t *testing.T) {
	for name, bump := range map[string]func(s *savers, k *restflow.Key) error{
		"here":  func(s *savers, k *restflow.Key) error { return bumpAll(s.a, k) },
		"there": func(s *savers, k *restflow.Key) error { return bumpAll(s.b, k) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSavers(t, restflow.RedisConfig{})
			k := groupKey("Save", "k", "1")
			s.fill(k, "old")
			require.NoError(t, bump(s, k))
			require.Empty(t, lookup(t, s.a, k))
			s.arrive()
			require.Empty(t, lookup(t, s.a, k))
			require.Empty(t, lookup(t, s.b, k))
		})
	}
}

// A soft bump leaves an entry that is on its way as it leaves any other.
func TestSoftBumpBeforeTheSaveHasArrived(t *testing.T) {
	s := newSavers(t, restflow.RedisConfig{})
	k := groupKey("Save", "k", "1")
	s.fill(k, "here")
	require.NoError(t, s.b.BumpSoft(t.Context(), k.Scopes[0], time.Hour, k.Scopes[1]))
	for range 2 {
		var snap restflow.Snapshot
		require.NoError(t, s.a.Load(t.Context(), k, &snap))
		require.Nil(t, snap.Entry)
		require.NotNil(t, snap.Soft)
		require.Equal(t, "here", string(snap.Soft.Body))
		s.arrive()
	}
}

// The tags of an entry that is on its way are checked as those of any other.
func TestTagIsInvalidatedBeforeTheSaveHasArrived(t *testing.T) {
	s := newSavers(t, restflow.RedisConfig{})
	k, other := groupKey("Save", "k", "1"), groupKey("Save", "other", "1")
	fillTagged(t, s.a, k, "x")
	fillTagged(t, s.a, other, "y")
	require.NoError(t, s.b.InvalidateTags(t.Context(), "x"))
	require.Empty(t, lookup(t, s.a, k))
	require.Equal(t, "tagged y", lookup(t, s.a, other))
}

func TestDeleteBeforeTheSaveHasArrived(t *testing.T) {
	t.Run("it waits for its turn", func(t *testing.T) {
		s := newSavers(t, restflow.RedisConfig{})
		s.occupy()
		k := groupKey("Save", "k", "1")
		s.fill(k, "old")
		require.NoError(t, s.a.Delete(t.Context(), k))
		require.Empty(t, lookup(t, s.a, k))
		s.arrive()
		require.Empty(t, lookup(t, s.a, k))
		require.Len(t, keysOf(t, s.admin, "e"), 8)
	})
	t.Run("it is filled again", func(t *testing.T) {
		s := newSavers(t, restflow.RedisConfig{})
		s.occupy()
		k := groupKey("Save", "k", "1")
		s.fill(k, "old")
		require.NoError(t, s.a.Delete(t.Context(), k))
		s.fill(k, "new")
		s.arrive()
		require.Equal(t, "new", lookup(t, s.b, k))
	})
	t.Run("it is being sent", func(t *testing.T) {
		s := newSavers(t, restflow.RedisConfig{})
		k := groupKey("Save", "k", "1")
		s.fill(k, "old")
		s.begun()
		deleted := make(chan error, 1)
		go func() { deleted <- s.a.Delete(t.Context(), k) }()
		await(t, "it is gone here", func() bool { return lookup(t, s.a, k) == "" })
		require.Empty(t, deleted, "what is on its way could come after it")
		s.valve.open()
		require.NoError(t, <-deleted)
		require.Empty(t, keysOf(t, s.admin, "e"))
		require.Empty(t, lookup(t, s.a, k))
	})
	t.Run("it is being sent, and newer ones come without end", func(t *testing.T) {
		s := newSavers(t, restflow.RedisConfig{})
		k := groupKey("Save", "k", "1")
		s.fill(k, "old")
		s.begun()
		deleted := make(chan error, 1)
		go func() { deleted <- s.a.Delete(t.Context(), k) }()
		await(t, "it is gone here", func() bool { return lookup(t, s.a, k) == "" })
		s.replace(k, "new")
		s.valve.pass()
		require.NoError(t, receive(t, deleted), "newer ones are no concern of it")
		s.begun()
		s.arrive()
		require.Equal(t, "new", lookup(t, s.b, k))
	})
	t.Run("it is being sent, and nobody waits", func(t *testing.T) {
		s := newSavers(t, restflow.RedisConfig{})
		k := groupKey("Save", "k", "1")
		s.fill(k, "old")
		s.begun()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, s.a.Delete(ctx, k), context.Canceled)
		require.Empty(t, lookup(t, s.a, k))
		s.arrive()
		require.Empty(t, keysOf(t, s.admin, "e"))
	})
}

// The entries of a key arrive in their order, and those that are outdated before
// their turn do not.
func TestSavesOfOneKeyKeepTheirOrder(t *testing.T) {
	s := newSavers(t, restflow.RedisConfig{})
	k := groupKey("Save", "k", "1")
	s.fill(k, "first")
	s.begun()
	for _, body := range []string{"second", "third", "fourth"} {
		s.replace(k, body)
		require.Equal(t, body, lookup(t, s.a, k))
	}
	s.arrive()
	require.Equal(t, "fourth", lookup(t, s.b, k))
	require.Empty(t, s.valve.held)
	stats, err := s.admin.InfoMap(t.Context(), "commandstats").Result()
	require.NoError(t, err)
	require.Contains(t, stats["Commandstats"]["cmdstat_set"], "calls=4,", "two epochs, the first and the fourth")
}

// In order: a run begins; a bump; a younger run ends; the older one ends. What the
// younger one made is not lost.
func TestOlderRunEndsLast(t *testing.T) {
	s := newSavers(t, restflow.RedisConfig{})
	k := groupKey("Save", "k", "1")
	var snap restflow.Snapshot
	require.NoError(t, s.a.Load(t.Context(), k, &snap))
	_, _, err := s.a.Fill(t.Context(), k, &snap, func(*restflow.Flight) *restflow.Entry {
		require.NoError(t, bumpAll(s.b, k))
		s.fill(k, "younger")
		return entryOf("older")
	})
	require.NoError(t, err)
	require.Equal(t, "younger", lookup(t, s.a, k))
	s.arrive()
	require.Equal(t, "younger", lookup(t, s.b, k))
}

// A save that fails is told of and counted, and its entry is as if it had never been.
func TestSaveFails(t *testing.T) {
	failed := make(chan error, 10)
	s := newSavers(t, restflow.RedisConfig{Timeout: briefly, OnError: func(op string, err error) {
		if op == "save" {
			failed <- err
		}
	}})
	keys := make([]*restflow.Key, 5)
	for i := range keys {
		keys[i] = groupKey("Save", fmt.Sprint(i), "1")
		s.fill(keys[i], "lost")
	}
	for range keys {
		require.ErrorIs(t, <-failed, context.DeadlineExceeded)
	}
	require.NoError(t, s.a.Flush(t.Context()))
	require.ErrorIs(t, loadErr(s.a, keys[0]), restflow.ErrUnavailable, "the breaker is open")
	s.valve.open()
	await(t, "it has closed again", func() bool { return loadErr(s.a, keys[0]) == nil })
	require.Empty(t, lookup(t, s.a, keys[0]))
}

// A store that panics is a store that fails.
func TestSavePanics(t *testing.T) {
	failed := make(chan error, 1)
	gs := &panicking{GoCacheStore: gocachestore.NewGoCache(gocache.New(time.Hour, 0))}
	rs, err := restflow.NewStore(gs, restflow.StoreConfig{Kind: restflow.Shared, OnError: func(op string, err error) { failed <- fmt.Errorf("%s: %w", op, err) }})
	s := opened(t, rs, err)
	put(t, s, groupKey("Save", "k"), "x")
	require.ErrorContains(t, <-failed, "save: restflow: panic in the store: boom\n")
}

// A hook that panics ends neither the process nor the request.
func TestOnErrorPanics(t *testing.T) {
	calls := make(chan string, 10)
	gs := &panicking{GoCacheStore: gocachestore.NewGoCache(gocache.New(time.Hour, 0))}
	rs, err := restflow.NewStore(gs, restflow.StoreConfig{Kind: restflow.Shared, OnError: func(op string, _ error) {
		calls <- op
		panic("the hook's own")
	}})
	s := opened(t, rs, err)
	k := groupKey("Save", "k")
	put(t, s, k, "x")
	require.Equal(t, "save", <-calls)
	gs.deaf.Store(true)
	require.ErrorContains(t, s.Bump(t.Context(), k.Scopes[0], k.Scopes...), "invalidation failed, it is retried until it succeeds")
	require.Equal(t, "bump", <-calls)
	require.Equal(t, "bump", <-calls, "a retry")
	gs.deaf.Store(false)
	await(t, "the invalidation arrives", func() bool { return loadErr(s, k) == nil })
}

type panicking struct {
	*gocachestore.GoCacheStore
	deaf atomic.Bool
}

func (p *panicking) Delete(ctx context.Context, key any) error {
	if p.deaf.Load() {
		return errors.New("down")
	}
	return p.GoCacheStore.Delete(ctx, key)
}

func (p *panicking) Set(ctx context.Context, key, value any, options ...store.Option) error {
	if strings.Contains(key.(string), ":e:") {
		panic("boom")
	}
	if p.deaf.Load() {
		return errors.New("down")
	}
	return p.GoCacheStore.Set(ctx, key, value, options...)
}
