// Package redistest gives each test real Redis servers of its own, and a network
// between them and the code under test that can be broken on purpose.
//
// It promises that
//
//   - every server is a separate process on a free port of 127.0.0.1, starts
//     empty, keeps nothing on disk past the test, and is gone when the test
//     ends, also when the test fails or the test binary dies (on Linux);
//   - tests and packages may run in parallel, since no two servers ever share
//     a port, a folder or a process;
//   - a function that returns has reached the state it names: a started server
//     answers, a formed cluster has every slot covered and every replica
//     attached, a failover is known to every node. No test needs to sleep.
//
// What there is:
//
//   - [Start]: one server, which can be killed, restarted empty, paused and
//     resumed;
//   - [StartCluster]: a Redis Cluster of masters with one replica each, with
//     failover and the moving of slots;
//   - [StartReplicated]: a master with a replica that can be promoted;
//   - [StartSentinels]: the same, watched by three sentinels;
//   - [StartProxy]: a TCP proxy that cuts, holds, delays, corrupts and limits.
//
// The program is the one that the environment variable RESTFLOW_REDIS_SERVER
// names, or else redis-server in PATH; version 7 or later. Without one the test is
// skipped, or fails when RESTFLOW_REQUIRE_SERVICES is 1, so that a build that means
// to test against Redis cannot pass without it.
//
// Methods that talk to a server fail the test when the server does not do what was
// asked. Call them from the goroutine of the test, as [testing.T.FailNow]
// demands; the faults of a [Proxy] may be set from any goroutine.
package redistest
