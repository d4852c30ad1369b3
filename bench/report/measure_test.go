package main

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLinesKeepMeasurementsAndTheMachine(t *testing.T) {
	printed := "goos: linux\npkg: example.com/bench\ncpu: Some CPU\n" +
		"BenchmarkHit/peer=a-2   10  5 ns/op\n" +
		"BenchmarkHitByHand/peer=a-2   10  5 ns/op\n" +
		"--- SKIP: BenchmarkHit/peer=b\n    hit_test.go:1: a reason\nPASS\n"
	require.Equal(t, "goos: linux\ncpu: Some CPU\nBenchmarkHit/peer=a-2   10  5 ns/op\n",
		string(lines([]byte(printed), regexp.MustCompile("^BenchmarkHit$"))))
	require.Equal(t, "goos: linux\ncpu: Some CPU\nBenchmarkHit/peer=a-2   10  5 ns/op\nBenchmarkHit/peer=a-2   10  5 ns/op\n",
		string(lines([]byte(printed+printed), regexp.MustCompile("^BenchmarkHit$"))), "the machine is named once, however many processes named it")
}

// Every benchmark that a table reads is in exactly one phase.
func TestPhasesDoNotOverlap(t *testing.T) {
	for _, name := range []string{
		"Hit", "Spread", "Body", "GrowthRoutes", "GrowthPartitions", "GrowthFields", "RedisHit", "RedisHitByHand", "InvalidateMemory",
		"InvalidateMemoryTags", "InvalidateRedis", "InvalidateRedisTags", "InvalidateRedisScan", "Contention", "Stampede",
		"Million", "MillionBounded", "Heap", "RedisBytes", "LateFill",
	} {
		n := 0
		for _, p := range phases(settings{}) {
			if regexp.MustCompile(p.bench).MatchString("Benchmark" + name) {
				n++
			}
		}
		require.Equal(t, 1, n, name)
	}
}
