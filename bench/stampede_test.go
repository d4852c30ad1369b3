package bench_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/restflow-go/restflow/bench/peer"
)

// crowd is how many ask at once.
const crowd = 500

// query is how long the handler waits for its database.
const query = 10 * time.Millisecond

// How often does the handler run when a crowd asks for the same cold item, and when
// has everybody been answered? The handler takes 10 ms.
func BenchmarkStampede(b *testing.B) {
	for _, p := range peer.Caches() {
		b.Run("peer="+p.Name, func(b *testing.B) {
			var runs atomic.Int64
			answer := body(kib)
			site := open(b, p, peer.Env{Entries: 1000, BodyBytes: kib}, func(string) []byte {
				runs.Add(1)
				time.Sleep(query)
				return answer
			})
			all := make([]peer.Client, crowd)
			for i := range all {
				all[i] = site.Client()
			}
			var took spans
			for item := 0; b.Loop(); item++ {
				rush(all, item, &took)
			}
			took.report(b, "ns/op")
			b.ReportMetric(float64(runs.Load())/float64(len(took)), "runs/op")
		})
	}
}

// rush lets all ask for an item at once, and waits for them.
func rush(all []peer.Client, item int, took *spans) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for _, c := range all {
		c.Aim(item)
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			c.Ask()
		})
	}
	ready.Wait()
	took.time(func() {
		close(start)
		done.Wait()
	})
}
