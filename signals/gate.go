package signals

import (
	"context"
	"sync"
)

// gate counts who is inside, lets nobody in once it is shut, and tells when all have left.
type gate struct {
	mu     sync.Mutex // protects what follows
	inside int
	isShut bool
	empty  chan struct{} // closed when the gate is shut and nobody is inside
}

func newGate() *gate { return &gate{empty: make(chan struct{})} }

// enter reports whether the caller is in; it must then leave.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.isShut {
		return false
	}
	g.inside++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside--; g.inside == 0 && g.isShut {
		close(g.empty)
	}
}

// shut may be called often.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.isShut && g.inside == 0 {
		close(g.empty)
	}
	g.isShut = true
}

func (g *gate) closed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.isShut
}

// wait returns how many were still inside when ctx ended; none if all have left. The gate must
// be shut.
func (g *gate) wait(ctx context.Context) int {
	if await(ctx, g.empty) {
		return 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inside
}

// await reports whether done was closed before ctx ended; what is done already always counts.
func await(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
	}
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}
