// Package chaos breaks a real Redis under load and checks every response against the
// promises of the library. It has tests only:
//
//   - under every fault, a few hundred clients read through several nodes, as
//     processes of one service would, while writers commit new versions of what they
//     read and invalidate. No request may fail, no request that begins after an
//     invalidation was acknowledged may get an older version, no body may be
//     damaged, and the cache has to work again soon after the fault has gone;
//   - the same on a cluster whose slots move and whose masters fail over, and
//     behind sentinels;
//   - what the breaker does when Redis dies and when it hangs.
//
// Each run prints a table. With -consistency.duration the faults last longer, at
// least that long in total:
//
//	go test ./internal/chaos -run Consistency -v -consistency.duration=5m
package chaos
