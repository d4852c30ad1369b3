package bench_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/bench/peer"
)

// change is one item whose row changes while it is being cached:
//
//	A asks          its handler reads the old row and is slow
//	the row changes, the cache is told, and the invalidation returns
//	B asks          while A's handler still runs
//	A's handler ends
//	C asks
//
// B and C asked after the invalidation had returned, so both must see the new row.
type change struct {
	row      atomic.Value  // string
	taken    atomic.Bool   // by the first run of the handler
	read     chan struct{} // closed once A's handler has the row
	released chan struct{}
}

func newChange() *change {
	r := &change{read: make(chan struct{}), released: make(chan struct{})}
	r.row.Store("old")
	return r
}

// handle is the handler: the first run waits after it has read.
func (r *change) handle() []byte {
	row := r.row.Load().(string)
	if !r.taken.Swap(true) {
		close(r.read)
		<-r.released
	}
	return []byte(row)
}

// settle is how long B gets to reach A's flight, and what is stored in the background
// to arrive.
const settle = 2 * time.Millisecond

// run plays it and tells whether B and C saw the old row.
func (r *change) run(b *testing.B, site *peer.Site, item int) (joined, late bool) {
	b.Helper()
	asker := func() func() string {
		c := site.Client()
		c.Aim(item)
		return func() string { return c.Answer().Body }
	}
	aAsks, bAsks, cAsks := asker(), asker(), asker()
	var done sync.WaitGroup
	done.Go(func() { aAsks() })
	<-r.read
	r.row.Store("new")
	require.NoError(b, site.Drop(item))
	var saw string
	done.Go(func() { saw = bAsks() })
	time.Sleep(settle)
	close(r.released)
	done.Wait()
	time.Sleep(settle)
	return saw == "old", cAsks() == "old"
}

// Who serves the old value after the invalidation has returned? 100 rounds, of which
// those are counted in which B, or C, saw the old row.
func BenchmarkLateFill(b *testing.B) {
	rounds := size(100, 10)
	for _, p := range peer.Caches() {
		b.Run("peer="+p.Name, func(b *testing.B) {
			var changes sync.Map // item -> *change
			site := open(b, p, peer.Env{Entries: 1000, BodyBytes: kib}, func(item string) []byte {
				r, _ := changes.Load(item)
				return r.(*change).handle()
			})
			if site.Drop == nil {
				b.Skip("it offers no way to drop an answer")
			}
			var joined, late float64
			for n := range rounds {
				r := newChange()
				changes.Store(fmt.Sprint(n), r)
				joinedOld, lateOld := r.run(b, site, n)
				joined += hundredth(joinedOld, rounds)
				late += hundredth(lateOld, rounds)
			}
			for b.Loop() { // the rounds above are what is counted
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(joined, "%joined-old")
			b.ReportMetric(late, "%late-old")
		})
	}
}

// hundredth is one round's share of all, in percent, if it counts.
func hundredth(counts bool, rounds int) float64 {
	if !counts {
		return 0
	}
	return 100 / float64(rounds)
}
