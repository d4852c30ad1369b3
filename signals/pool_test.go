package signals_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals"
)

// pooled binds one rule to a target whose Drop takes a second, by way of a pool.
func pooled(t *testing.T, config signals.PoolConfig) (*signals.Bus, *recorder, *signals.Pool) {
	pool := signals.NewPool(config)
	rule := mapped("pk", "ID")
	rule.Dispatcher = pool
	bus, target, _ := wire(t, rule)
	target.hook = func() { time.Sleep(time.Second) }
	return bus, target, pool
}

func TestPoolRunsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus, target, _ := pooled(t, signals.PoolConfig{})
		start := time.Now()
		for i := range int64(8) {
			require.NoError(t, bus.Publish(context.Background(), created(i)...))
		}
		require.Zero(t, time.Since(start), "the writer does not wait")
		require.Empty(t, target.take())
		require.NoError(t, bus.Close(context.Background()), "Close drains")
		require.Equal(t, 2*time.Second, time.Since(start), "eight jobs on four workers")
		require.Len(t, target.sorted(), 8)
	})
}

func TestFullPools(t *testing.T) {
	for name, c := range map[string]struct {
		overflow signals.Overflow
		waits    time.Duration
	}{
		"run inline": {signals.RunInline, time.Second},
		"wait":       {signals.Wait, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bus, target, _ := pooled(t, signals.PoolConfig{Workers: 1, Queue: 1, WhenFull: c.overflow})
				publish := func(id int64) { require.NoError(t, bus.Publish(context.Background(), created(id)...)) }
				start := time.Now()
				publish(1)
				synctest.Wait() // the worker has taken it
				publish(2)
				require.Zero(t, time.Since(start))
				publish(3)
				require.Equal(t, c.waits, time.Since(start))
				require.NoError(t, bus.Close(context.Background()))
				require.Equal(t, []string{"pk=1", "pk=2", "pk=3"}, target.sorted(), "none was lost")
			})
		})
	}
}

func TestPoolCloseWithADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus, target, pool := pooled(t, signals.PoolConfig{Workers: 1})
		for i := range int64(3) {
			require.NoError(t, bus.Publish(context.Background(), created(i)...))
		}
		ctx, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond)
		defer cancel()
		err := bus.Close(ctx)
		require.EqualError(t, err, "signals: pool: 2 jobs left: context deadline exceeded")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, pool.Close(context.Background()), "they go on")
		require.Len(t, target.sorted(), 3)
		require.NoError(t, pool.Close(context.Background()))
	})
}

// A pool that somebody else closed refuses, and the writer's goroutine does the work.
func TestClosedPool(t *testing.T) {
	bus, target, pool := pooled(t, signals.PoolConfig{})
	target.hook = nil
	require.NoError(t, pool.Close(context.Background()))
	require.ErrorIs(t, pool.Dispatch(context.Background(), signals.Job{}), signals.ErrClosed)
	heard := &reports{}
	other := signals.NewBus(heard.config())
	rule := mapped("pk", "ID")
	rule.Dispatcher = pool
	require.NoError(t, other.Bind(target, rule))
	require.NoError(t, other.Publish(context.Background(), created(1)...))
	require.Equal(t, []string{"pk=1"}, target.take())
	require.Equal(t, []string{"signals: User->UserDetail: dispatch: signals: closed"}, heard.take())
	require.NoError(t, bus.Close(context.Background()))
}

func TestPoolReportsFailures(t *testing.T) {
	heard := &reports{}
	bus := signals.NewBus(heard.config())
	target := newRecorder()
	target.fail = errors.New("down")
	rule := mapped("pk", "ID")
	rule.Dispatcher = signals.NewPool(signals.PoolConfig{})
	require.NoError(t, bus.Bind(target, rule))
	require.NoError(t, bus.Publish(context.Background(), created(1)...))
	require.NoError(t, bus.Close(context.Background()))
	require.Equal(t, []string{"signals: User->UserDetail: drop: down"}, heard.take())
}

func TestBatch(t *testing.T) {
	batched := func(b signals.Batch) (*signals.Bus, *recorder, *reports) {
		heard := &reports{}
		bus := signals.NewBus(heard.config())
		one, two := mapped("pk", "ID"), mapped("user.id", "Name")
		one.Batch, two.Batch = b, b
		pool := signals.NewPool(signals.PoolConfig{})
		one.Dispatcher, two.Dispatcher = pool, pool
		target := newRecorder()
		require.NoError(t, bus.Bind(target, one, two))
		return bus, target, heard
	}
	publish := func(bus *signals.Bus, ids ...int64) {
		for _, id := range ids {
			require.NoError(t, bus.Publish(context.Background(), created(id)...))
		}
	}
	run := func(name string, b signals.Batch, test func(*testing.T, *signals.Bus, *recorder)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bus, target, heard := batched(b)
				test(t, bus, target)
				require.NoError(t, bus.Close(context.Background()))
				require.Empty(t, heard.take())
			})
		})
	}
	run("waits and merges", signals.Batch{Delay: time.Second}, func(t *testing.T, bus *signals.Bus, target *recorder) {
		publish(bus, 1, 2, 1)
		time.Sleep(999 * time.Millisecond)
		publish(bus, 3)
		synctest.Wait()
		require.Empty(t, target.take())
		time.Sleep(time.Millisecond)
		synctest.Wait()
		require.Equal(t, []string{"pk=1 | user.id= | pk=2 | pk=3"}, target.take())
		publish(bus, 4)
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, []string{"pk=4 | user.id="}, target.take())
	})
	run("is full", signals.Batch{Delay: time.Hour, Size: 3}, func(t *testing.T, bus *signals.Bus, target *recorder) {
		publish(bus, 1)
		synctest.Wait()
		require.Empty(t, target.take())
		publish(bus, 2)
		synctest.Wait()
		require.Equal(t, []string{"pk=1 | user.id= | pk=2"}, target.take())
	})
	run("has become everything", signals.Batch{Delay: time.Hour}, func(t *testing.T, bus *signals.Bus, target *recorder) {
		require.NoError(t, bus.Publish(context.Background(), signals.Change{Op: signals.Update, Model: typeOf[User](), Bulk: true}))
		synctest.Wait()
		require.Equal(t, []string{"all"}, target.take())
	})
	run("is sent by Unbind", signals.Batch{Delay: time.Hour}, func(t *testing.T, bus *signals.Bus, target *recorder) {
		publish(bus, 1)
		bus.Unbind(target)
		require.NoError(t, bus.Close(context.Background()), "the pool of a rule that is gone is still drained")
		require.Equal(t, []string{"pk=1 | user.id="}, target.take())
	})
	run("is sent by Close", signals.Batch{Delay: time.Hour}, func(t *testing.T, bus *signals.Bus, target *recorder) {
		publish(bus, 1)
		require.NoError(t, bus.Close(context.Background()))
		require.Equal(t, []string{"pk=1 | user.id="}, target.take())
	})
}

func TestBatchKeepsRewarmedKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWarmer()
		bus := signals.NewBus(signals.BusConfig{})
		rule := complete()
		rule.Batch, rule.Dispatcher = signals.Batch{Delay: time.Second}, signals.NewPool(signals.PoolConfig{})
		require.NoError(t, bus.Bind(w, rule))
		for range 2 {
			require.NoError(t, bus.Publish(context.Background(), full(1), full(2)))
		}
		require.NoError(t, bus.Close(context.Background()))
		require.Equal(t, []string{"pk=1 team=2 user.id=n | pk=2 team=2 user.id=n"}, w.take())
		require.Equal(t, []string{"{PK:1 Team:2 User:n Page:3}", "{PK:2 Team:2 User:n Page:3}"}, w.rewarmed)
	})
}
