package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

const writers = 5

// clients is how many read at once. They think between requests, so that the
// machine has time for the servers too.
func clients() int {
	if testing.Short() {
		return 60
	}
	return 200
}

// load is the traffic of a run, until stop.
type load struct {
	w    *world
	done chan struct{}
	once sync.Once
	wg   sync.WaitGroup
}

func (w *world) start() *load {
	l := &load{w: w, done: make(chan struct{})}
	for i := range clients() {
		l.wg.Go(func() { l.read(w.nodes[i%len(w.nodes)]) })
	}
	for range writers {
		l.wg.Go(l.write)
	}
	return l
}

// stop may be called twice.
func (l *load) stop() {
	l.once.Do(func() { close(l.done) })
	l.wg.Wait()
}

// pause waits for about d and returns false when the run is over.
func (l *load) pause(d time.Duration) bool {
	timer := time.NewTimer(d/2 + rand.N(d))
	defer timer.Stop()
	select {
	case <-l.done:
		return false
	case <-timer.C:
		return true
	}
}

func (l *load) read(n *node) {
	var samples []time.Duration
	for l.pause(250 * time.Millisecond) {
		began := time.Now()
		l.w.get(n, rand.IntN(items))
		samples = append(samples, time.Since(began))
	}
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	l.w.samples = append(l.w.samples, samples...)
}

func (l *load) write() {
	for l.pause(50 * time.Millisecond) {
		l.w.commit(l.w.nodes[rand.IntN(len(l.w.nodes))], rand.IntN(items))
	}
}

// get asks a node for a row, judges the answer and returns its cache status.
//
// Floor is what the answer must not fall short of: the newest version whose
// invalidation had been acknowledged when the request began, by any node, or
// had been tried by this one.
func (w *world) get(n *node, pk int) string {
	floor := max(w.truth[pk].told.Load(), n.tried[pk].Load())
	rec := httptest.NewRecorder()
	n.handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, fmt.Sprintf("/items/%d", pk), nil))
	status := rec.Header().Get("X-Cache-Status")
	w.sums.requests.Add(1)
	switch status {
	case "HIT":
		w.sums.hits.Add(1)
	case "BYPASS":
		w.sums.bypassed.Add(1)
	}
	w.judge(pk, floor, status, rec)
	return status
}

func (w *world) judge(pk int, floor int64, status string, rec *httptest.ResponseRecorder) {
	if rec.Code != http.StatusOK {
		w.sums.failed.Add(1)
		w.fault("%d for item %d: %.100s", rec.Code, pk, rec.Body)
		return
	}
	var gotPK int
	var version int64
	if _, err := fmt.Sscanf(rec.Body.String(), "%d %d ", &gotPK, &version); err != nil || gotPK != pk || rec.Body.String() != render(pk, version) {
		w.sums.damaged.Add(1)
		w.fault("%s for item %d is damaged: %.100q", status, pk, rec.Body)
		return
	}
	if version < floor {
		w.sums.stale.Add(1)
		w.fault("%s for item %d has version %d after %d was told", status, pk, version, floor)
	}
}
