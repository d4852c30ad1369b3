package testutil

import (
	"context"
	"time"

	"github.com/restflow-go/restflow"
)

// outcome is what came of a fill.
type outcome struct {
	entry    *restflow.Entry
	led      bool
	err      error
	panicked any
}

// held is a fill whose run has begun and ends when the test says so.
type held struct {
	p      *probe
	flight *restflow.Flight
	land   chan func() *restflow.Entry
	done   chan outcome
}

// filler is Fill or Replace.
type filler func(ctx context.Context, k *restflow.Key, snap *restflow.Snapshot, run restflow.Run) outcome

func (p *probe) byFill(ctx context.Context, k *restflow.Key, snap *restflow.Snapshot, run restflow.Run) (o outcome) {
	defer func() { o.panicked = recover() }()
	o.entry, o.led, o.err = p.s.Fill(ctx, k, snap, run)
	p.flush()
	return o
}

func (p *probe) byReplace(ctx context.Context, k *restflow.Key, snap *restflow.Snapshot, run restflow.Run) (o outcome) {
	o.entry, o.err = p.s.Replace(ctx, k, snap, run)
	p.flush()
	return o
}

// hold starts a fill of k in a goroutine and returns once its run has begun.
func (p *probe) hold(ctx context.Context, k *restflow.Key, fill filler) *held {
	p.t.Helper()
	h := &held{p: p, land: make(chan func() *restflow.Entry, 1), done: make(chan outcome, 1)}
	snap := p.load(k)
	began := make(chan *restflow.Flight, 1)
	go func() {
		h.done <- fill(ctx, k, snap, func(f *restflow.Flight) *restflow.Entry {
			began <- f
			return (<-h.land)()
		})
	}()
	p.t.Cleanup(func() { // lets the goroutine end also when the test has failed
		select {
		case h.land <- func() *restflow.Entry { return nil }:
		default:
		}
	})
	select {
	case h.flight = <-began:
	case o := <-h.done:
		p.t.Fatalf("a fill that was to lead ended before its run began: %+v", o)
	case <-time.After(patience):
		p.t.Fatalf("a fill has neither begun its run nor ended after %v", patience)
	}
	return h
}

// end lets the run return e and waits for the fill.
func (h *held) end(e *restflow.Entry) outcome {
	h.p.t.Helper()
	return h.endWith(func() *restflow.Entry { return e })
}

func (h *held) endWith(f func() *restflow.Entry) outcome {
	h.p.t.Helper()
	h.land <- f
	return h.p.receive(h.done)
}

func (p *probe) receive(c <-chan outcome) outcome {
	p.t.Helper()
	select {
	case o := <-c:
		return o
	case <-time.After(patience):
		p.t.Fatalf("a fill has not ended after %v", patience)
		return outcome{}
	}
}

// join starts a fill of k that is to wait for h, and returns once it does.
func (h *held) join(ctx context.Context, k *restflow.Key) <-chan outcome {
	h.p.t.Helper()
	before := h.flight.Waiters()
	snap, done := h.p.load(k), make(chan outcome, 1)
	go func() {
		done <- h.p.byFill(ctx, k, snap, func(*restflow.Flight) *restflow.Entry { return text("a waiter ran") })
	}()
	h.p.await("one more waits for the run", func() bool { return h.flight.Waiters() > before })
	return done
}

// awaitWaiters waits in a run until n others wait for it. It may be called from
// any goroutine.
func (p *probe) awaitWaiters(f *restflow.Flight, n int) {
	for end := time.Now().Add(patience); f.Waiters() < n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			p.t.Errorf("%d instead of %d wait for the run after %v", f.Waiters(), n, patience)
			return
		}
	}
}
