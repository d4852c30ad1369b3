// Package consistency holds the checker of the first invariant: once an
// invalidation has returned, no later request is answered with a response whose
// handler began before it, except within the window of a soft one. Its test draws
// random programs of interrupted reads, slow saves, writes, hard and soft
// invalidations, evictions, expiries, outages and restarts, runs them against several
// nodes that share one store, and judges every response. It also breaks the protocol
// on purpose, and fails if that goes unnoticed.
//
// The package itself has only the flag that lets the checker run longer. Every
// test package of the module imports it, so that
//
//	go test ./... -run Consistency -consistency.duration=60s
//
// is understood by all of them.
package consistency

import (
	"flag"
	"time"
)

// Duration is how long the checker draws programs, at least; 0 means a number of
// programs that takes a few seconds.
var Duration = flag.Duration("consistency.duration", 0, "how long the consistency checker runs")

// For reports whether a run that began at began should go on.
func For(began time.Time) bool { return time.Since(began) < *Duration }
