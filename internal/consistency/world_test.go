package consistency_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/signals"
)

const (
	nodes = 3
	items = 2
	users = 2
)

// world runs a program. Logical time counts what has happened; everything that
// is judged is ordered by it.
type world struct {
	setting
	shared *shared
	nodes  [nodes]*node

	mu            sync.Mutex
	clock         int
	runs          int
	held          []chan struct{} // gates of the handlers and saves that are held up, oldest first
	invalidations []invalidation
	faults        []string
	answers       answers
}

// answers counts what was seen, so that a checker that sees nothing is found out.
type answers struct{ Reads, Own, Cached, Softened int }

type node struct {
	id    int
	view  *view
	store *restflow.Store
	read  reader
}

// invalidation is one that has returned. An unacknowledged one binds only the
// node that knows of it, for as long as the node lives.
type invalidation struct {
	began, returned int
	covers          func(itemKey) bool
	acked           bool
	by              *node
	until           time.Time // of a soft one: reads that begin earlier may get what it covers
}

func newWorld(s setting) *world {
	w := &world{setting: s, shared: &shared{items: map[string]item{}}}
	for i := range w.nodes {
		w.nodes[i] = w.start(i)
	}
	return w
}

func (w *world) start(id int) *node {
	n := &node{id: id, view: &view{shared: w.shared, hold: w.gate, mutation: w.mutation}}
	n.store = w.open(n.view)
	n.read = w.proto(n.store)
	return n
}

func (w *world) tick() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock++
	return w.clock
}

// run runs the program and then lets everything that is held up go on.
func (w *world) run(p program) {
	for _, o := range p {
		w.step(o)
		synctest.Wait()
	}
	for _, n := range w.nodes {
		n.view.setSlow(false)
	}
	for w.release(0) {
		synctest.Wait()
	}
	for _, n := range w.nodes {
		n.view.setDown(false)
		_ = n.store.Close()
	}
}

func (v *view) setDown(down bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.down = down
}

func (v *view) setSlow(slow bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.slow = slow
}

func (w *world) step(o op) {
	n := w.nodes[o.a%nodes]
	switch o.kind {
	case read:
		w.startRead(n, itemKey{PK: o.b % items, User: o.c % users})
	case proceed:
		w.release(o.a)
	case invalidate:
		w.invalidate(n, o)
	case commit:
		w.bump(n, itemKey{PK: o.b % items}, func(k itemKey) bool { return k.PK == o.b%items }, "pk")
	case soften:
		w.soften(n, o)
	case evict:
		if names := w.shared.names(); len(names) > 0 {
			w.shared.evict(names[(o.a*8+o.b)%len(names)])
		}
	case empty:
		for _, name := range w.shared.names() {
			w.shared.evict(name)
		}
	case sleep:
		time.Sleep(time.Duration(o.a*o.a) * time.Second / 2)
	case cut:
		n.view.setDown(o.b%2 == 0)
	case slow:
		n.view.setSlow(o.b%2 == 0)
	case restart:
		if w.shared.memory != nil {
			break // the nodes are one process
		}
		_ = n.store.Close()
		w.nodes[n.id] = w.start(n.id)
	}
}

// startRead reads on a goroutine of its own and judges the answer.
func (w *world) startRead(n *node, k itemKey) {
	began, at := w.tick(), time.Now()
	go func() {
		var own atomic.Int64 // a refresh in the background may run as well
		m := n.read(k, func() made {
			m := made{Began: w.tick()}
			w.mu.Lock()
			w.runs++
			m.Run = w.runs
			w.mu.Unlock()
			own.Store(int64(m.Run))
			w.hold() // before the data is read
			w.hold() // after it
			return m
		})
		w.judge(n, k, began, at, m, own.Load() == int64(m.Run))
	}()
}

// hold holds a handler up until the program lets it go on.
func (w *world) hold() { <-w.gate() }

// gate is closed when the program lets whoever is there go on.
func (w *world) gate() <-chan struct{} {
	gate := make(chan struct{})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = append(w.held, gate)
	return gate
}

// release lets one handler or save that is held up go on.
func (w *world) release(i int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.held) == 0 {
		return false
	}
	i %= len(w.held)
	close(w.held[i])
	w.held = slices.Delete(w.held, i, i+1)
	return true
}

func (w *world) invalidate(n *node, o op) {
	k := itemKey{PK: o.b % items, User: o.c % users}
	switch (o.b + o.c) % 4 {
	case 0:
		w.bump(n, k, func(other itemKey) bool { return other.PK == k.PK }, "pk")
	case 1:
		w.bump(n, k, func(other itemKey) bool { return other.User == k.User }, "X-User")
	case 2:
		w.bump(n, k, func(other itemKey) bool { return other == k })
	case 3:
		began := w.tick()
		err := newBare(n.store).space.InvalidateAll(context.Background())
		w.returned(n, began, time.Time{}, func(itemKey) bool { return true }, err)
	}
}

func (w *world) bump(n *node, k itemKey, covers func(itemKey) bool, names ...string) {
	began := w.tick()
	w.returned(n, began, time.Time{}, covers, newBare(n.store).space.Invalidate(context.Background(), k, names...))
}

// soften commits a change of an item, and sometimes of all, with a window.
func (w *world) soften(n *node, o op) {
	window := time.Duration(o.c+1) * time.Second
	k := itemKey{PK: o.b % items}
	g := signals.Group{Names: []string{"pk"}, Key: &k, Soft: window}
	covers := func(other itemKey) bool { return other.PK == k.PK }
	if o.b == 7 {
		g, covers = signals.Group{All: true, Soft: window}, func(itemKey) bool { return true }
	}
	began, until := w.tick(), time.Now().Add(window)
	w.returned(n, began, until, covers, newBare(n.store).space.Drop(context.Background(), []signals.Group{g}))
}

func (w *world) returned(n *node, began int, until time.Time, covers func(itemKey) bool, err error) {
	at := w.tick()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.invalidations = append(w.invalidations, invalidation{began, at, covers, err == nil, n, until})
}

// judge holds an answer to the invariant: a read that began after an
// invalidation had returned must not get what a handler began to make before it,
// unless the invalidation was soft and the read began inside its window.
func (w *world) judge(n *node, k itemKey, began int, at time.Time, m made, own bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers.Reads++
	if own {
		w.answers.Own++
	} else {
		w.answers.Cached++
	}
	softened := false
	for _, inv := range w.invalidations {
		if !inv.covers(k) || !inv.acked && inv.by != n || inv.returned >= began || m.Began >= inv.began {
			continue
		}
		if at.Before(inv.until) {
			softened = true
			continue
		}
		w.faults = append(w.faults, fmt.Sprintf("node %d read %+v at %d and got what run %d began to make at %d, although node %d invalidated it from %d to %d",
			n.id, k, began, m.Run, m.Began, inv.by.id, inv.began, inv.returned))
	}
	if softened {
		w.answers.Softened++
	}
}
