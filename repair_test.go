package restflow_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

// bumpMany invalidates so many groups of one cache at once, and expects that to fail.
// It returns their keys.
func bumpMany(t *testing.T, s *restflow.Store, n int) []*restflow.Key {
	t.Helper()
	keys := make([]*restflow.Key, n)
	scopes := make([]restflow.Scope, n)
	for i := range keys {
		keys[i] = groupKey("Many", "k", strconv.Itoa(i))
		scopes[i] = keys[i].Scopes[1]
	}
	require.Error(t, s.Bump(t.Context(), keys[0].Scopes[0], scopes...))
	return keys
}

// free is how many of the groups have nothing pending.
func free(s *restflow.Store, keys []*restflow.Key) (n int) {
	for _, k := range keys {
		if !errors.Is(loadErr(s, k), restflow.ErrPending) {
			n++
		}
	}
	return n
}

// What was invalidated while the store was down is told in time that a store which takes
// 5 ms for each group has, though not for all of them at once.
func TestPendingBumpsOfAFarStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := openMoody(t, restflow.StoreConfig{})
		m.be(down)
		keys := bumpMany(t, s, 1000)
		m.be(func(ctx context.Context, _ string) error {
			if ctx.Err() == nil {
				time.Sleep(5 * time.Millisecond)
			}
			return ctx.Err()
		})
		time.Sleep(10 * time.Second)
		m.be(fine)
		require.Equal(t, 1000, free(s, keys))
	})
}

// sluice lets some deletions of a client through. It stands before the client's own
// way to the servers.
type sluice struct {
	mu    sync.Mutex
	stops func(names []any) bool
}

func (l *sluice) set(stops func(names []any) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stops = stops
}

func (l *sluice) stop(cmd redis.Cmder) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if cmd.Name() != "del" || !l.stops(cmd.Args()[1:]) {
		return false
	}
	cmd.SetErr(errShut)
	return true
}

func (l *sluice) DialHook(next redis.DialHook) redis.DialHook { return next }

func (l *sluice) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if l.stop(cmd) {
			return errShut
		}
		return next(ctx, cmd)
	}
}

func (l *sluice) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		var pass []redis.Cmder
		for _, cmd := range cmds {
			if !l.stop(cmd) {
				pass = append(pass, cmd)
			}
		}
		if err := next(ctx, pass); err != nil || len(pass) == len(cmds) {
			return err
		}
		return errShut
	}
}

func everything([]any) bool { return true }
func nothing([]any) bool    { return false }

// A batch that is too large for the time that it has is tried again in smaller ones.
func TestPendingBumpsInSmallerBatches(t *testing.T) {
	client := miniClient(t)
	l := &sluice{stops: everything}
	client.AddHook(l)
	s := openRedis(t, client)
	keys := bumpMany(t, s, 300)
	l.set(func(names []any) bool { return len(names) > 10 })
	await(t, "all groups are told", func() bool { return free(s, keys) == len(keys) })
}

// On a cluster the groups of the masters that answer come free while another is away.
func TestPendingBumpsOfOneMaster(t *testing.T) {
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{miniredis.RunT(t).Addr()}, ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	l := &sluice{stops: everything}
	client.AddHook(l)
	s := openRedis(t, client)
	keys := bumpMany(t, s, 600) // more than a batch
	away := make(map[any]bool)
	for _, k := range keys[:200] {
		away[fmt.Sprintf("restflow:s:%016x", uint64(k.Scopes[1]))] = true
	}
	l.set(func(names []any) bool { return away[names[0]] })
	await(t, "the groups of the others are told", func() bool { return free(s, keys[200:]) == 400 })
	require.Zero(t, free(s, keys[:200]))
	l.set(nothing)
	await(t, "the groups of the one are told", func() bool { return free(s, keys) == len(keys) })
}

// A store that hangs costs three timeouts, however much waits.
func TestPendingBumpsOfAHangingStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := openMoody(t, restflow.StoreConfig{})
		m.be(hanging)
		bumpMany(t, s, 2000)
		began := time.Now()
		require.EqualError(t, s.Close(), "restflow: Close: 2000 invalidations never reached the store\n500 of 500 epochs: context deadline exceeded")
		require.Equal(t, 3*time.Second, time.Since(began))
	})
}

// heard is what OnError was told.
type heard struct {
	mu    sync.Mutex
	lines []string
}

func (h *heard) on(op string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, op+": "+err.Error())
}

func (h *heard) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer func() { h.lines = nil }()
	return h.lines
}

// OnError is told of retries that fail, once for each round of them.
func TestFailedRetriesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		s, m := openMoody(t, restflow.StoreConfig{OnError: h.on})
		m.be(down)
		bumpMany(t, s, 2)
		const line = "bump: 2 of 2 epochs: down"
		require.Equal(t, []string{line}, h.take())
		time.Sleep(time.Second)
		require.Equal(t, []string{line, line, line, line}, h.take(), "after 50, 100, 200 and 400 ms")
	})
}

// A panic of the store's adapter in a retry is a failure as any other.
func TestRetriesPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		s, m := openMoody(t, restflow.StoreConfig{OnError: h.on})
		m.be(down)
		keys := bumpMany(t, s, 2)
		h.take()
		m.be(func(context.Context, string) error { panic("a bug") })
		time.Sleep(100 * time.Millisecond)
		lines := h.take()
		require.Len(t, lines, 1)
		require.Contains(t, lines[0], "bump: restflow: panic in the store: a bug\ngoroutine ")
		m.be(fine)
		time.Sleep(time.Second)
		require.Equal(t, 2, free(s, keys))
	})
}

// A bump that is under way while the store is closed, and fails, is not retried, and
// says so.
func TestBumpFailsAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := openMoody(t, restflow.StoreConfig{Timeout: unhurried})
		k := groupKey("Close", "k", "1")
		goOn, bumped := make(chan struct{}), make(chan error)
		m.be(func(context.Context, string) error {
			<-goOn
			return errDown
		})
		go func() { bumped <- s.Bump(t.Context(), k.Scopes[0], k.Scopes[1]) }()
		synctest.Wait()
		require.NoError(t, s.Close())
		close(goOn)
		err := <-bumped
		require.ErrorIs(t, err, restflow.ErrClosed)
		require.ErrorIs(t, err, errDown)
		require.EqualError(t, err, "restflow: invalidation failed and is not retried: restflow: the store is closed: restflow: go-cache: bump: down")
		m.be(fine)
		time.Sleep(time.Hour)
		require.Equal(t, restflow.ErrPending, loadErr(s, k), "this process knows of it")
	})
}
