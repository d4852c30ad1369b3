package restflow

import (
	"context"
	"sync/atomic"
	"time"
)

// A window is a time limit that lookups of Redis share: all that begin in its first part
// end with it. A timer for each of them would cost a microsecond, which is a sixth of what
// a hit takes longer than a bare GET.
type window struct {
	until  time.Time
	closes int64 // for lookups that begin; as Snapshot.Now
	done   chan struct{}
}

// windowShare is the part of a timeout in which lookups may join a window, and so how
// much less than the timeout they may get.
const windowShare = 16

type windows struct{ current atomic.Pointer[window] }

// at returns the window for a lookup that begins now.
func (ws *windows) at(now int64, timeout time.Duration) *window {
	w := ws.current.Load()
	if w == nil || now >= w.closes || now < w.closes-int64(timeout/windowShare) { // or the clock was set back
		w = &window{until: time.Now().Add(timeout), closes: now + int64(timeout/windowShare), done: make(chan struct{})}
		time.AfterFunc(timeout, func() { close(w.done) })
		ws.current.Store(w)
	}
	return w
}

// lookup is the context of a call in a window: it has the values of the caller's context,
// but its own end. It does not end when the caller leaves. That changes little: while the
// client waits for Redis, it only heeds the deadline. Where it waits for a connection, a
// caller that has left keeps its place in the queue, until the window ends at most.
type lookup struct {
	*window
	caller context.Context
}

func (l lookup) Deadline() (time.Time, bool) { return l.until, true }
func (l lookup) Done() <-chan struct{}       { return l.done }
func (l lookup) Value(key any) any           { return l.caller.Value(key) }

func (l lookup) Err() error {
	select {
	case <-l.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// bound bounds a lookup: by the window, unless the caller has less time.
func (s *Store) bound(ctx context.Context) context.Context {
	if !s.traits.heedless || ctx.Err() != nil {
		return ctx
	}
	w := s.windows.at(s.clock.now(), s.timeout)
	if d, ok := ctx.Deadline(); ok && d.Before(w.until) {
		return ctx
	}
	return lookup{w, ctx}
}
