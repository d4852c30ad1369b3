package restflow_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

// briefly is the timeout of stores in tests of slow and dead servers.
const briefly = 100 * time.Millisecond

func openBrief(t *testing.T, server *redistest.Server, onError func(op string, err error)) *restflow.Store {
	t.Helper()
	s, err := restflow.NewRedis(server.Client(), restflow.RedisConfig{Timeout: briefly, OnError: onError})
	return opened(t, s, err)
}

func TestRedisKilled(t *testing.T) {
	server := redistest.Start(t)
	var mu sync.Mutex
	var told []string
	s := openBrief(t, server, func(op string, err error) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, op)
	})
	k := groupKey("Outage", "k", "1")
	put(t, s, k, "old")
	server.Kill()

	var failed int
	for range 20 {
		err := loadErr(s, k)
		require.Error(t, err)
		if errors.Is(err, restflow.ErrUnavailable) {
			require.EqualError(t, err, "restflow: the store is unavailable")
			continue
		}
		failed++
		require.ErrorContains(t, err, "restflow: redis: load: ")
	}
	require.GreaterOrEqual(t, failed, 5, "the breaker opens after five failures")
	require.LessOrEqual(t, failed, 10, "and then keeps lookups away")
	mu.Lock()
	require.Len(t, told, failed, "OnError is told of every failed call")
	require.Equal(t, "load", told[0])
	mu.Unlock()

	require.ErrorIs(t, s.Delete(context.Background(), k), restflow.ErrUnavailable)
	var snap restflow.Snapshot
	err := s.Load(context.Background(), k, &snap)
	require.ErrorIs(t, err, restflow.ErrUnavailable)
	require.Nil(t, snap.Entry)
	_, led, err := s.Fill(context.Background(), k, &snap, func(*restflow.Flight) *restflow.Entry {
		t.Error("a run without epochs")
		return nil
	})
	require.ErrorIs(t, err, restflow.ErrUnavailable)
	require.False(t, led)

	server.Restart()
	await(t, "the store is back", func() bool { return loadErr(s, k) == nil })
	require.Empty(t, lookup(t, s, k), "the server came back empty")
	put(t, s, k, "new")
	require.Equal(t, "new", lookup(t, s, k))
}

func TestRedisKilledDuringRun(t *testing.T) {
	server := redistest.Start(t)
	s, err := restflow.NewRedis(server.Client(), restflow.RedisConfig{Timeout: briefly, SyncSaves: true})
	opened(t, s, err)
	k := groupKey("Outage", "k", "1")
	var snap restflow.Snapshot
	require.NoError(t, s.Load(context.Background(), k, &snap))
	made := entryOf("made")
	e, led, err := s.Fill(context.Background(), k, &snap, func(*restflow.Flight) *restflow.Entry {
		server.Kill()
		return made
	})
	require.ErrorContains(t, err, "restflow: redis: save: ")
	require.True(t, led)
	require.Same(t, made, e, "the client gets its answer all the same")
}

func TestRedisPaused(t *testing.T) {
	server := redistest.Start(t)
	s := openBrief(t, server, nil)
	k := groupKey("Outage", "k", "1")
	put(t, s, k, "old")
	server.Pause()
	began := time.Now()
	err := loadErr(s, k)
	require.Less(t, time.Since(began), 10*time.Second, "it ends by its timeout, not by the client's")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.EqualError(t, err, "restflow: redis: load: context deadline exceeded")

	err = s.Bump(context.Background(), k.Scopes[0], k.Scopes[1])
	require.EqualError(t, err, "restflow: invalidation failed, it is retried until it succeeds: restflow: redis: bump: context deadline exceeded")
	require.Equal(t, restflow.ErrPending, loadErr(s, k))

	server.Resume()
	await(t, "the bump has reached the server", func() bool { return loadErr(s, k) == nil })
	require.Empty(t, lookup(t, s, k))
}

// A view with a longer timeout waits longer.
func TestRedisTimeoutOfView(t *testing.T) {
	server := redistest.Start(t)
	s := openBrief(t, server, nil)
	k := groupKey("Slow", "k", "1")
	put(t, s, k, "here")
	proxy := redistest.StartProxy(t, server.Addr())
	o := server.Options()
	o.Addr = proxy.Addr()
	slow, err := restflow.NewRedis(newClient(t, o), restflow.RedisConfig{Timeout: 20 * time.Millisecond})
	opened(t, slow, err)
	await(t, "it is connected", func() bool { return loadErr(slow, k) == nil })
	proxy.Delay(100 * time.Millisecond)
	require.Error(t, loadErr(slow, k))
	require.Equal(t, "here", lookup(t, slow.WithTimeout(unhurried), k))
	require.Equal(t, slow, slow.WithTimeout(0))
}

// Callers that give the store no time say nothing about it.
func TestRedisHurriedCallers(t *testing.T) {
	server := redistest.Start(t)
	s := openRedis(t, server.Client())
	k := groupKey("Hurry", "k", "1")
	put(t, s, k, "here")
	for i := range 20 {
		ctx, cancel := context.WithCancel(context.Background())
		if i%2 == 0 {
			ctx, cancel = context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
		}
		cancel()
		var snap restflow.Snapshot
		require.Error(t, s.Load(ctx, k, &snap))
	}
	require.Equal(t, "here", lookup(t, s, k), "the breaker stays closed")
}

// Callers with deadlines shorter than the store's timeout open the breaker all
// the same, or a store that hangs would eat up every one of them.
func TestRedisPatientCallers(t *testing.T) {
	server := redistest.Start(t)
	s, err := restflow.NewRedis(server.Client(), restflow.RedisConfig{Timeout: time.Second})
	opened(t, s, err)
	k := groupKey("Patience", "k", "1")
	put(t, s, k, "here")
	server.Pause()
	await(t, "the breaker is open", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		var snap restflow.Snapshot
		return errors.Is(s.Load(ctx, k, &snap), restflow.ErrUnavailable)
	})
}

// 50 lookups at once against a dead server end, and only with known errors.
func TestRedisManyDuringOutage(t *testing.T) {
	server := redistest.Start(t)
	s := openBrief(t, server, nil)
	k := groupKey("Outage", "k", "1")
	put(t, s, k, "old")
	server.Kill()
	var wg sync.WaitGroup
	errs := make(chan error, 50)
	for range 50 {
		wg.Go(func() { errs <- loadErr(s, k) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.Error(t, err)
		if !errors.Is(err, restflow.ErrUnavailable) {
			require.ErrorContains(t, err, "restflow: redis: load: ", fmt.Sprint(err))
		}
	}
}
