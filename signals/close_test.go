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

func TestClose(t *testing.T) {
	bus, target, heard := wire(t, mapped("pk", "ID"))
	ctx := context.Background()
	require.NoError(t, bus.Close(ctx))
	require.NoError(t, bus.Close(ctx))
	require.ErrorIs(t, bus.Publish(ctx, created(1)...), signals.ErrClosed)
	require.Equal(t, []string{"signals: publish: signals: closed"}, heard.take(), "a change that comes too late is no secret")
	require.NoError(t, bus.Publish(ctx, signals.Change{Op: signals.Create, New: &Team{}}), "nobody would have listened")
	require.ErrorIs(t, bus.Bind(newRecorder()), signals.ErrClosed)
	require.ErrorIs(t, bus.Apply(ctx, "UserDetail", []signals.Group{{All: true}}), signals.ErrClosed)
	bus.Subscribe(func(context.Context, []signals.Change) { t.Error("called") })()
	bus.Unbind(target)
	require.Empty(t, target.take())
	require.EqualError(t, signals.ErrClosed, "signals: closed")
}

func TestCloseWaitsForPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus, target, _ := wire(t, mapped("pk", "ID"))
		target.hook = func() { time.Sleep(time.Second) }
		go func() { _ = bus.Publish(context.Background(), created(1)...) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		require.EqualError(t, bus.Close(ctx), "signals: close: 1 calls under way: context deadline exceeded")
		require.NoError(t, bus.Close(context.Background()))
		require.Equal(t, []string{"pk=1"}, target.take())
	})
}

func TestCloseWaitsForBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rule := mapped("pk", "ID")
		rule.Batch = signals.Batch{Delay: time.Second}
		rule.Dispatcher = signals.DispatcherFunc(func(ctx context.Context, j signals.Job) error { return j.Run(ctx) })
		bus, target, _ := wire(t, rule)
		target.hook = func() { time.Sleep(time.Second) }
		require.NoError(t, bus.Publish(context.Background(), created(1)...))
		time.Sleep(time.Second)
		synctest.Wait() // the clock has sent the batch, and the target is at work
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		require.EqualError(t, bus.Close(ctx), "signals: close: batches under way: context deadline exceeded")
		require.NoError(t, bus.Close(context.Background()))
		require.Equal(t, []string{"pk=1"}, target.take())
	})
}

// closing is a dispatcher with a Close of its own.
type closing struct {
	signals.Dispatcher
	closed int
	err    error
}

func (c *closing) Close(context.Context) error { c.closed++; return c.err }

func TestCloseClosesEachDispatcherOnce(t *testing.T) {
	one, two, three := &closing{Dispatcher: signals.Inline}, &closing{Dispatcher: signals.Inline}, &closing{Dispatcher: signals.Inline, err: errors.New("stuck")}
	bus := signals.NewBus(signals.BusConfig{Dispatcher: one, Dispatchers: map[string]signals.Dispatcher{"one": one, "two": two}})
	rule := mapped("pk", "ID")
	rule.Dispatcher = three
	require.NoError(t, bus.Bind(newRecorder(), rule, mapped("pk", "ID")))
	require.EqualError(t, bus.Close(context.Background()), "stuck")
	require.Equal(t, []int{1, 1, 1}, []int{one.closed, two.closed, three.closed})
}
