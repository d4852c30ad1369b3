package chaos_test

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// row is what came of one run.
type row struct {
	scenario                      string
	requests, failed, stale, runs int64
	damaged, bypassed, commits    int64
	unacknowledged                int64
	hits                          float64 // of all requests
	p99, recovery                 time.Duration
}

// row sums a run up.
func (w *world) row(scenario string, recovery time.Duration) row {
	s := &w.sums
	r := row{
		scenario: scenario, requests: s.requests.Load(), failed: s.failed.Load(), stale: s.stale.Load(),
		runs: s.runs.Load(), damaged: s.damaged.Load(), bypassed: s.bypassed.Load(),
		commits: s.commits.Load(), unacknowledged: s.unacknowledged.Load(), recovery: recovery,
	}
	r.hits = float64(s.hits.Load()) / float64(max(r.requests, 1))
	if slices.Sort(w.samples); len(w.samples) > 0 {
		r.p99 = w.samples[len(w.samples)*99/100]
	}
	return r
}

// table aligns rows.
func table(rows []row) string {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "scenario\trequests\t5xx\tstale\tdamaged\thandler runs\thit ratio\tbypassed\tcommits\tunacked\tp99\trecovery\t")
	for _, r := range rows {
		fmt.Fprintf(tw, "%s\t%d\t%d\t%d\t%d\t%d\t%.0f%%\t%d\t%d\t%d\t%v\t%v\t\n", r.scenario, r.requests, r.failed, r.stale, r.damaged,
			r.runs, 100*r.hits, r.bypassed, r.commits, r.unacknowledged, r.p99.Round(time.Millisecond), r.recovery.Round(time.Millisecond))
	}
	_ = tw.Flush() // to memory
	return b.String()
}
