package restflow

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A repairer holds the invalidations that a store did not take and retries them
// until it does. While a scope waits here this process treats its group as dead.
//
// What waits is a set of scopes, so that the same group invalidated twice waits
// once. It is bounded: beyond maxPending the scopes of one cache are replaced by
// the scope of the whole cache, and there are only as many of those as caches.
type repairer struct {
	store *Store
	count atomic.Int64 // len(scopes); zero lets lookups pass without a lock

	mu      sync.RWMutex
	scopes  map[Scope]pendingBump
	running bool
	closed  chan struct{}
	done    sync.WaitGroup
}

// pendingBump tells apart the failures of one scope: an attempt that succeeds
// removes only what had failed before the attempt began.
type pendingBump struct {
	within Scope
	serial uint64
}

const (
	maxPending     = 10_000
	repairPause    = 50 * time.Millisecond
	repairPauseMax = 5 * time.Second
)

var bumpSerial atomic.Uint64

func newRepairer(s *Store) *repairer {
	return &repairer{store: s, scopes: make(map[Scope]pendingBump), closed: make(chan struct{})}
}

// pending reports whether an invalidation of one of scopes waits.
func (r *repairer) pending(scopes []Scope) bool {
	if r.count.Load() == 0 {
		return false
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, s := range scopes {
		if _, ok := r.scopes[s]; ok {
			return true
		}
	}
	return false
}

// add queues scopes of the cache within and starts the retries.
func (r *repairer) add(within Scope, scopes []Scope) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range scopes {
		r.scopes[s] = pendingBump{within, bumpSerial.Add(1)}
	}
	if len(r.scopes) > maxPending {
		r.widen()
	}
	r.count.Store(int64(len(r.scopes)))
	if !r.running && !isClosed(r.closed) {
		r.running = true
		r.done.Add(1)
		go r.run()
	}
}

// widen replaces all scopes by those of their whole caches.
func (r *repairer) widen() {
	wide := make(map[Scope]pendingBump)
	for _, p := range r.scopes {
		wide[p.within] = pendingBump{p.within, bumpSerial.Add(1)}
	}
	r.scopes = wide
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// run retries until nothing waits or the store is closed.
func (r *repairer) run() {
	defer r.done.Done()
	for pause := repairPause; ; pause = min(2*pause, repairPauseMax) {
		timer := time.NewTimer(pause)
		select {
		case <-r.closed:
			timer.Stop()
			return
		case <-timer.C:
		}
		if r.attempt() == nil && r.idle() {
			return
		}
	}
}

// idle ends the retries if nothing waits.
func (r *repairer) idle() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = len(r.scopes) > 0
	return !r.running
}

// repairBatch bounds one command to the store.
const repairBatch = 500

// attempt tries everything that waits once, past the breaker: it is the probe
// that tells when the store is back for bumps.
func (r *repairer) attempt() error {
	r.mu.RLock()
	batch := make(map[Scope]uint64, repairBatch)
	var all []Scope
	for s, p := range r.scopes {
		batch[s] = p.serial
		all = append(all, s)
	}
	r.mu.RUnlock()
	for len(all) > 0 {
		n := min(len(all), repairBatch)
		ctx, cancel := context.WithTimeout(context.Background(), max(r.store.timeout, time.Second))
		err := r.store.backend.bump(ctx, all[:n])
		cancel()
		if err != nil {
			return err
		}
		r.settle(all[:n], batch)
		all = all[n:]
	}
	return nil
}

// settle removes what has reached the store, unless it failed again meanwhile.
func (r *repairer) settle(scopes []Scope, serials map[Scope]uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range scopes {
		if r.scopes[s].serial == serials[s] {
			delete(r.scopes, s)
		}
	}
	r.count.Store(int64(len(r.scopes)))
}

// close stops the retries and tries once more what still waits.
func (r *repairer) close() error {
	r.mu.Lock()
	if isClosed(r.closed) {
		r.mu.Unlock()
		return ErrClosed
	}
	close(r.closed)
	waiting := len(r.scopes)
	r.mu.Unlock()
	r.done.Wait()
	if waiting == 0 {
		return nil
	}
	if err := r.attempt(); err != nil {
		return errors.Join(fmt.Errorf("restflow: Close: %d invalidations never reached the store", r.count.Load()), err)
	}
	return nil
}
