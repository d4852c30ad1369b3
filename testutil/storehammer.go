package testutil

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/restflow-go/restflow"
)

// The hammer: readers answer requests through one or more handles on a store, as
// caches do, while a writer counts a version up and bumps. A run reads the
// version. No answer may hold an older version than the last one whose bump had
// returned before its request began.
type hammer struct {
	p       *probe
	handles []*restflow.Store
	version atomic.Int64 // the data: committed before the bump
	told    atomic.Int64 // the version whose bump has returned
	hits    atomic.Int64
	runs    atomic.Int64
	done    chan struct{}
}

const (
	hammerReaders = 4 // for each handle
	hammerKeys    = 3
	hammerBumps   = 150
	hammerTime    = 3 * time.Second
)

func hammerStore(p *probe) { hammerAll(p, p.s) }

func hammerAll(p *probe, handles ...*restflow.Store) {
	h := &hammer{p: p, handles: handles, done: make(chan struct{})}
	var readers sync.WaitGroup
	for _, s := range handles {
		for i := range hammerReaders {
			readers.Go(func() { h.read(p.on(s), i) })
		}
	}
	h.write()
	close(h.done)
	readers.Wait()
	p.t.Logf("%d versions, %d hits, %d runs", h.told.Load(), h.hits.Load(), h.runs.Load())
	if h.hits.Load() == 0 || h.runs.Load() < 2 {
		p.t.Errorf("%d hits and %d runs: nothing was put to the test", h.hits.Load(), h.runs.Load())
	}
}

// write commits and bumps each kind of group in turn, on each handle in turn. It
// waits for a hit in between, so that there is something to drop.
func (h *hammer) write() {
	scopes := h.p.key("", "1", "u").Scopes
	bumps := hammerBumps
	if testing.Short() {
		bumps /= 5
	}
	for i, end := 0, time.Now().Add(hammerTime); i < bumps && time.Now().Before(end); i++ {
		v := h.version.Add(1)
		s := h.handles[i%len(h.handles)]
		if err := s.Bump(h.p.ctx, h.p.all, scopes[i%len(scopes)]); err != nil {
			h.p.t.Errorf("Bump: %v", err)
			return
		}
		h.told.Store(v)
		for seen, wait := h.hits.Load(), time.Now().Add(20*time.Millisecond); h.hits.Load() == seen && time.Now().Before(wait); {
			time.Sleep(100 * time.Microsecond)
		}
	}
}

func (h *hammer) read(p *probe, n int) {
	var snap restflow.Snapshot // used again, as caches do
	for i := n; ; i++ {
		select {
		case <-h.done:
			return
		default:
		}
		k := p.key("key"+strconv.Itoa(i%hammerKeys), "1", "u")
		floor := h.told.Load()
		e, how, err := h.answer(p, k, &snap)
		if err != nil {
			p.t.Errorf("%s: %v", how, err)
			return
		}
		if e == nil {
			continue // it would run for itself now
		}
		if v, err := strconv.ParseInt(string(e.Body), 10, 64); err != nil || v < floor {
			p.t.Errorf("stale: %s got version %s after %d was told (%v)", how, e.Body, floor, err)
			return
		}
	}
}

// answer answers a request as a cache does.
func (h *hammer) answer(p *probe, k *restflow.Key, snap *restflow.Snapshot) (*restflow.Entry, string, error) {
	if err := p.s.Load(p.ctx, k, snap); err != nil {
		return nil, "a lookup", err
	}
	if snap.Entry != nil {
		h.hits.Add(1)
		return snap.Entry, "a hit", nil
	}
	e, led, err := p.s.Fill(p.ctx, k, snap, func(*restflow.Flight) *restflow.Entry {
		h.runs.Add(1)
		v := h.version.Load()
		time.Sleep(time.Duration(v%3) * 100 * time.Microsecond) // the bump may come now
		return text(strconv.FormatInt(v, 10))
	})
	if led {
		return e, "a run", err
	}
	return e, "a waiter", err
}
