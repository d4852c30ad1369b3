package restflow_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

// limit is how long a leader's run may go on without its client in these tests.
const limit = time.Minute

// errGone is why clients go.
var errGone = errors.New("the client has gone")

type contextKey struct{}

// bubble runs a leader with a client in a bubble of time. steps gets the context
// of the run and may let the client go and let waiters come.
func bubble(t *testing.T, steps func(b *contextBubble)) {
	synctest.Test(t, func(t *testing.T) {
		s, err := restflow.NewMemory(restflow.MemoryConfig{EpochSlots: 1 << 8})
		require.NoError(t, err)
		defer s.Close()
		parent, gone := context.WithCancelCause(context.WithValue(t.Context(), contextKey{}, "value"))
		defer gone(nil)
		b := &contextBubble{t: t, s: s, k: groupKey("Context", "k", "1"), gone: func() { gone(errGone); synctest.Wait() }}
		snap := snapshot(t, s, b.k)
		_, _, err = s.Fill(parent, b.k, snap, func(f *restflow.Flight) *restflow.Entry {
			b.flight = f
			ctx, stop := f.Context(parent, limit)
			defer stop()
			b.ctx = ctx
			steps(b)
			return entryOf("made")
		})
		require.NoError(t, err)
		require.Error(t, b.ctx.Err(), "stop ends it")
	})
}

type contextBubble struct {
	t      *testing.T
	s      *restflow.Store
	k      *restflow.Key
	flight *restflow.Flight
	ctx    context.Context
	gone   func()
}

// waiter lets one more wait, until leave is called.
func (b *contextBubble) waiter() (leave func()) {
	ctx, cancel := context.WithCancel(context.Background())
	snap := snapshot(b.t, b.s, b.k)
	go func() { _, _, _ = b.s.Fill(ctx, b.k, snap, func(*restflow.Flight) *restflow.Entry { return nil }) }()
	synctest.Wait()
	return func() { cancel(); synctest.Wait() }
}

func TestFlightContextHasTheClientsValues(t *testing.T) {
	bubble(t, func(b *contextBubble) {
		require.Equal(b.t, "value", b.ctx.Value(contextKey{}))
		require.NoError(b.t, b.ctx.Err())
		require.NoError(b.t, b.flight.Over(b.ctx))
	})
}

func TestFlightContextEndsWithTheClient(t *testing.T) {
	bubble(t, func(b *contextBubble) {
		b.gone()
		require.ErrorIs(b.t, b.ctx.Err(), context.Canceled)
		require.Equal(b.t, errGone, context.Cause(b.ctx))
		require.Equal(b.t, errGone, b.flight.Over(b.ctx))
	})
}

func TestFlightContextOutlivesTheClientForWaiters(t *testing.T) {
	bubble(t, func(b *contextBubble) {
		leaveFirst, leaveSecond := b.waiter(), b.waiter()
		b.gone()
		time.Sleep(limit - time.Nanosecond)
		require.NoError(b.t, b.ctx.Err())
		leaveFirst()
		require.NoError(b.t, b.ctx.Err(), "one still waits")
		leaveSecond()
		require.Equal(b.t, errGone, context.Cause(b.ctx), "nobody waits")
	})
}

func TestFlightContextHasALimit(t *testing.T) {
	bubble(t, func(b *contextBubble) {
		leave := b.waiter()
		time.Sleep(10 * limit)
		require.NoError(b.t, b.ctx.Err(), "the limit is for runs without their client")
		b.gone()
		time.Sleep(limit - time.Nanosecond)
		require.NoError(b.t, b.ctx.Err())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Equal(b.t, context.DeadlineExceeded, context.Cause(b.ctx))
		leave()
	})
}

func TestFlightContextOfALoneRun(t *testing.T) {
	bubble(t, func(b *contextBubble) {
		leave := b.waiter()
		b.flight.Alone()
		require.NoError(b.t, b.ctx.Err())
		b.gone()
		require.Equal(b.t, errGone, context.Cause(b.ctx), "though somebody waits")
		leave()
	})
	bubble(t, func(b *contextBubble) {
		leave := b.waiter()
		b.gone()
		require.NoError(b.t, b.ctx.Err())
		b.flight.Alone()
		require.Equal(b.t, errGone, context.Cause(b.ctx), "it has gone already")
		leave()
	})
}
