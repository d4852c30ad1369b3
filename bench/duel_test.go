package bench_test

import (
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// lapTime is about how long one lap takes: long enough to make reading the clock
// cheap, short enough that few laps are interrupted when others want the same core.
const lapTime = 100 * time.Microsecond

// contender does an operation in laps of so many that one takes about lapTime.
type contender struct {
	op   func()
	n    int // operations in a lap
	laps []float64
}

func newContender(op func()) *contender {
	c := &contender{op: op, n: 1, laps: make([]float64, 0, 1<<12)}
	fastest := time.Duration(1<<63 - 1)
	for range 5 {
		began := time.Now()
		op()
		fastest = min(fastest, time.Since(began))
	}
	c.n = int(min(256, max(1, lapTime/max(1, fastest))))
	return c
}

// lap runs one lap, and keeps the time of one operation in nanoseconds.
func (c *contender) lap() {
	began := time.Now()
	for range c.n {
		c.op()
	}
	c.laps = append(c.laps, float64(time.Since(began).Nanoseconds())/float64(c.n))
}

// duel lets the first operation run lap by lap beside the others, so that all of
// them meet the same state of the machine: another process on the core's other
// thread halves the speed of all. It reports the median of the first operation's
// time as ns/op, and for each other the median of the ratios of laps that followed
// each other, in the unit that is given. On several cores every core has a duel.
func duel(b *testing.B, setUp func() []func(), units ...string) {
	b.Helper()
	newTrial := func() (all []*contender) {
		for _, op := range setUp() {
			all = append(all, newContender(op))
		}
		return all
	}
	var trials [][]*contender
	if runtime.GOMAXPROCS(0) == 1 {
		t := newTrial()
		for b.Loop() {
			round(t)
		}
		trials = append(trials, t)
	} else {
		var mu sync.Mutex // protects trials
		b.RunParallel(func(pb *testing.PB) {
			t := newTrial()
			mu.Lock()
			trials = append(trials, t)
			mu.Unlock()
			for pb.Next() {
				round(t)
			}
		})
	}
	settleDuel(b, trials, units)
	b.ReportMetric(testing.AllocsPerRun(20, setUp()[0]), "allocs/ask")
}

func round(all []*contender) {
	for _, c := range all {
		c.lap()
	}
}

func settleDuel(b *testing.B, trials [][]*contender, units []string) {
	b.Helper()
	var times []float64
	ratios := make([][]float64, len(units))
	for _, t := range trials {
		times = append(times, t[0].laps...)
		for i := range units {
			for j, other := range t[1+i].laps {
				ratios[i] = append(ratios[i], t[0].laps[j]/other)
			}
		}
	}
	b.ReportMetric(middle(times)/float64(len(trials)), "ns/op")
	for i, unit := range units {
		b.ReportMetric(middle(ratios[i]), unit)
	}
}

func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
