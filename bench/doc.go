// Package bench measures restflow beside the caches that a Go service could use in
// its place. It is a module of its own, so that none of them reaches a user's build.
//
// All do the same work: answer a GET of one item, with three query parameters and
// three header fields in the response, in this process, through one request and
// one writer that are used again. Package peer sets them up; the benchmarks are in
// this folder's tests, a file a question; command report runs them and writes
// docs/benchmarks.md.
//
//	go test -bench . -benchtime 1x ./...   every benchmark once, in small
//	make bench                             all of it, as published
//
// Benchmarks with large set-ups (a million entries, 200,000 foreign keys) are
// scaled down unless BENCH_FULL=1 is set.
package bench
