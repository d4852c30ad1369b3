package restflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	batch   int // how many scopes the next try takes at once; only one attempt is made at a time
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
	repairBatch    = 500 // scopes in one command to the store, at most
	repairFailures = 3   // in a row that end an attempt
)

var bumpSerial atomic.Uint64

func newRepairer(s *Store) *repairer {
	return &repairer{store: s, scopes: make(map[Scope]pendingBump), batch: repairBatch, closed: make(chan struct{})}
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

// add queues scopes of the cache within, starts the retries, and reports whether
// there are any. Without them the scopes wait for ever: this process knows that what
// it finds in them is dead.
func (r *repairer) add(within Scope, scopes []Scope) (retried bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range scopes {
		r.scopes[s] = pendingBump{within, bumpSerial.Add(1)}
	}
	if len(r.scopes) > maxPending {
		r.widen()
	}
	r.count.Store(int64(len(r.scopes)))
	if isClosed(r.closed) {
		return false
	}
	if !r.running {
		r.running = true
		r.done.Add(1)
		go r.run()
	}
	return true
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
	for pause := repairPause; r.rest(pause); {
		pause = min(2*pause, repairPauseMax)
		if some, _ := r.attempt(); some {
			pause = repairPause
		}
		if r.idle() {
			return
		}
	}
}

// rest waits for d and reports whether the store is open still.
func (r *repairer) rest(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-r.closed:
		return false
	case <-timer.C:
		return true
	}
}

// idle ends the retries if nothing waits.
func (r *repairer) idle() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = len(r.scopes) > 0
	return !r.running
}

// waiting is a scope that waits, with the failure that let it.
type waiting struct {
	scope  Scope
	serial uint64
}

func (r *repairer) waiting() []waiting {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := make([]waiting, 0, len(r.scopes))
	for s, p := range r.scopes {
		all = append(all, waiting{s, p.serial})
	}
	return all
}

// attempt tries what waits, past the breaker: it is the probe that tells when the
// store is back for bumps. It reports whether some of it succeeded, and the first
// failure, of which it tells OnError.
//
// Of what fails, that which may succeed in other company goes to the end of the queue:
// on a cluster the scopes of a master that is away hold up no others. After some batches
// in a row of which nothing has succeeded it is the store, which would cost its
// timeout for each.
func (r *repairer) attempt() (some bool, err error) {
	queue := r.waiting()
	for failures := 0; len(queue) > 0 && failures < repairFailures; {
		n := min(len(queue), r.batch)
		failed, e := r.try(queue[:n])
		queue = queue[n:]
		if len(failed) < n || r.batch < n {
			queue = append(slices.Clip(queue), failed...)
		}
		if len(failed) < n {
			some, failures = true, 0
		} else {
			failures++
		}
		if err == nil {
			err = e
		}
	}
	if err != nil {
		r.store.tell("bump", err)
	}
	return some, err
}

// try bumps a batch, settles what has reached the store, and returns the rest. A
// batch of which it does not know may have been too large for its time: the next one is
// smaller.
func (r *repairer) try(batch []waiting) (failed []waiting, err error) {
	scopes := make([]Scope, len(batch))
	for i, w := range batch {
		scopes[i] = w.scope
	}
	var p *partial
	switch err = r.bump(scopes); {
	case err == nil:
		r.settle(batch)
		r.batch = min(2*r.batch, repairBatch)
		return nil, nil
	case len(batch) == 1:
		return batch, err
	case !errors.As(err, &p):
		r.batch = len(batch) / 2
		return batch, err
	}
	var done []waiting
	for i, w := range batch {
		if slices.Contains(p.failed, i) {
			failed = append(failed, w)
		} else {
			done = append(done, w)
		}
	}
	r.settle(done)
	return failed, err
}

func (r *repairer) bump(scopes []Scope) error {
	ctx, cancel := context.WithTimeout(context.Background(), max(r.store.timeout, time.Second))
	defer cancel()
	return sound(ctx, func(ctx context.Context) error { return r.store.backend.bump(ctx, scopes) })
}

// settle removes what has reached the store, unless it failed again meanwhile.
func (r *repairer) settle(done []waiting) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range done {
		if r.scopes[w.scope].serial == w.serial {
			delete(r.scopes, w.scope)
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
	r.mu.Unlock()
	r.done.Wait()
	_, err := r.attempt()
	if lost := r.count.Load(); lost > 0 && err != nil {
		return fmt.Errorf("restflow: Close: %d invalidations never reached the store\n%w", lost, err)
	}
	return nil
}

// partial is the failure of a bump of several scopes which says what has become of each.
type partial struct {
	error
	failed []int // in the order of the scopes
}

func (p *partial) Unwrap() error { return p.error }

// partly is the error of a bump, of which errs[i] is that of the scope i.
func partly(errs []error) error {
	var first error
	var failed []int
	for i, err := range errs {
		if err != nil {
			failed = append(failed, i)
			if first == nil {
				first = err
			}
		}
	}
	if first == nil {
		return nil
	}
	if len(errs) > 1 {
		first = fmt.Errorf("%d of %d epochs: %w", len(failed), len(errs), first)
	}
	return &partial{first, failed}
}
